package command

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"minifleet/app/plugin/archive"
)

//go:embed skeleton/*.tmpl
var skeletons embed.FS

var pluginName = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}$`)

// skeleton is what the templates of a new plugin ask for.
type skeleton struct {
	Name, Title, Module, Go, SDK string
	Requires                     []moduleVersion
}

type moduleVersion struct{ Path, Version string }

// pluginNew writes a working plugin into a new folder: it builds, and its test passes, without the network.
func pluginNew(ctx context.Context, env Env) error {
	set := flag.NewFlagSet("plugin new", flag.ContinueOnError)
	set.SetOutput(env.Stderr)
	module := set.String("module", "", "Go module of the plugin (default: its name)")
	sdk := set.String("sdk", "", "checkout of MiniFleet that holds the SDK (default: where this command runs)")
	title := set.String("title", "", "Chinese title (default: its name)")
	name, err := authorFlags(set, env.Args)
	if err != nil {
		return err
	}
	if !pluginName.MatchString(name) || archive.Reserved(name) {
		return fmt.Errorf("插件名 %q 不能用：以小写字母开头，只用小写字母和数字，2～16 位，且不是平台自己的名称；用法：minifleet plugin new NAME", name)
	}
	root, err := findSDK(*sdk, env.Executable)
	if err != nil {
		return err
	}
	made := skeleton{Name: name, Title: cmp.Or(*title, name), Module: cmp.Or(*module, name), SDK: root}
	if made.Go, made.Requires, err = sdkRequires(ctx, env, root); err != nil {
		return err
	}
	if err := made.write(name); err != nil {
		return err
	}
	if err := writeSums(root, name, made.Requires); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "已创建 %s。接下来：\n  cd %s && go test ./...\n  minifleet plugin dev --data DIR    边写边在运行中的平台上试用\n  minifleet plugin pack              打包，交给平台管理员安装\n", name, name)
	return err
}

// write fills the templates in.
func (s skeleton) write(folder string) error {
	if err := os.Mkdir(folder, 0o755); errors.Is(err, os.ErrExist) {
		return fmt.Errorf("文件夹 %s 已存在，请换一个名称", folder)
	} else if err != nil {
		return fmt.Errorf("make %s: %w", folder, err)
	}
	entries, err := skeletons.ReadDir("skeleton")
	if err != nil {
		return fmt.Errorf("read skeleton: %w", err)
	}
	for _, entry := range entries {
		file, err := template.ParseFS(skeletons, "skeleton/"+entry.Name())
		if err != nil {
			return fmt.Errorf("read skeleton: %w", err)
		}
		var out bytes.Buffer
		if err := file.Execute(&out, s); err != nil {
			return fmt.Errorf("write %s: %w", entry.Name(), err)
		}
		name := strings.TrimSuffix(entry.Name(), ".tmpl")
		if name == "gitignore" {
			name = ".gitignore"
		}
		if err := os.WriteFile(filepath.Join(folder, name), out.Bytes(), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// sdkRequires asks the go command which modules the SDK and its test harness are made of, and for the language version.
func sdkRequires(ctx context.Context, env Env, root string) (language string, requires []moduleVersion, err error) {
	out, err := goCommand(ctx, env, root, nil, "list", "-deps", "-test", "-f", "{{with .Module}}{{.Path}} {{.Version}} {{.GoVersion}}{{end}}",
		"./plugins/sdk", "./plugins/sdk/sdktest", "./plugins/sdk/ui")
	if err != nil {
		return "", nil, err
	}
	for line := range strings.Lines(out) {
		words := strings.Split(strings.TrimRight(line, "\n"), " ")
		if len(words) < 3 {
			continue
		}
		if words[0] == sdkModule {
			language = words[2]
			continue
		}
		one := moduleVersion{words[0], words[1]}
		if !slices.Contains(requires, one) {
			requires = append(requires, one)
		}
	}
	slices.SortFunc(requires, func(a, b moduleVersion) int { return strings.Compare(a.Path, b.Path) })
	return language, requires, nil
}

// writeSums takes over the SDK's checksums of those modules, so that nothing has to be asked of the network.
func writeSums(root, folder string, requires []moduleVersion) error {
	raw, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return fmt.Errorf("read the SDK's go.sum: %w", err)
	}
	var kept strings.Builder
	for line := range strings.Lines(string(raw)) {
		path, _, _ := strings.Cut(line, " ")
		if slices.ContainsFunc(requires, func(m moduleVersion) bool { return m.Path == path }) {
			kept.WriteString(line)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "go.sum"), []byte(kept.String()), 0o644); err != nil {
		return fmt.Errorf("write go.sum: %w", err)
	}
	return nil
}

// goCommand runs the go tool in a folder and gives what it printed; what it complained of is the error.
func goCommand(ctx context.Context, env Env, folder string, environ []string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = folder
	command.Env = slices.Concat(env.Environ, []string{"GOWORK=off"}, environ)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", errors.New("没有找到 go 命令，请先安装 Go")
	}
	if err != nil {
		return "", &buildError{strings.TrimSpace(complaint.String()), err}
	}
	return string(out), nil
}

// buildError is what the go tool said.
type buildError struct {
	words string
	cause error
}

// Error is the tool's words.
func (e *buildError) Error() string {
	if e.words == "" {
		return e.cause.Error()
	}
	return e.words
}

// Unwrap gives how the tool ended.
func (e *buildError) Unwrap() error { return e.cause }
