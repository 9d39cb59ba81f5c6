package trail_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"minifleet/app/trail"
	"minifleet/app/wechat"
)

var actForm = regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)

// recorders are the functions of rooms that write an entry and take its act as a text.
var recorders = []string{"record", "note", "Record", "tellTrail"}

// TestEveryActHasWords reads the code for every act it records: what stands after Act: in an entry, what is handed to a
// room's own recorder, and what a variable named act is given.
func TestEveryActHasWords(t *testing.T) {
	found := map[string]string{}
	for _, dir := range []string{"../../app", "../../admin", "../../plugins"} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "simulator") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				for _, act := range actsOf(n) {
					found[act] = path
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(found) < 20 || found["account.login"] == "" || found["webhook.create"] == "" {
		t.Fatalf("the code was not read right: %v", found)
	}
	for act, path := range found {
		if trail.Title(act) == act {
			t.Errorf("%s records %q, for which app/trail/title.go has no words", path, act)
		}
		if !slices.ContainsFunc(trail.Families(), func(f trail.Act) bool { return strings.HasPrefix(act, f.Name) }) {
			t.Errorf("%s records %q, whose family no filter offers", path, act)
		}
	}
	for _, e := range wechat.Endpoints() {
		if trail.Title("wechat."+e.Name) == e.Name || e.Title == "" {
			t.Errorf("endpoint %s has no title", e.Name)
		}
	}
}

func actsOf(n ast.Node) []string {
	var out []string
	take := func(e ast.Expr) {
		ast.Inspect(e, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && actForm.MatchString(s) {
					out = append(out, s)
				}
			}
			return true
		})
	}
	switch x := n.(type) {
	case *ast.KeyValueExpr:
		if id, ok := x.Key.(*ast.Ident); ok && id.Name == "Act" {
			take(x.Value)
		}
	case *ast.CallExpr:
		if f, ok := x.Fun.(*ast.SelectorExpr); ok && slices.Contains(recorders, f.Sel.Name) {
			for _, a := range x.Args {
				if lit, ok := a.(*ast.BasicLit); ok {
					take(lit)
				}
			}
		}
	case *ast.AssignStmt:
		for i, l := range x.Lhs {
			if id, ok := l.(*ast.Ident); ok && id.Name == "act" && i < len(x.Rhs) {
				if lit, ok := x.Rhs[i].(*ast.BasicLit); ok {
					take(lit)
				}
			}
		}
	}
	return out
}
