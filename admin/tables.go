package admin

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"minifleet/app/account"
)

// Plugins is the plugin host as the back office sees it. Every call is made for an actor; the host decides what that
// actor sees. A plugin that is down answers a fault of kind Unavailable.
type Plugins interface {
	// Menu gives the entries that live plugins add for this actor.
	Menu(ctx context.Context, actor account.Actor) []PluginMenu
	// Table describes a declared table.
	Table(ctx context.Context, actor account.Actor, plugin, table string) (Table, error)
	// Rows reads one page of a table.
	Rows(ctx context.Context, actor account.Actor, plugin, table string, q TableQuery) (TablePage, error)
	// Row reads one row for its form.
	Row(ctx context.Context, actor account.Actor, plugin, table, id string) (TableRow, error)
	// Save writes a form; id is empty for a new row.
	Save(ctx context.Context, actor account.Actor, plugin, table string, s TableSave) error
	// Remove deletes rows.
	Remove(ctx context.Context, actor account.Actor, plugin, table string, ids []string) error
	// Act runs a declared action on rows.
	Act(ctx context.Context, actor account.Actor, plugin, table, action string, ids []string) (ActResult, error)
	// Serve hands a request to a plugin's own page.
	Serve(ctx context.Context, actor account.Actor, req PluginRequest) (PluginResponse, error)
}

// PluginDoor is what Plugins may be too: a way past GoAdmin, which takes an answer whole.
type PluginDoor interface {
	// Door answers a request of a plugin whose bodies travel in pieces or whose answer does not end, and tells whether it was
	// one. Nothing was answered when it gives an error.
	// again authenticates the request anew, for an answer that lasts.
	Door(w http.ResponseWriter, r *http.Request, actor account.Actor, again func(context.Context) (account.Actor, error), plugin, path string) (passed bool, err error)
}

// PluginMenu is one entry of the left menu. Href is complete; Group is the title of the menu group it goes below.
type PluginMenu struct {
	Plugin, Title, Icon, Href, Group string
	Order                            int
}

// Table describes a list, its filters, its form and its actions.
type Table struct {
	Plugin, Name, Title, Intro, Empty string
	// Sort is the table's own order, "" for -id. A computed table without one cannot be walked from its end.
	Sort    string
	Columns []Column
	Filters []Column
	Form    []Column
	// Counted says that a page without a total has more than 10,000 rows, and not an unknown number.
	Counted bool
	// Search shows one search box for all columns that take part in it.
	Search                        bool
	Actions                       []Action
	CanCreate, CanEdit, CanRemove bool
}

// Column is a column of a list, a filter, or a field of a form.
type Column struct {
	Name, Title string
	// Type is text, longtext, int, bool, time (Unix milliseconds) or json.
	Type           string
	Required, Sort bool
	// Size is the most characters of a text; 0 means 255.
	Size    int
	Options []Option
	Help    string
}

// Option is one value of a closed choice; Color is green, blue, orange, red, grey or empty.
type Option struct{ Value, Label, Color string }

// Action is a button on the rows; a Batch one works on several at once.
type Action struct {
	Name, Title, Confirm string
	Batch, Danger        bool
	// WhenColumn and When limit the button to rows whose column holds one of the values; "" allows it on all.
	WhenColumn string
	When       []string
}

// TableQuery asks for one page. Sort is a column, with a minus in front for descending.
type TableQuery struct {
	Filters      map[string]string
	Search, Sort string
	Cursor       string
	Limit        int
}

// TableRow is a row as text; Version belongs to the row as it was read.
type TableRow struct {
	ID      string
	Version int64
	Values  map[string]string
}

// TablePage is one page of rows. A nil Total means more than 10,000 or unknown.
type TablePage struct {
	Rows  []TableRow
	Next  string
	Total *int64
	Note  string
}

// TableSave is a posted form.
type TableSave struct {
	ID      string
	Version int64
	Values  map[string]string
}

// ActResult is what an action says afterwards; Redirect is a complete address of this site, or empty.
type ActResult struct{ Message, Redirect string }

// PluginRequest is a request to a plugin's own page.
type PluginRequest struct {
	Plugin, Method, Path string
	Query                url.Values
	Header               http.Header
	Body                 []byte
}

// PluginResponse is a page to frame, or raw bytes when Framed is false.
type PluginResponse struct {
	Status          int
	Header          http.Header
	Framed          bool
	Title, Subtitle string
	Trail           []Link
	Body            []byte
	Redirect, Flash string
	Bare            bool
}

// pageSizes are the sizes a list offers.
var pageSizes = []int{20, 50, 100}

func (t Table) sortable(name string) bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == name && c.Sort })
}

// Address is where the table lives.
func (t Table) Address() string { return Prefix + "/info/" + t.Plugin + "_" + t.Name }

func (t Table) column(name string) (Column, bool) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if i < 0 {
		return Column{}, false
	}
	return t.Columns[i], true
}

func (t Table) action(name string) (Action, bool) {
	i := slices.IndexFunc(t.Actions, func(c Action) bool { return c.Name == name })
	if i < 0 {
		return Action{}, false
	}
	return t.Actions[i], true
}

// emptyText is the sentence of a list without rows.
func (t Table) emptyText() string {
	if t.Empty != "" {
		return t.Empty
	}
	return "还没有记录"
}
