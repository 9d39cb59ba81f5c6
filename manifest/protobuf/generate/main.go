// Command generate turns the .proto files of manifest/protobuf into the Go code committed in plugins/sdk/pluginpb.
// It never runs in the product; authors of the wire run it from the module's root: go run ./manifest/protobuf/generate
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := generate(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func generate() error {
	files, err := compile(context.Background(), filepath.FromSlash("manifest/protobuf"))
	if err != nil {
		return err
	}
	for name, content := range files {
		target := filepath.FromSlash(name)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("make folder of %s: %w", name, err)
		}
		if err := os.WriteFile(target, content, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		fmt.Println(name, len(content))
	}
	return nil
}
