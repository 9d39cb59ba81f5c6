package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The committed code must be what the proto says today.
func TestCommittedCodeIsGeneratedFromTheProto(t *testing.T) {
	files, err := compile(t.Context(), "..")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 {
		t.Fatalf("generated %d files, want messages and services", len(files))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Errorf("%s is not committed: %v", name, err)
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from the proto: run `go run ./manifest/protobuf/generate`", name)
		}
	}
}
