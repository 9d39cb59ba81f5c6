package command

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestOnlyWhatABuildIsMadeOfCallsForAnother(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", "package main")
	print := func() uint64 {
		t.Helper()
		sum, err := fingerprint(folder)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	last := print()
	for _, step := range []struct {
		name, text string
		builds     bool
	}{
		{"main.go", "package main // changed", true}, {"go.mod", "module x", true}, {"assets/app.woff", "font", true}, {"inner/part.go", "package inner", true},
		{"main_test.go", "package main", false}, {".main.go.swp", "x", false}, {".git/index", "x", false}, {"memo-0.1.0.mfp", "x", false}, {"node_modules/a/a.json", "{}", false},
	} {
		write(step.name, step.text)
		now := print()
		if (now != last) != step.builds {
			t.Errorf("%s: builds %v, want %v", step.name, now != last, step.builds)
		}
		last = now
	}
	later := time.Now().Add(time.Minute)
	if err := os.Chtimes(filepath.Join(folder, "main.go"), later, later); err != nil {
		t.Fatal(err)
	}
	if print() == last {
		t.Error("a file that was saved again does not call for a build")
	}
}
