package plugin

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"

	"minifleet/app/plugin/archive"
	"minifleet/plugins/sdk/pluginpb"
)

// The manifest's parts under the host's own names, for web and admin.
type (
	Manifest = pluginpb.Manifest
	Table    = pluginpb.Table
	Column   = pluginpb.Column
	Option   = pluginpb.Option
	Action   = pluginpb.Action
	Route    = pluginpb.Route
	View     = pluginpb.View
	Topic    = pluginpb.Topic
)

var (
	idShape   = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}$`)
	nameShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	baseNames = []string{"id", "version", "space_id", "created_at", "updated_at"}
)

// protocol is the wire this host speaks.
const protocol = archive.Protocol

// described is a manifest that was checked, with what the host looks up on every call.
type described struct {
	manifest    *Manifest
	third       bool // an extension: somebody else's, there only for spaces that have it on
	collections map[string]*collection
	tables      map[string]*Table
	routes      *http.ServeMux
	operations  map[string]bool
	settings    *settingsSchema // nil: nothing to fill in
	offers      offers
	cleaner     func() *bluemonday.Policy // of an extension's pages
}

// describe checks a manifest, which is that of an extension where third. The plugin may lie: nothing of it is used before this.
func describe(id string, third bool, mounts map[string]string, m *Manifest) (*described, error) {
	if m.GetId() != id || !idShape.MatchString(id) {
		return nil, fmt.Errorf("manifest of %q calls itself %q", id, m.GetId())
	}
	if m.GetProtocol() != protocol {
		return nil, fmt.Errorf("plugin %s speaks protocol %d, the host %d", id, m.GetProtocol(), protocol)
	}
	d := &described{
		manifest: m, third: third, collections: map[string]*collection{}, tables: map[string]*Table{}, operations: map[string]bool{},
		cleaner: sync.OnceValue(func() *bluemonday.Policy { return cleaner(id) }),
	}
	for _, mount := range m.GetMounts() {
		if mounts[mount] != id {
			return nil, fmt.Errorf("plugin %s may not claim /%s", id, mount)
		}
	}
	for _, declared := range m.GetCollections() {
		c, err := newCollection(id, declared)
		if err != nil {
			return nil, err
		}
		if d.collections[c.name] != nil {
			return nil, fmt.Errorf("plugin %s declares collection %s twice", id, c.name)
		}
		if third {
			c.extension = id
		}
		d.collections[c.name] = c
	}
	if err := d.checkDrops(); err != nil {
		return nil, fmt.Errorf("plugin %s: %w", id, err)
	}
	for _, table := range m.GetTables() {
		if err := d.addTable(table); err != nil {
			return nil, fmt.Errorf("plugin %s: %w", id, err)
		}
	}
	for _, operation := range m.GetOperations() {
		d.operations[operation.GetName()] = true
	}
	for _, job := range m.GetJobs() {
		if job.GetName() == "" {
			return nil, fmt.Errorf("plugin %s: a job has no name", id)
		}
	}
	if err := checkJobs(third, m); err != nil {
		return nil, err
	}
	var err error
	if d.settings, err = parseSettings(m.GetSettingsSchema()); err != nil {
		return nil, fmt.Errorf("plugin %s: %w", id, err)
	}
	if d.offers, err = newOffers(m); err != nil {
		return nil, fmt.Errorf("plugin %s: %w", id, err)
	}
	if err := d.addRoutes(); err != nil {
		return nil, fmt.Errorf("plugin %s: %w", id, err)
	}
	return d, nil
}

func (d *described) addTable(table *Table) error {
	if !nameShape.MatchString(table.GetName()) || d.tables[table.GetName()] != nil {
		return fmt.Errorf("table %q is badly named or declared twice", table.GetName())
	}
	if name := table.GetCollection(); name != "" && d.collections[name] == nil {
		return fmt.Errorf("table %s: no collection %q", table.GetName(), name)
	}
	for _, column := range append(slices.Clone(table.GetColumns()), table.GetForm()...) {
		if !nameShape.MatchString(column.GetName()) {
			return fmt.Errorf("table %s: column name %q", table.GetName(), column.GetName())
		}
		if name := table.GetCollection(); name != "" && !d.collections[name].has(column.GetName()) {
			return fmt.Errorf("table %s: no column %q in %s", table.GetName(), column.GetName(), name)
		}
	}
	d.tables[table.GetName()] = table
	return nil
}

// matched is what the route mux holds; it never serves.
type matched struct{ route *Route }

func (matched) ServeHTTP(http.ResponseWriter, *http.Request) {}

// addRoutes builds the mux that finds a route's rules before the plugin is asked. ServeMux panics on patterns that
// conflict.
func (d *described) addRoutes() (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("routes: %v", cause)
		}
	}()
	d.routes = http.NewServeMux()
	for _, route := range d.manifest.GetRoutes() {
		if !strings.HasPrefix(route.GetPattern(), "/") {
			return fmt.Errorf("route %q does not begin with /", route.GetPattern())
		}
		if err := checkRoute(route); err != nil {
			return err
		}
		d.routes.Handle(route.GetMethod()+" /"+route.GetType()+route.GetPattern(), matched{route})
	}
	return nil
}

// route finds the route of one type for a request's method and path.
func (d *described) route(kind, method, path string) (*Route, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	r, err := http.NewRequest(method, "/", nil)
	if err != nil {
		return nil, false
	}
	r.URL.Path = "/" + kind + path
	handler, _ := d.routes.Handler(r)
	found, ok := handler.(matched)
	return found.route, ok
}
