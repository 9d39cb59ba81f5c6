package command

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"minifleet/app/plugin/archive"
)

// cli runs one command of the program and gives what it printed.
func cli(t *testing.T, on bool, args ...string) (string, error) {
	t.Helper()
	var out, problems bytes.Buffer
	env := Env{Args: args, Stdout: &out, Stderr: &problems, Environ: []string{"MINIFLEET_LOG_LEVEL=error"}}
	if on {
		env.Environ = append(env.Environ, "MINIFLEET_PLUGINS_THIRDPARTY=true")
	}
	err := run(t.Context(), env)
	return out.String(), err
}

func TestExtensionsAreInstalledListedAndRemovedFromTheCommandLine(t *testing.T) {
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "coupon-1.0.0.mfp")
	var raw bytes.Buffer
	sum, err := archive.Pack(&raw, archive.Spec{ID: "coupon", Title: "优惠券", Version: "1.0.0", Protocol: archive.Protocol, Capabilities: archive.Capabilities{
		WeChat: []string{"code.release"}, Hosts: []string{"hooks.example.com"},
	}}, fstest.MapFS{archive.Binary(archive.Platform(runtime.GOOS, runtime.GOARCH)): {Data: []byte("binary")}})
	if err == nil {
		err = os.WriteFile(file, raw.Bytes(), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cli(t, false, "plugin", "install", file, "--approve", "--data", data); err == nil || !strings.Contains(err.Error(), "plugins.thirdParty: true") {
		t.Fatalf("installed while off, or without saying how to turn it on: %v", err)
	}
	if out, err := cli(t, true, "plugin", "list", "--data", data); err != nil || !strings.Contains(out, "没有第三方插件") {
		t.Fatalf("%s %v", out, err)
	}
	out, err := cli(t, true, "plugin", "install", file, "--data", data)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"优惠券 1.0.0（coupon）", sum, "能调用哪些微信接口", "发布（code.release）：会修改", "hooks.example.com", "等待审批"} {
		if !strings.Contains(out, want) {
			t.Errorf("install says\n%s\nwithout %q", out, want)
		}
	}
	if _, err := cli(t, true, "plugin", "install", file, "--approve", "--data", data); err == nil || !strings.Contains(err.Error(), "已经提交过") {
		t.Errorf("the same archive again: %v", err)
	}
	if _, err := cli(t, true, "plugin", "remove", "coupon", "--data", data); err == nil || !strings.Contains(err.Error(), "没有上架的版本") {
		t.Errorf("removed what does not serve: %v", err)
	}
	other := filepath.Join(filepath.Dir(file), "coupon-1.1.0.mfp")
	raw.Reset()
	if _, err := archive.Pack(&raw, archive.Spec{ID: "coupon", Title: "优惠券", Version: "1.1.0", Protocol: archive.Protocol}, fstest.MapFS{archive.Binary(archive.Platform(runtime.GOOS, runtime.GOARCH)): {Data: []byte("binary")}}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, raw.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err = cli(t, true, "plugin", "install", other, "--approve", "--data", data); err != nil || !strings.Contains(out, "已批准") {
		t.Fatalf("%s %v", out, err)
	}
	if out, err = cli(t, true, "plugin", "list", "--data", data); err != nil || !strings.Contains(out, "上架中") || !strings.Contains(out, "等待审批") {
		t.Errorf("%s %v", out, err)
	}
	if out, err = cli(t, true, "plugin", "remove", "coupon", "--reason", "换一个", "--data", data); err != nil || !strings.Contains(out, "已下架") {
		t.Errorf("%s %v", out, err)
	}
	if out, err = cli(t, true, "plugin", "list", "--data", data); err != nil || !strings.Contains(out, "换一个") {
		t.Errorf("%s %v", out, err)
	}
	broken := filepath.Join(filepath.Dir(file), "broken.mfp")
	if err := os.WriteFile(broken, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := cli(t, true, "plugin", "install", broken, "--data", data); err == nil || !strings.Contains(err.Error(), "不是插件包") {
		t.Errorf("a broken file: %v", err)
	}
}
