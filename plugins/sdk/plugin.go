package sdk

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// Protocol is the version of the wire this SDK speaks.
const Protocol = 2

// Plugin collects what one plugin offers. Make it with New, declare, then
// Serve. Declarations never fail on the spot: a mistake of the author (a wrong
// column tag, a page declared twice) is kept, Err tells them all, and a plugin
// that has any does not start. A Plugin is not changed after Serve began.
type Plugin struct {
	manifest *pluginpb.Manifest

	tables     map[string]*Table
	routes     []*route
	handlers   map[string][]EventHandler
	order      []string
	jobs       map[string]Job
	operations map[string]Handler
	assets     map[string]*asset
	mux        *http.ServeMux
	mistakes   []error
}

var (
	idShape      = regexp.MustCompile(`^[a-z][a-z0-9]{1,15}$`)
	versionShape = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$`)
)

// New names a plugin. id is lower-case letters and digits (2–16); it prefixes
// the plugin's addresses, events, jobs, operations and permissions. title is
// Chinese; version is semantic.
func New(id, title, version string) *Plugin {
	p := &Plugin{
		manifest:   &pluginpb.Manifest{Id: id, Title: title, Version: version, Protocol: Protocol},
		tables:     map[string]*Table{},
		handlers:   map[string][]EventHandler{},
		jobs:       map[string]Job{},
		operations: map[string]Handler{},
		mux:        http.NewServeMux(),
	}
	if !idShape.MatchString(id) {
		p.mistaken("sdk.New", "plugin id %q is not [a-z][a-z0-9]{1,15}", id)
	}
	if title == "" {
		p.mistaken("sdk.New", "the title is empty")
	}
	if !versionShape.MatchString(version) {
		p.mistaken("sdk.New", "version %q is not a semantic version such as 1.0.0", version)
	}
	return p
}

// Describe adds what the one who approves the plugin reads: one or two Chinese
// sentences on what it does, and who answers for it.
func (p *Plugin) Describe(description, author string) {
	p.manifest.Description, p.manifest.Author = description, author
}

// ID is the plugin's id.
func (p *Plugin) ID() string { return p.manifest.GetId() }

// Manifest is what Describe answers. The caller must not change it.
func (p *Plugin) Manifest() *pluginpb.Manifest { return p.manifest }

// Permission declares a right that roles may hold; name is "<plugin>.<what>".
func (p *Plugin) Permission(name, title string) {
	what, ours := strings.CutPrefix(name, p.ID()+".")
	for _, declared := range p.manifest.Permissions {
		if declared.GetName() == name {
			p.mistaken(fmt.Sprintf("permission %q", name), "declared twice")
		}
	}
	if !ours || what == "" || title == "" {
		p.mistaken(fmt.Sprintf("permission %q", name), "needs a name that begins with %q and a title", p.ID()+".")
	}
	p.manifest.Permissions = append(p.manifest.Permissions, &pluginpb.Permission{Name: name, Title: title})
}

// Mount claims a fixed portal path: Mount("market") serves the plugin's pages
// under /market too, beside /p/<plugin>. The host keeps a list of who may
// claim what and refuses to start a plugin that claims another.
func (p *Plugin) Mount(path string) {
	p.manifest.Mounts = append(p.manifest.Mounts, path)
}

// MenuItem is one entry of the portal's or the back office's menu.
type MenuItem struct {
	Title      string
	Icon       string   // name in the host's icon set, may be empty
	Path       string   // below the plugin's prefix ("/drafts"), or "table:NAME"
	Kinds      []string // "personal" "merchant" "platform"; empty: all
	Frame      string   // "admin" or "portal"
	Group      string   // menu group it is filed under; empty: top level
	Order      int      // smaller first
	Permission string
}

// Menu adds an entry.
func (p *Plugin) Menu(item MenuItem) {
	where := fmt.Sprintf("menu item %q", item.Title)
	if item.Frame != FrameAdmin && item.Frame != FramePortal {
		p.mistaken(where, "frame %q is neither admin nor portal", item.Frame)
	}
	if item.Title == "" {
		p.mistaken(where, "the title is empty")
	}
	if !strings.HasPrefix(item.Path, "/") && !strings.HasPrefix(item.Path, "table:") {
		p.mistaken(where, "path %q is neither /… nor table:NAME", item.Path)
	}
	if reason := badKinds(item.Kinds); reason != "" {
		p.mistaken(where, "%s", reason)
	}
	p.manifest.Menu = append(p.manifest.Menu, &pluginpb.MenuItem{
		Title: item.Title, Icon: item.Icon, Path: item.Path, Kinds: item.Kinds, Frame: item.Frame,
		Group: item.Group, Order: int32(item.Order), Permission: item.Permission,
	})
}
