package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// pluginAuthor runs the commands of those who write plugins; false when the command is another.
func pluginAuthor(ctx context.Context, env Env) (bool, error) {
	if len(env.Args) == 0 {
		return false, nil
	}
	rest := env
	rest.Args = env.Args[1:]
	switch env.Args[0] {
	case "new":
		return true, pluginNew(ctx, rest)
	case "pack":
		return true, pluginPack(ctx, rest)
	case "dev":
		return true, pluginDev(ctx, rest)
	}
	return false, nil
}

// authorFlags reads flags that may stand before and after the one name or folder.
func authorFlags(set *flag.FlagSet, args []string) (operand string, err error) {
	for {
		if err := set.Parse(args); err != nil {
			return "", err
		}
		if set.NArg() == 0 {
			return operand, nil
		}
		if operand != "" {
			return "", fmt.Errorf("unexpected argument %q", set.Arg(0))
		}
		operand, args = set.Arg(0), set.Args()[1:]
	}
}

const sdkModule = "minifleet"

// findSDK gives the checkout of MiniFleet that holds the SDK: the one named, the one that the current folder is in, or
// the one that this program was built in.
func findSDK(named, executable string) (string, error) {
	if named != "" {
		if path, err := filepath.Abs(named); err == nil && isSDK(path) {
			return path, nil
		}
		return "", fmt.Errorf("--sdk %s 不是 MiniFleet 的代码目录（其中应有 plugins/sdk）", named)
	}
	var starts []string
	if here, err := os.Getwd(); err == nil {
		starts = append(starts, here)
	}
	if executable != "" {
		starts = append(starts, filepath.Dir(executable))
	}
	for _, start := range starts {
		for folder := start; ; folder = filepath.Dir(folder) {
			if isSDK(folder) {
				return folder, nil
			}
			if folder == filepath.Dir(folder) {
				break
			}
		}
	}
	return "", errors.New("没有找到 MiniFleet 的代码目录，请用 --sdk 指明")
}

func isSDK(folder string) bool {
	raw, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	_, err = os.Stat(filepath.Join(folder, "plugins", "sdk", "serve.go"))
	return strings.TrimSpace(first) == "module "+sdkModule && err == nil
}
