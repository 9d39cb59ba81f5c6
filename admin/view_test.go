package admin

import (
	"io/fs"
	"regexp"
	"testing"

	"minifleet/resource"
)

// A second template of a name takes the place of the first without a word, and a page fails.
func TestNoTwoTemplatesOfThePagesShareAName(t *testing.T) {
	define := regexp.MustCompile(`{{-?\s*define "([^"]+)"`)
	from := map[string]string{}
	look := func(files fs.FS, pattern string) {
		names, err := fs.Glob(files, pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			raw, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range define.FindAllSubmatch(raw, -1) {
				word := string(m[1])
				if first, taken := from[word]; taken {
					t.Errorf("%q stands in %s and in %s", word, first, name)
				}
				from[word] = name
			}
		}
	}
	look(viewFiles, "view/*.html")
	look(resource.Templates(), "extensions.html")
}
