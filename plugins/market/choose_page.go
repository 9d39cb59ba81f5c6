package market

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"minifleet/plugins/sdk"
)

type chooseView struct {
	Installation
	Here, Start, Home string
	Search            string
	Ready, Others     []candidate
	First, Next       string
	Chosen            string
	Settings          []settingView
	Errors            map[string]string
	Problem           string
	Again             string // where an authorisation begins anew
	Abandon           string
}

type settingView struct {
	Setting
	Value, Error string
}

// choosePage is step 2: one of my own mini programs, and the template's configuration.
func (m *market) choosePage(ctx context.Context, r *http.Request) (sdk.View, error) {
	installation, err := m.installationOf(ctx, r, m.mine)
	if err != nil {
		return sdk.View{}, err
	}
	if _, ok := installation.State.after(actChoose); !ok {
		return sdk.View{Redirect: sdk.Path(ctx, "/installations/"+installation.key())}, nil
	}
	query := r.URL.Query()
	return m.choosing(ctx, installation, chosen{search: tidy(query.Get("q")), cursor: query.Get("cursor"), appid: tidy(query.Get("appid"))}, nil)
}

// chosen is what a person has filled in so far.
type chosen struct {
	search, cursor, appid string
	config                map[string]string // nil: nothing yet
}

func (m *market) choosing(ctx context.Context, installation Installation, so chosen, problem error) (sdk.View, error) {
	listing, err := m.listings.Get(ctx, installation.Listing)
	if errors.Is(err, sdk.ErrNotFound) {
		return m.gone(ctx, installation)
	}
	if err != nil {
		return sdk.View{}, err
	}
	base := sdk.Path(ctx, "/installations/"+installation.key())
	view := chooseView{
		Installation: installation, Here: base + "/choose", Start: base + "/start", Home: base, Again: base + "/authorize", Abandon: base + "/abandon",
		Search: so.search, Errors: sdk.FieldErrors(problem),
	}
	var next string
	if view.Ready, view.Others, next, err = candidates(ctx, listing, so.search, so.cursor); err != nil {
		return sdk.View{}, err
	}
	if so.cursor != "" {
		view.First = view.Here + "?" + url.Values{"q": {so.search}}.Encode()
	}
	if next != "" {
		view.Next = view.Here + "?" + url.Values{"q": {so.search}, "cursor": {next}}.Encode()
	}
	if view.Chosen, err = preselect(ctx, installation, so.appid, view.Ready); err != nil {
		return sdk.View{}, err
	}
	for _, setting := range listing.Schema {
		view.Settings = append(view.Settings, settingView{setting, setting.valueFrom(so.config, installation.Config), view.Errors[settingField(setting.Name)]})
	}
	framed := installationFrame(ctx, installation)
	if problem != nil {
		view.Problem, framed.Status = sdk.Message(problem), statusOf(problem)
	}
	return page(framed, "choose", view)
}

// valueFrom is what the field shows: what was just typed, what was stored, the default.
func (s Setting) valueFrom(sources ...map[string]string) string {
	for _, source := range sources {
		if value, said := source[s.Name]; said {
			return value
		}
	}
	return s.Default
}

// preselect is the mini program that is most likely meant: the one just named, stored or authorised, or the only one.
func preselect(ctx context.Context, installation Installation, named string, ready []candidate) (string, error) {
	if named != "" {
		return named, nil
	}
	if installation.AppID != "" {
		return installation.AppID, nil
	}
	ticket, err := ticketOf(ctx, installation)
	if err != nil {
		return "", err
	}
	if ticket.AppID != "" {
		return ticket.AppID, nil
	}
	if len(ready) == 1 && ready[0].Problem == "" {
		return ready[0].AppID, nil
	}
	return "", nil
}

// gone says that the template was taken off the shelf before it was installed.
func (m *market) gone(ctx context.Context, installation Installation) (sdk.View, error) {
	framed := installationFrame(ctx, installation)
	framed.Status = http.StatusConflict
	return page(framed, "gone", map[string]string{"Shelf": sdk.Path(ctx, "/"), "Title": installation.Title})
}

// startPage is 下一步.
func (m *market) startPage(ctx context.Context, r *http.Request) (sdk.View, error) {
	installation, err := m.installationOf(ctx, r, m.mine)
	if err != nil {
		return sdk.View{}, err
	}
	so := chosen{appid: tidy(r.PostForm.Get("appid")), config: map[string]string{}, search: tidy(r.PostForm.Get("q"))}
	for name, values := range r.PostForm {
		if setting, ok := strings.CutPrefix(name, settingField("")); ok && len(values) > 0 {
			so.config[setting] = values[0]
		}
	}
	if _, err = m.start(ctx, installation.ID, so.appid, so.config); err != nil {
		_, still := installation.State.after(actChoose)
		if still && refused(err) {
			return m.choosing(ctx, installation, so, err)
		}
		return sdk.View{}, err
	}
	return sdk.View{Redirect: sdk.Path(ctx, "/installations/"+installation.key())}, nil
}
