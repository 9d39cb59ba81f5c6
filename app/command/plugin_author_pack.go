package command

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
	"minifleet/plugins/sdk/pluginpb"
)

// packed is an archive that was made.
type packed struct {
	spec   archive.Spec
	sha256 string
	bytes  []byte
}

// pluginPack builds a plugin for each platform and makes its archive.
func pluginPack(ctx context.Context, env Env) error {
	set := flag.NewFlagSet("plugin pack", flag.ContinueOnError)
	set.SetOutput(env.Stderr)
	output := set.String("o", "", "file to write (default: ID-VERSION"+archive.Extension+" in this folder)")
	platforms := set.String("platforms", archive.Platform("linux", "amd64")+","+archive.Platform("linux", "arm64"), "platforms to build for, with commas between")
	folder, err := authorFlags(set, env.Args)
	if err != nil {
		return err
	}
	made, err := packFolder(ctx, env, cmp.Or(folder, "."), strings.Split(*platforms, ","))
	if err != nil {
		return err
	}
	name := cmp.Or(*output, made.spec.ID+"-"+made.spec.Version+archive.Extension)
	if err := writeWhole(name, made.bytes); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "已打包 %s %s：%s（%.1f MiB）\nsha256 %s\n%s", made.spec.ID, made.spec.Version, name,
		float64(len(made.bytes))/(1<<20), made.sha256, asksFor(made.spec.Capabilities))
	return err
}

// packFolder builds what is in a folder and packs it; the same sources give the same bytes.
func packFolder(ctx context.Context, env Env, folder string, platforms []string, extra ...packExtra) (made packed, err error) {
	work, err := os.MkdirTemp("", "minifleet-pack-*")
	if err != nil {
		return made, fmt.Errorf("make a folder to build in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	for _, platform := range platforms {
		goos, goarch, ok := strings.Cut(strings.TrimSpace(platform), "-")
		if !ok {
			return made, fmt.Errorf("--platforms 中的 %q 应形如 linux-amd64", platform)
		}
		if err := buildPlugin(ctx, env, folder, filepath.Join(work, archive.Binary(archive.Platform(goos, goarch))), goos, goarch); err != nil {
			return made, err
		}
	}
	manifest, err := askManifest(ctx, env, folder, work)
	if err != nil {
		return made, err
	}
	if err := takeAlong(folder, work); err != nil {
		return made, err
	}
	for _, file := range extra {
		if err := os.WriteFile(filepath.Join(work, file.name), []byte(file.text), 0o644); err != nil {
			return made, fmt.Errorf("write %s: %w", file.name, err)
		}
	}
	made.spec = plugin.SpecOf(manifest)
	pack := archive.Pack
	if len(extra) > 0 { // a development build, which the next one replaces
		pack = archive.PackFast
	}
	var out bytes.Buffer
	if made.sha256, err = pack(&out, made.spec, os.DirFS(work)); err != nil {
		return made, err
	}
	made.bytes = out.Bytes()
	return made, nil
}

// buildPlugin makes one binary that holds nothing of this machine: no paths, no build id, no state of the repository.
func buildPlugin(ctx context.Context, env Env, folder, output, goos, goarch string) error {
	path, err := filepath.Abs(output)
	if err != nil {
		return fmt.Errorf("build %s: %w", folder, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("build %s: %w", folder, err)
	}
	_, err = goCommand(ctx, env, folder, []string{"CGO_ENABLED=0", "GOOS=" + goos, "GOARCH=" + goarch},
		"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", path, ".")
	if err != nil {
		return fmt.Errorf("编译 %s-%s 失败：\n%w", goos, goarch, err)
	}
	return nil
}

// askManifest runs the binary on the author's machine to learn what the plugin declares.
func askManifest(ctx context.Context, env Env, folder, work string) (*pluginpb.Manifest, error) {
	binary := filepath.Join(work, archive.Binary(archive.Platform(runtime.GOOS, runtime.GOARCH)))
	if _, err := os.Stat(binary); errors.Is(err, fs.ErrNotExist) { // built for other machines only
		other, err := os.MkdirTemp("", "minifleet-describe-*")
		if err != nil {
			return nil, fmt.Errorf("describe: %w", err)
		}
		defer func() { _ = os.RemoveAll(other) }() // below the folder of temporary files
		binary = filepath.Join(other, "plugin")
		if err := buildPlugin(ctx, env, folder, binary, runtime.GOOS, runtime.GOARCH); err != nil {
			return nil, err
		}
	}
	command := exec.CommandContext(ctx, binary, "describe")
	command.Env = []string{}
	var said, complaint bytes.Buffer
	command.Stdout, command.Stderr = &said, &complaint
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("插件不能说明自己：\n%s", cmp.Or(strings.TrimSpace(complaint.String()), err.Error()))
	}
	manifest := &pluginpb.Manifest{}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(said.Bytes(), manifest); err != nil {
		return nil, fmt.Errorf("插件的说明读不懂，请让 main 只调用 sdk.Serve：%w", err)
	}
	return manifest, nil
}

// takeAlong copies the README and the assets beside the binaries.
func takeAlong(folder, work string) error {
	for _, name := range []string{"README.md", "README"} {
		raw, err := os.ReadFile(filepath.Join(folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(work, name), raw, 0o644)
		}
		if err != nil {
			return fmt.Errorf("take %s along: %w", name, err)
		}
	}
	assets := filepath.Join(folder, "assets")
	if _, err := os.Stat(assets); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.CopyFS(filepath.Join(work, "assets"), os.DirFS(assets)); err != nil {
		return fmt.Errorf("take assets along: %w", err)
	}
	return nil
}

// asksFor tells the author what an operator will have to approve.
func asksFor(c archive.Capabilities) string {
	var out strings.Builder
	line := func(title string, words []string) {
		if len(words) > 0 {
			_, _ = fmt.Fprintf(&out, "  %s：%s\n", title, strings.Join(words, "、"))
		}
	}
	var jobs, data []string
	for _, j := range c.Jobs {
		jobs = append(jobs, j.Title+"（"+j.Spec+"）")
	}
	for _, d := range c.Data {
		data = append(data, cmp.Or(d.Title, d.Name))
	}
	line("微信接口", c.WeChat)
	line("平台功能", c.Core)
	line("其他插件", c.Calls)
	line("访问的主机", c.Hosts)
	line("事件", c.Events)
	line("定时任务", jobs)
	line("数据表", data)
	if out.Len() == 0 {
		return ""
	}
	return "安装时需要平台管理员批准：\n" + out.String()
}

// writeWhole writes a file that is there whole or not at all.
func writeWhole(name string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".minifleet-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	_, err = io.Copy(file, bytes.NewReader(content))
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(file.Name()))
	}
	return nil
}
