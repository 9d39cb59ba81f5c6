package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSimulatorRunTellsHowAScenarioGoes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.yaml", "name: 好\nsteps:\n  - name: 走一分钟\n    control: clock\n    body: {advance_seconds: 60}\n")
	bad := write("bad.yaml", "name: 坏\nsteps:\n  - name: 没有令牌\n    call: GET /wxa/get_page\n")
	wrong := write("wrong.yaml", "name: 错\nstepz: []\n")
	shipped := filepath.Join("..", "simulator", "scenarios", "rejected-audit.yaml")
	first, second := filepath.Join(dir, "1.json"), filepath.Join(dir, "2.json")
	for _, c := range []struct {
		name string
		args []string
		exit int
		says string
	}{
		{"passes", []string{good}, 0, "✓ 走一分钟"},
		{"fails", []string{good, bad}, 1, "✗ 没有令牌（第 3 行）\n      errcode 应为 0，得到 41001"},
		{"mistake", []string{wrong}, 1, "第 2 行 stepz：没有这个键"},
		{"check", []string{"--check", good, bad}, 0, "没有错误"},
		{"calls", []string{"--calls", first, shipped}, 0, "驳回与重新提交：通过"},
		{"calls again", []string{"--calls", second, shipped}, 0, "通过"},
		{"no file", nil, 1, "usage"},
		{"variable", []string{"--var", "x", good}, 1, "name=value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			exit := Main(Env{Args: append([]string{"simulator", "run"}, c.args...), Stdout: &out, Stderr: &out})
			if exit != c.exit || !strings.Contains(out.String(), c.says) {
				t.Errorf("exit %d: %s", exit, out.String())
			}
		})
	}
	a, errA := os.ReadFile(first)
	b, errB := os.ReadFile(second)
	if errA != nil || errB != nil || !bytes.Equal(a, b) || !bytes.Contains(a, []byte("/wxa/submit_audit")) {
		t.Errorf("calls of two runs: %v %v, %d and %d bytes", errA, errB, len(a), len(b))
	}
}
