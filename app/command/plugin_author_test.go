package command_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"minifleet/app/command"
	"minifleet/app/plugin/archive"
)

// author runs a command as a plugin's author would, in a folder.
func author(t *testing.T, folder string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Chdir(folder)
	var out, complaint bytes.Buffer
	status = command.Main(command.Env{Args: append([]string{"plugin"}, args...), Environ: offline(), Stdout: &out, Stderr: &complaint})
	return status, out.String(), complaint.String()
}

// offline keeps the go tool to what is on this machine.
func offline() []string {
	return append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0")
}

func checkout(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// newPlugin writes a skeleton and gives its folder.
func newPlugin(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds plugins")
	}
	root, folder := checkout(t), t.TempDir()
	if status, out, complaint := author(t, folder, "new", name, "--module", "example.com/"+name, "--sdk", root); status != 0 || !strings.Contains(out, "已创建") {
		t.Fatalf("plugin new ended with %d: %s%s", status, out, complaint)
	}
	return filepath.Join(folder, name)
}

func TestANewPluginBuildsAndItsTestPassesAtOnce(t *testing.T) {
	folder := newPlugin(t, "memo")
	for _, args := range [][]string{{"vet", "./..."}, {"test", "./..."}} {
		run := exec.CommandContext(t.Context(), "go", args...)
		run.Dir, run.Env = folder, offline()
		if out, err := run.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	formatted := exec.CommandContext(t.Context(), "gofmt", "-l", folder)
	if out, err := formatted.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("not gofmt-ed: %s %v", out, err)
	}
	if status, _, complaint := author(t, filepath.Dir(folder), "new", "memo", "--sdk", checkoutOf(t, folder)); status == 0 || !strings.Contains(complaint, "已存在") {
		t.Errorf("writing over a plugin: %d %s", status, complaint)
	}
}

// checkoutOf reads the SDK's place back from the skeleton.
func checkoutOf(t *testing.T, folder string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, path, found := strings.Cut(string(raw), "replace minifleet => ")
	if !found {
		t.Fatalf("no replacement in %s", raw)
	}
	return strings.TrimSpace(path)
}

func TestAPackedPluginAsksForWhatItDeclares(t *testing.T) {
	folder := newPlugin(t, "memo")
	pack := func(name string) []byte {
		file := filepath.Join(t.TempDir(), name)
		if status, out, complaint := author(t, folder, "pack", "-o", file, "--platforms", "linux-amd64"); status != 0 || !strings.Contains(out, "sha256") {
			t.Fatalf("plugin pack ended with %d: %s%s", status, out, complaint)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	first := pack("a.mfp")
	opened, err := archive.Open(bytes.NewReader(first), int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	c := opened.Spec.Capabilities
	if opened.Spec.ID != "memo" || opened.Spec.Version != "0.1.0" || len(c.Events) != 1 || c.Events[0] != "wechat.weapp_audit_fail" ||
		len(c.Jobs) != 1 || c.Jobs[0].Spec != "0 * * * *" || c.Jobs[0].Platform || len(c.Data) != 1 || c.Data[0].Title != "待办" || c.Data[0].Visibility != "space" {
		t.Errorf("plugin.yaml says %+v", opened.Spec)
	}
	if !bytes.Equal(first, pack("b.mfp")) {
		t.Error("the same sources gave another archive")
	}
}

func TestWhatDoesNotCompileOrDescribeItselfIsNotPacked(t *testing.T) {
	folder := newPlugin(t, "memo")
	file := filepath.Join(folder, "plugin.go")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct{ from, to, want string }{
		{"return p\n", "return q\n", "undefined: q"},
		{"col:\"title,事项,text", "col:\"title,事项,string", `main.Task.Title: unknown column type "string"`},
		{"func New() *sdk.Plugin {\n", "func New() *sdk.Plugin {\n\tprintln()\n\tpanic(\"早\")\n", "panic: 早"},
	} {
		if err := os.WriteFile(file, bytes.Replace(good, []byte(bad.from), []byte(bad.to), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		status, out, complaint := author(t, folder, "pack", "--platforms", "linux-amd64")
		if status == 0 || !strings.Contains(complaint, bad.want) {
			t.Errorf("%s: %d %s%s", bad.want, status, out, complaint)
		}
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*.mfp")); err != nil || len(left) > 0 {
		t.Errorf("a bad build left %v, %v", left, err)
	}
}

func TestNamesThatNoPluginMayHaveAreRefused(t *testing.T) {
	root, folder := checkout(t), t.TempDir()
	for _, name := range []string{"", "x", "Coupon", "admin", "version", "a-b"} {
		args := []string{"new", "--sdk", root}
		if name != "" {
			args = append(args, name)
		}
		if status, _, complaint := author(t, folder, args...); status == 0 || !strings.Contains(complaint, "不能用") {
			t.Errorf("%q: %d %s", name, status, complaint)
		}
	}
}

// developing are the settings of a platform that takes builds over.
func developing() []string {
	return append(offline(), "MINIFLEET_PLUGINS_THIRDPARTY=true", "MINIFLEET_PLUGINS_DEVELOPMENT=true")
}

func TestADevelopmentBuildServesAtOnceOnlyWhereThatIsOn(t *testing.T) {
	folder, data := newPlugin(t, "memo"), t.TempDir()
	run := func(environ []string, args ...string) (int, string) {
		var out bytes.Buffer
		status := command.Main(command.Env{Args: append([]string{"plugin"}, args...), Environ: environ, Stdout: &out, Stderr: &out})
		return status, out.String()
	}
	if status, said := run(append(offline(), "MINIFLEET_PLUGINS_THIRDPARTY=true"), "dev", folder, "--once", "--data", data); status == 0 || !strings.Contains(said, "plugins.development") {
		t.Errorf("without the setting: %d %s", status, said)
	}
	for range 3 { // the same sources are another build each time
		if status, said := run(developing(), "dev", folder, "--once", "--data", data); status != 0 || !strings.Contains(said, "已构建") {
			t.Fatalf("plugin dev ended with %d: %s", status, said)
		}
	}
	if status, said := run(developing(), "list", "--data", data); status != 0 || strings.Count(said, "上架中") != 1 || strings.Count(said, "已有更新的构建") != 1 || strings.Count(said, "memo") != 3 {
		t.Errorf("plugin list: %d\n%s", status, said)
	}
	file := filepath.Join(folder, "plugin.go")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(good, "func broken() { return 1 }\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if status, said := run(developing(), "dev", folder, "--once", "--data", data); status == 0 || !strings.Contains(said, "too many return values") {
		t.Errorf("a build that fails: %d %s", status, said)
	}
	if _, said := run(developing(), "list", "--data", data); strings.Count(said, "memo") != 3 || strings.Count(said, "上架中") != 1 {
		t.Errorf("after a build that failed:\n%s", said)
	}
}
