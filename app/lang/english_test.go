package lang_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"minifleet/app/lang"
	"minifleet/resource"
)

// TestEverySentenceHasItsEnglish reads the source: every Chinese sentence that can reach a screen is in the dictionary.
// MINIFLEET_MISSING names a file for the list of those that are not.
func TestEverySentenceHasItsEnglish(t *testing.T) {
	d, err := lang.New(resource.English())
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]string{}
	for sentence, where := range sentences(t, "../..") {
		if _, whole := d.Translate(strings.ReplaceAll(sentence, lang.Hole, "7")); !whole && !d.Has(sentence) {
			missing[sentence] = where
		}
	}
	if file := os.Getenv("MINIFLEET_MISSING"); file != "" {
		list, err := json.MarshalIndent(missing, "", " ")
		if err == nil {
			err = os.WriteFile(file, list, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range slices.Sorted(maps.Keys(missing)) {
		if i == 40 {
			t.Errorf("… and %d more", len(missing)-40)
			break
		}
		t.Errorf("%s: %s", missing[s], s)
	}
}

// unread are parts of the source whose sentences are not ours to translate: the simulator speaks as WeChat does, seeded
// names are data, and the search for secrets and common passwords is no screen.
var unread = regexp.MustCompile(`(^|/)(app/simulator|app/lang|plugins/examples|resource/i18n|resource/public|resource/web|testdata|node_modules|bin|data)(/|$)|_test\.go$|seed\w*\.go$|app/web/(openapi|api_)\w*\.go$|app/command/(command|demo|serve|doctor|migrate|operator|env|backup|simulator_run|plugin_author\w*)\.go$|app/command/skeleton/|(^|/)bench\w*\.go$|authtest|storetest|sdktest|/\.`)

// sentences gives every Chinese sentence of Go code and templates, with a hole for what is filled in, and where it stands.
func sentences(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel != "." && unread.MatchString(rel) {
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		switch filepath.Ext(path) {
		case ".go":
			goSentences(t, path, rel, all)
		case ".html", ".tmpl":
			body, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			markupSentences(string(body), rel, all)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func keep(all map[string]string, sentence, where string) {
	sentence = lang.Fold(sentence)
	for strings.Contains(sentence, lang.Hole+lang.Hole) {
		sentence = strings.ReplaceAll(sentence, lang.Hole+lang.Hole, lang.Hole)
	}
	if lang.Chinese(sentence) {
		all[sentence] = where
	}
}

var verb = regexp.MustCompile(`%[-+# 0-9.*\[\]]*[a-zA-Z]`)

func goSentences(t *testing.T, path, rel string, all map[string]string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			if n.Tag != nil {
				tagWords(n.Tag.Value, rel, all)
				n.Tag = nil
			}
			return true
		case *ast.BinaryExpr:
			if n.Op != token.ADD {
				return true
			}
			text, has := joined(n)
			if !has {
				return true
			}
			goText(text, rel, all)
			ast.Inspect(n, func(inner ast.Node) bool { // arguments of calls inside the sum are sentences of their own
				if call, ok := inner.(*ast.CallExpr); ok {
					for _, a := range call.Args {
						ast.Inspect(a, func(n ast.Node) bool { literal(n, rel, all); return true })
					}
					return false
				}
				return true
			})
			return false
		default:
			literal(n, rel, all)
			return true
		}
	})
}

var (
	tagPair  = regexp.MustCompile(`(\w+):"((?:[^"\\]|\\.)*)"`)
	tagSplit = regexp.MustCompile(`[,;|=:]`)
)

// tagWords takes the titles out of a struct's tags; what only describes the API is not on a screen.
func tagWords(tag, rel string, all map[string]string) {
	for _, pair := range tagPair.FindAllStringSubmatch(tag, -1) {
		if pair[1] != "col" { // the others describe the API
			continue
		}
		for _, word := range tagSplit.Split(pair[2], -1) {
			keep(all, word, rel)
		}
	}
}

func literal(n ast.Node, rel string, all map[string]string) {
	if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		if text, err := strconv.Unquote(lit.Value); err == nil {
			goText(text, rel, all)
		}
	}
}

// goText takes one string of Go code, which may be markup.
func goText(text, rel string, all map[string]string) {
	text = strings.ReplaceAll(verb.ReplaceAllString(text, lang.Hole), "%%", "%")
	if strings.Contains(text, "<") && strings.Contains(text, ">") {
		markupSentences(text, rel, all)
		return
	}
	keep(all, text, rel)
}

// joined folds a sum of strings; what is no literal becomes a hole. has tells whether a literal took part.
func joined(e ast.Expr) (text string, has bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return lang.Hole, false
		}
		s, err := strconv.Unquote(e.Value)
		return s, err == nil
	case *ast.ParenExpr:
		return joined(e.X)
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			left, one := joined(e.X)
			right, two := joined(e.Y)
			return left + right, one || two
		}
	}
	return lang.Hole, false
}

var (
	action  = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	control = regexp.MustCompile(`^\{\{-?\s*(if|else|end|range|with|define|template|block|break|continue|/\*|\$\w+\s*:?=)`)
	quoted  = regexp.MustCompile("\"((?:[^\"\\\\]|\\\\.)*)\"|`([^`]*)`")
)

const cut = "\x00"

// markupSentences takes a template apart: the strings inside its actions, its texts, and the attributes people read.
func markupSentences(body, rel string, all map[string]string) {
	body = action.ReplaceAllStringFunc(body, func(a string) string {
		if strings.Contains(a, "/*") {
			return ""
		}
		for _, q := range quoted.FindAllStringSubmatch(a, -1) {
			goText(q[1]+q[2], rel, all)
		}
		if control.MatchString(a) {
			return cut
		}
		return lang.Hole
	})
	take := func(text string) {
		for _, s := range strings.Split(text, cut) {
			keep(all, strings.Trim(s, " \n\t"), rel)
		}
	}
	z := html.NewTokenizer(strings.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.TextToken:
			take(html.UnescapeString(string(z.Raw())))
		case html.StartTagToken, html.SelfClosingTagToken:
			for _, a := range z.Token().Attr {
				take(a.Val)
			}
		default:
		}
	}
}
