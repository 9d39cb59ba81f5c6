package command_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"minifleet/app/wechat"
	"minifleet/app/wechat/wechattest"
)

const (
	coveragePage  = "../../manifest/wechat-coverage.md"
	wechatRoom    = "minifleet/app/wechat"
	simulatorRoom = "minifleet/app/simulator"
)

// TestTheCoveragePageIsTrue writes the page anew and compares. MINIFLEET_COVERAGE=write stores it instead.
func TestTheCoveragePageIsTrue(t *testing.T) {
	house := readSource(t)
	page := coverage(t, house)
	if os.Getenv("MINIFLEET_COVERAGE") == "write" {
		if err := os.WriteFile(coveragePage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	stored, err := os.ReadFile(coveragePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(stored) != page {
		t.Errorf("manifest/wechat-coverage.md is stale: run MINIFLEET_COVERAGE=write go test ./app/command -run %s\n%s", t.Name(), firstDifference(string(stored), page))
	}
}

func firstDifference(old, now string) string {
	a, b := strings.Split(old, "\n"), strings.Split(now, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines became %d", len(a), len(b))
}

// source is what the page needs of our own source.
type source struct {
	callers  map[string][]string // endpoint's name → files that call it
	machines map[string]bool     // paths that the simulator has a state machine for
}

func coverage(t *testing.T, s source) string {
	all, err := wechattest.Load("../simulator/golden")
	if err != nil {
		t.Fatal(err)
	}
	typed := wechattest.Typed()
	sources, variants, resources := map[string]string{}, map[string]int{}, map[string][]wechat.Endpoint{}
	for _, g := range all {
		sources[g.Name] = g.Source
		variants[g.Name]++
	}
	for _, e := range wechat.Endpoints() {
		resource, _, _ := strings.Cut(e.Name, ".")
		resources[resource] = append(resources[resource], e)
	}
	var rows strings.Builder
	var sum struct{ endpoints, typed, machines, used int }
	var holes []string
	for _, resource := range slices.Sorted(maps.Keys(resources)) {
		fmt.Fprintf(&rows, "\n## %s\n\n| Endpoint | What | Facts | Verb and path | Client | Simulator | Called by |\n|---|---|---|---|---|---|---|\n", resource)
		for _, e := range resources[resource] {
			client, machine, callers := "generic call", "golden answer", "–"
			sum.endpoints++
			if slices.Contains(typed, e.Name) {
				client = "typed"
				sum.typed++
			}
			if s.machines[e.Path] {
				machine = "state machine"
				sum.machines++
			}
			if used := s.callers[e.Name]; len(used) > 0 {
				callers = strings.Join(used, ", ")
				sum.used++
			} else if client == "typed" {
				holes = append(holes, "`"+e.Name+"`")
			}
			if variants[e.Name] > 1 {
				machine += fmt.Sprintf(", %d golden forms", variants[e.Name])
			}
			path := e.Path
			if e.Fixed[0] != "" {
				path += "?" + e.Fixed[0] + "=" + e.Fixed[1]
			}
			if e.Member[0] != "" {
				path += " {" + e.Member[0] + ": " + e.Member[1] + "}"
			}
			fmt.Fprintf(&rows, "| %s | %s | %s | %s `%s` | %s | %s | %s |\n", e.Name, e.Title, sources[e.Name], e.Method, path, client, machine, callers)
		}
	}
	return fmt.Sprintf(`# What of WeChat's interface stands

Written by a test (app/command, TestTheCoveragePageIsTrue) from the endpoint table, the golden files and the source; not edited by hand.

- **Client**: *typed* has a Go method with parameters and result, held against the golden files over HTTPS and over the plugins' host; *generic call*
  goes through the same gateway, table and redaction by name, with JSON in and out.
- **Simulator**: *state machine* keeps a world and refuses by number; *golden answer* checks verb, token, permission set and body, then answers as the facts show it.
- **Called by**: the source files that make the call outside the client, found by the types, not by the text; "–" is a hole: no screen, act or job uses it yet.

| | |
|---|---|
| Endpoints | %d |
| Typed calls | %d |
| With a state machine in the simulator | %d |
| Used by a screen, act or job | %d |
| Golden requests and answers | %d |
| Kinds of push with a type and a golden example | %d |
| Typed, but used by nothing yet | %d |

Not in the table, because another row does the same: the older prefix of the options (api_get_authorizer_option, api_set_authorizer_option), the
older clear_quota of the platform (/cgi-bin/component/clear_quota), GET of /cgi-bin/open/have's twin POST, GET of authidentitytree and of getorderpathinfo.
Templates of kind 标准模板 are read, not made: WeChat is retiring them.

Typed, but used by nothing yet: %s.
%s`, sum.endpoints, sum.typed, sum.machines, sum.used, len(all), len(wechat.PushTypes()), len(holes), strings.Join(holes, ", "), rows.String())
}

// readSource type-checks our own packages, and reads who refers to which endpoint.
func readSource(t *testing.T) source {
	t.Helper()
	h := &houseReader{t: t, fset: token.NewFileSet(), read: map[string]*readPackage{}}
	client := h.load(wechatRoom)
	reach := endpointsOfFunctions(client.files, client.info)
	simulated := h.load(simulatorRoom)
	s := source{callers: map[string][]string{}, machines: statePaths(simulated.files, simulated.info)}
	if len(s.machines) == 0 {
		t.Fatal("no state machine was found in the simulator's source")
	}
	for _, path := range h.packages() {
		if strings.HasPrefix(path, wechatRoom) || path == simulatorRoom || strings.HasSuffix(path, "test") {
			continue
		}
		p := h.load(path)
		for _, f := range p.files {
			name := strings.TrimPrefix(path, "minifleet/") + "/" + filepath.Base(h.fset.Position(f.Pos()).Filename)
			ast.Inspect(f, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok {
					return true
				}
				for _, endpoint := range endpointsOf(p.info.Uses[id], reach) {
					if !slices.Contains(s.callers[endpoint], name) {
						s.callers[endpoint] = append(s.callers[endpoint], name)
					}
				}
				return true
			})
		}
	}
	for _, names := range s.callers {
		slices.Sort(names)
	}
	return s
}

// houseReader type-checks our packages from source. Packages of others are empty to it: what that leaves unknown is
// ignored, since a method of the client is found by its receiver alone.
type houseReader struct {
	t    *testing.T
	fset *token.FileSet
	read map[string]*readPackage
}

type readPackage struct {
	types *types.Package
	files []*ast.File
	info  *types.Info
}

const repository = "../.."

// packages are the import paths of ours.
func (h *houseReader) packages() []string {
	var paths []string
	for _, top := range []string{"app", "admin", "plugins"} {
		err := filepath.WalkDir(filepath.Join(repository, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			dir, err := filepath.Rel(repository, filepath.Dir(path))
			if path := "minifleet/" + filepath.ToSlash(dir); err == nil && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return paths
}

// Import gives our package type-checked, any other one empty.
func (h *houseReader) Import(path string) (*types.Package, error) {
	if strings.HasPrefix(path, "minifleet/") {
		return h.load(path).types, nil
	}
	p := types.NewPackage(path, pathpkg.Base(path))
	p.MarkComplete()
	return p, nil
}

func (h *houseReader) load(path string) *readPackage {
	if p := h.read[path]; p != nil {
		return p
	}
	dir := filepath.Join(repository, filepath.FromSlash(strings.TrimPrefix(path, "minifleet/")))
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		h.t.Fatal(err)
	}
	p := &readPackage{info: &types.Info{Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}, Types: map[ast.Expr]types.TypeAndValue{}}}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(h.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			h.t.Fatal(err)
		}
		p.files = append(p.files, f)
	}
	config := types.Config{Importer: h, Error: func(error) {}}
	p.types, _ = config.Check(path, h.fset, p.files, p.info) // its errors are about what is empty here
	h.read[path] = p
	return p
}

// endpointsOf gives the endpoints behind a reference to the client: an Endpoint… constant, or a function that uses some.
func endpointsOf(o types.Object, reach map[string][]string) []string {
	if o == nil || o.Pkg() == nil || o.Pkg().Path() != wechatRoom {
		return nil
	}
	switch o := o.(type) {
	case *types.Const:
		if strings.HasPrefix(o.Name(), "Endpoint") {
			return []string{constant.StringVal(o.Val())}
		}
	case *types.Func:
		return reach[o.FullName()]
	}
	return nil
}

// endpointsOfFunctions gives, for each function of the client, the endpoints it calls, itself or through others. The
// table's own functions name all of them and are left out.
func endpointsOfFunctions(files []*ast.File, info *types.Info) map[string][]string {
	direct, calls := map[string][]string{}, map[string][]string{}
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || strings.HasSuffix(fn.Name.Name, "Endpoints") {
				continue
			}
			name := info.Defs[fn.Name].(*types.Func).FullName()
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok {
					return true
				}
				switch o := info.Uses[id].(type) {
				case *types.Const:
					if o.Pkg() != nil && o.Pkg().Path() == wechatRoom && strings.HasPrefix(o.Name(), "Endpoint") {
						direct[name] = append(direct[name], constant.StringVal(o.Val()))
					}
				case *types.Func:
					calls[name] = append(calls[name], o.FullName())
				}
				return true
			})
		}
	}
	reach := map[string][]string{}
	for name := range maps.Keys(calls) {
		reach[name] = follow(name, direct, calls, map[string]bool{})
	}
	for name := range direct {
		reach[name] = follow(name, direct, calls, map[string]bool{})
	}
	return reach
}

func follow(name string, direct, calls map[string][]string, seen map[string]bool) []string {
	if seen[name] {
		return nil
	}
	seen[name] = true
	found := slices.Clone(direct[name])
	for _, next := range calls[name] {
		found = append(found, follow(next, direct, calls, seen)...)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// statePaths are the paths of the simulator's endpoint literals; golden answers are made of a path known at run time only.
func statePaths(files []*ast.File, info *types.Info) map[string]bool {
	paths := map[string]bool{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			pair, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			key, ok := pair.Key.(*ast.Ident)
			if !ok || key.Name != "path" {
				return true
			}
			if v := info.Types[pair.Value].Value; v != nil && v.Kind() == constant.String && strings.HasPrefix(constant.StringVal(v), "/") {
				paths[constant.StringVal(v)] = true
			}
			return true
		})
	}
	return paths
}
