package sdk

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// CodeDeclaration is the code of a Describe that fails because of the author's mistakes.
const CodeDeclaration = "plugin.declaration"

// Mistake is one wrong declaration of the author.
type Mistake struct {
	Where  string // struct and field ("coupon.Coupon.Stock") or the declaration (`table "coupons"`)
	Reason string // why it cannot be, in English like the compiler's words
}

// Error is one line: where and why.
func (m *Mistake) Error() string { return m.Where + ": " + m.Reason }

// mistaken notes a mistake; the plugin will not start. The declaration it is about is of no use afterwards.
func (p *Plugin) mistaken(where, format string, args ...any) {
	p.mistakes = append(p.mistakes, &Mistake{where, fmt.Sprintf(format, args...)})
}

// Err joins the mistakes of all declarations (each a *Mistake), in the order in which they were made; nil when the
// plugin may be served. Serve and sdktest ask for it; an author's own test may too.
func (p *Plugin) Err() error {
	found := slices.Clone(p.mistakes)
	found = append(found, p.crossed()...)
	return errors.Join(found...)
}

// refusal is what Describe answers when there are mistakes.
func (p *Plugin) refusal() error {
	err := p.Err()
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	message := fmt.Sprintf("有 %d 处错误，请作者修改后重新构建：\n%s", len(lines), err)
	return Fail(CodeDeclaration, message).Because(err)
}

// crossed looks at what can only be seen when everything is declared: names that lead nowhere.
func (p *Plugin) crossed() []error {
	var found []error
	add := func(where, format string, args ...any) {
		found = append(found, &Mistake{where, fmt.Sprintf(format, args...)})
	}
	rights := map[string]bool{}
	for _, declared := range p.manifest.GetPermissions() {
		rights[declared.GetName()] = true
	}
	known := func(where, permission string) {
		if strings.HasPrefix(permission, p.ID()+".") && !rights[permission] {
			add(where, "permission %q is not declared: call p.Permission(%q, …)", permission, permission)
		}
	}
	for _, item := range p.manifest.GetMenu() {
		where := fmt.Sprintf("menu item %q", item.GetTitle())
		if table, isTable := strings.CutPrefix(item.GetPath(), "table:"); isTable && p.tables[table] == nil {
			add(where, "there is no table %q", table)
		}
		known(where, item.GetPermission())
	}
	for _, route := range p.manifest.GetRoutes() {
		known(routeName(route), route.GetPermission())
	}
	for _, table := range p.manifest.GetTables() {
		where := fmt.Sprintf("table %q", table.GetName())
		known(where, table.GetPermission())
		for _, action := range table.GetActions() {
			known(where+fmt.Sprintf(" action %q", action.GetName()), action.GetPermission())
		}
	}
	return found
}

func routeName(r *pluginpb.Route) string {
	return fmt.Sprintf("%s %q", r.GetType(), r.GetMethod()+" "+r.GetPattern())
}

func badKinds(kinds []string) string {
	for _, kind := range kinds {
		if !slices.Contains([]string{"personal", "merchant", "platform"}, kind) {
			return fmt.Sprintf("kind of space %q is none of personal, merchant, platform", kind)
		}
	}
	return ""
}

// handle puts a route into the mux, which panics on a pattern that is malformed or conflicts with another.
func (p *Plugin) handle(declared *pluginpb.Route, handler http.Handler) {
	defer func() {
		if cause := recover(); cause != nil {
			reason := fmt.Sprint(cause)
			if strings.Contains(reason, "conflicts with") {
				reason = "conflicts with another address"
				for _, other := range p.manifest.GetRoutes() {
					if other != declared && other.GetType() == declared.GetType() && other.GetMethod() == declared.GetMethod() && samePath(other.GetPattern(), declared.GetPattern()) {
						reason += fmt.Sprintf(": %q is declared already", other.GetMethod()+" "+other.GetPattern())
						break
					}
				}
			}
			p.mistaken(routeName(declared), "%s", reason)
		}
	}()
	p.mux.Handle(declared.GetMethod()+" /"+declared.GetType()+declared.GetPattern(), handler)
}

var wildcard = regexp.MustCompile(`\{[^/}]*\}`)

func samePath(a, b string) bool {
	return wildcard.ReplaceAllString(a, "{}") == wildcard.ReplaceAllString(b, "{}")
}

// wildcards are the names in a pattern.
func wildcards(pattern string) []string {
	var names []string
	for _, found := range wildcard.FindAllString(pattern, -1) {
		if name := strings.TrimSuffix(strings.Trim(found, "{}"), "..."); name != "$" {
			names = append(names, name)
		}
	}
	return names
}

// throughPointer tells that a field is reached through an embedded pointer, which may be nil at run time.
func throughPointer(typ reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		if typ = typ.Field(i).Type; typ.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}

// typeName is how a Go type is called in a mistake.
func typeName(typ reflect.Type) string {
	if typ.Name() == "" {
		return typ.String()
	}
	name := typ.String()
	if i := strings.IndexByte(name, '['); i >= 0 { // type arguments with whole import paths help nobody
		name = name[:i]
	}
	return name
}

// checkInput looks at the tags of a call's input; pattern is "" for an operation, which has no address.
func (p *Plugin) checkInput(where string, typ reflect.Type, pattern string, body bool) {
	if typ.Kind() != reflect.Struct {
		if pattern != "" || typ.Kind() == reflect.Interface {
			p.mistaken(where, "input %s is not a struct", typeName(typ))
		}
		p.checkJSON(where, "input", typ)
		return
	}
	bound := wildcards(pattern)
	for _, field := range reflect.VisibleFields(typ) {
		at := typeName(typ) + "." + field.Name
		path, query, rules := field.Tag.Get("path"), field.Tag.Get("query"), field.Tag.Get("check")
		if path == "" && query == "" && rules == "" {
			continue
		}
		if !field.IsExported() {
			p.mistaken(at, "%s: the field is not exported, so its tag has no effect", where)
			continue
		}
		if throughPointer(typ, field.Index) {
			p.mistaken(at, "%s: the field is embedded by pointer; embed the struct itself", where)
			continue
		}
		if path != "" && pattern == "" {
			p.mistaken(at, "%s: an operation has no address to take path:%q from", where, path)
		} else if path != "" && !slices.Contains(bound, path) {
			p.mistaken(at, "%s: path:%q is not in the pattern", where, path)
		}
		if path != "" || query != "" {
			switch field.Type.Kind() {
			case reflect.String, reflect.Int, reflect.Int32, reflect.Int64, reflect.Bool:
			default:
				p.mistaken(at, "%s: Go type %s cannot come from an address: use string, int, int64 or bool", where, field.Type)
			}
		}
		for _, rule := range strings.Split(rules, ",") {
			if reason := badRule(rule, field.Type); reason != "" {
				p.mistaken(at, "%s: check:%q: %s", where, rules, reason)
			}
		}
	}
	if body {
		p.checkJSON(where, "input", typ)
	}
}

func badRule(rule string, typ reflect.Type) string {
	name, argument, _ := strings.Cut(rule, "=")
	switch name {
	case "":
		return ""
	case "required":
		if typ.Kind() == reflect.Bool {
			return "a required bool could only be true"
		}
		return ""
	case "max":
		if most, err := strconv.Atoi(argument); err != nil || most < 1 {
			return fmt.Sprintf("max=%q is not a positive number", argument)
		}
		if typ.Kind() != reflect.String {
			return fmt.Sprintf("max counts characters, %s has none", typ)
		}
		return ""
	}
	return fmt.Sprintf("unknown rule %q; there are required and max=N", name)
}

// checkJSON finds what encoding/json would refuse at run time.
func (p *Plugin) checkJSON(where, role string, typ reflect.Type) {
	if at, reason := notJSON(typ, typeName(typ), map[reflect.Type]bool{}); reason != "" {
		p.mistaken(at, "%s: %s %s", where, role, reason)
	}
}

var (
	marshals   = reflect.TypeFor[interface{ MarshalJSON() ([]byte, error) }]()
	unmarshals = reflect.TypeFor[interface{ UnmarshalJSON([]byte) error }]()
	spells     = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
)

func notJSON(typ reflect.Type, at string, seen map[reflect.Type]bool) (where, reason string) {
	if seen[typ] || typ.Implements(marshals) || typ.Implements(spells) {
		return "", ""
	}
	seen[typ] = true
	switch typ.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return at, fmt.Sprintf("Go type %s does not become JSON", typ)
	case reflect.Map:
		switch kind := typ.Key().Kind(); {
		case kind == reflect.String, kind >= reflect.Int && kind <= reflect.Uint64, typ.Key().Implements(spells):
		default:
			return at, fmt.Sprintf("Go type %s does not become JSON: its keys are no text", typ)
		}
		return notJSON(typ.Elem(), at, seen)
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return notJSON(typ.Elem(), at, seen)
	case reflect.Struct:
		for _, field := range reflect.VisibleFields(typ) {
			if !field.IsExported() || field.Tag.Get("json") == "-" {
				continue
			}
			if where, reason := notJSON(field.Type, at+"."+field.Name, seen); reason != "" {
				return where, reason
			}
		}
	}
	return "", ""
}
