package admin

import (
	"context"
	"html/template"
	"net/http"
	"slices"

	"minifleet/app/account"
)

// Page is one address below /admin, served inside the frame.
type Page struct {
	// Pattern is a net/http pattern below /admin, such as "GET /jobs/{name}".
	Pattern string
	// Title heads the page unless the view brings its own.
	Title string
	// Kinds are the kinds of space that may open it; empty means merchant and platform.
	Kinds []account.Kind
	// Query names the query parameters it reads; all others are dropped before it is called.
	Query []string
	// MaxBody is the most it may be sent, in bytes; 0 means what a plugin's page may be.
	MaxBody int64
	// May is asked before the body is read; its refusal is the answer. Nil: whoever comes this far may send one.
	May func(actor account.Actor) error
	// Handle answers with a view. An error becomes a page that says what is wrong.
	Handle func(ctx context.Context, actor account.Actor, r *http.Request) (View, error)
}

// View is what a page answers.
type View struct {
	// Title and Subtitle head the page; Trail are the links before it.
	Title, Subtitle string
	Trail           []Link
	// Body is the page's fragment.
	Body template.HTML
	// Status is 200 unless set.
	Status int
	// Redirect sends the browser to an address of this site instead.
	Redirect string
	// Bare leaves the frame away, for fragments that a page loads into itself.
	Bare bool
	// Raw answers bytes as they are, without a frame.
	Raw *Raw
}

// Link is a titled address of this site.
type Link struct{ Title, Href string }

// Raw is an answer without a frame, such as an image or a download.
type Raw struct {
	ContentType string
	Header      http.Header
	Body        []byte
}

type routeKind int

const (
	kindCore routeKind = iota
	kindTable
	kindPlugin
)

// route is what the guard knows of an address.
type route struct {
	kind  routeKind
	kinds []account.Kind
	query []string
	most  int64
	may   func(actor account.Actor) error
}

func (rt route) allows(a account.Actor) bool {
	if len(rt.kinds) == 0 {
		return a.SpaceKind == account.Merchant || a.SpaceKind == account.Platform
	}
	return slices.Contains(rt.kinds, a.SpaceKind)
}

// route finds what an address is, without running it.
func (a *Admin) route(r *http.Request) (route, bool) {
	_, pattern := a.mux.Handler(r)
	rt, ok := a.pages[pattern]
	return rt, ok
}
