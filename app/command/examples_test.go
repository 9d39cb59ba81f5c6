package command_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// examples are the folders of plugins/examples, each a module of its own.
func examples(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(checkout(t), "plugins", "examples", "*", "go.mod"))
	if err != nil || len(found) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for i := range found {
		found[i] = filepath.Dir(found[i])
	}
	return found
}

func TestExamplesImportOnlyWhatAuthorsMay(t *testing.T) {
	for _, folder := range examples(t) {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) < 2 {
			t.Fatalf("%s has %d Go files: %v", folder, len(files), err)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				first, _, _ := strings.Cut(path, "/")
				ours := path == "minifleet/app/wechat" || path == "minifleet/plugins/sdk" || strings.HasPrefix(path, "minifleet/plugins/sdk/") && path != "minifleet/plugins/sdk/pluginpb"
				if !ours && (strings.Contains(first, ".") || first == "minifleet") {
					t.Errorf("%s imports %s: an author has the standard library, the SDK and app/wechat", file, path)
				}
			}
		}
	}
}

// TestExamplesRequireWhatTheSDKRequires compares go.mod and go.sum with those of a new plugin: after an upgrade of one of the
// SDK's modules, copy them from one.
func TestExamplesRequireWhatTheSDKRequires(t *testing.T) {
	folders, fresh := examples(t), newPlugin(t, "memo") // newPlugin changes the folder
	for _, folder := range folders {
		for _, name := range []string{"go.mod", "go.sum"} {
			wants, err := os.ReadFile(filepath.Join(fresh, name))
			if err != nil {
				t.Fatal(err)
			}
			has, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(required(wants), required(has)) {
				t.Errorf("%s/%s differs from that of `minifleet plugin new`; want\n%s", folder, name, strings.Join(required(wants), "\n"))
			}
		}
	}
}

// required are the lines of a go.mod or go.sum that name a module with a version.
func required(raw []byte) []string {
	var lines []string
	for line := range strings.Lines(string(raw)) {
		if words := strings.Fields(line); len(words) >= 2 && strings.HasPrefix(words[1], "v") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}
