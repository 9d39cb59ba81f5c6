package archive

import (
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The names that an archive begins with, in this order.
const (
	SpecName = "plugin.yaml"
	SumsName = "SHA256SUMS"
)

const maxName = 200 // bytes of a path

var (
	binShape    = regexp.MustCompile(`^bin/([a-z0-9]{1,16}-[a-z0-9]{1,16})/plugin$`)
	readmeShape = regexp.MustCompile(`^README(\.[A-Za-z0-9-]{1,10})?(\.md|\.txt)?$`)
)

// Platform is the word for an operating system and an architecture in an archive: "linux-amd64".
func Platform(goos, goarch string) string { return goos + "-" + goarch }

// Binary is the path of a platform's binary within an archive.
func Binary(platform string) string { return "bin/" + platform + "/plugin" }

// checkName lets through what an archive may hold beside its two first files: binaries, assets and a README. Every other
// path, and every path that a file system might read as another one, is refused.
func checkName(name string) error {
	switch {
	case len(name) > maxName || !utf8.ValidString(name) || strings.ContainsAny(name, "\\:*?\"<>|") || strings.ContainsFunc(name, hidden):
		return badf("压缩包中的文件名 “%s” 含有不能使用的字符或太长", clip(name))
	case !fs.ValidPath(name) || name == ".":
		return badf("压缩包中的路径 “%s” 有误：不能是绝对路径，也不能含有 “..”", clip(name))
	case binShape.MatchString(name) || readmeShape.MatchString(name):
		return nil
	case strings.HasPrefix(name, "assets/"):
		return checkAsset(name)
	}
	return badf("压缩包中不应有文件 “%s”：只能有 plugin.yaml、SHA256SUMS、bin/<系统>-<架构>/plugin、assets/ 和 README", clip(name))
}

// checkAsset refuses parts that are hidden files or end in a dot or a space.
func checkAsset(name string) error {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".") || part != strings.TrimSpace(part) {
			return badf("压缩包中的文件名 “%s” 含有不能使用的字符或太长", clip(name))
		}
	}
	return nil
}

// names remembers which paths were seen: no path twice, on no file system, and no file where another has a folder.
type names struct {
	files, folders map[string]bool
}

func newNames() names { return names{map[string]bool{}, map[string]bool{}} }

func (n names) add(name string) error {
	folded := strings.ToLower(name)
	if n.files[folded] || n.folders[folded] {
		return badf("压缩包中的 “%s” 出现了两次", clip(name))
	}
	n.files[folded] = true
	for i, r := range folded {
		if r != '/' {
			continue
		}
		if n.files[folded[:i]] {
			return badf("压缩包中的 “%s” 出现了两次", clip(name[:i]))
		}
		n.folders[folded[:i]] = true
	}
	return nil
}
