package portal

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// lifeChoice is one life a new token may be given.
type lifeChoice struct {
	Days  int
	Title string
	On    bool
}

// scopeArea is a group of permissions on the form.
type scopeArea struct {
	Title  string
	Scopes []scopeChoice
}

type scopeChoice struct {
	account.Permission
	On bool
}

type tokenLine struct {
	account.Token
	Titles  []string
	Expired bool
}

// tokensView is what the page of API tokens reads. Secret is set on the one answer that shows a new token.
type tokensView struct {
	Space   string
	Items   []tokenLine
	Name    string
	Lives   []lifeChoice
	Areas   []scopeArea
	Secret  string
	Made    account.Token
	Problem *fault.Error
	Error   map[string]string
}

// lifeTitles are the words of the lives; 0 is without end.
func lifeTitle(days int) string {
	if days == 0 {
		return "不过期"
	}
	return strconv.Itoa(days) + " 天"
}

// chosenLife is what a form opens with: long enough to be useful, short enough to be forgotten safely.
const chosenLife = 90

// tokens shows the person's API tokens of the current space and the form for a new one.
func (p *Portal) tokens(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.showTokens(w, r, v, tokensView{}, chosenLife, nil, http.StatusOK)
}

// scopeTitle gives the words for a permission, also for one of an extension that is on.
func scopeTitle(offered []account.Permission, name string) string {
	if i := slices.IndexFunc(offered, func(p account.Permission) bool { return p.Name == name }); i >= 0 {
		return offered[i].Title
	}
	return account.PermissionTitle(name)
}

func (p *Portal) showTokens(w http.ResponseWriter, r *http.Request, v *visit, view tokensView, days int, scopes []string, status int) error {
	offered, err := p.offeredScopes(r.Context(), v.actor)
	if err != nil {
		return err
	}
	list, err := p.o.Tokens.List(r.Context(), v.actor)
	if err != nil {
		return err
	}
	for _, t := range list {
		line := tokenLine{Token: t, Expired: t.Expired(time.Now())}
		for _, name := range t.Scopes {
			line.Titles = append(line.Titles, scopeTitle(offered, name))
		}
		view.Items = append(view.Items, line)
	}
	view.Space = v.actor.Space
	for _, d := range account.TokenDays() {
		view.Lives = append(view.Lives, lifeChoice{d, lifeTitle(d), d == days})
	}
	for _, s := range offered {
		if n := len(view.Areas); n == 0 || view.Areas[n-1].Title != s.Area {
			view.Areas = append(view.Areas, scopeArea{Title: s.Area})
		}
		area := &view.Areas[len(view.Areas)-1]
		area.Scopes = append(area.Scopes, scopeChoice{s, slices.Contains(scopes, s.Name)})
	}
	if view.Secret != "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	return p.show(w, r, v, "tokens", view, page{Title: "API 令牌", Subtitle: "给程序使用的凭证", Status: status, Width: "mid"})
}

// offeredScopes are the scopes of the house and those of the extensions that the person may use.
func (p *Portal) offeredScopes(ctx context.Context, who account.Actor) ([]account.Permission, error) {
	all := who.OfferedScopes()
	if p.o.Extensions == nil {
		return all, nil
	}
	more, err := p.o.Extensions(ctx, who)
	return append(all, slices.DeleteFunc(more, func(x account.Permission) bool { return !who.Can(x.Name) })...), err
}

// createToken makes a token and shows its secret on this answer only.
func (p *Portal) createToken(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	days, err := strconv.Atoi(r.PostForm.Get("days"))
	if err != nil {
		days = -1
	}
	in := account.TokenRequest{Name: r.PostForm.Get("name"), Scopes: r.PostForm["scope"], Days: days}
	made, secret, err := p.o.Tokens.Create(r.Context(), v.actor, in)
	if err == nil {
		return p.showTokens(w, r, v, tokensView{Made: made, Secret: secret}, chosenLife, nil, http.StatusCreated)
	}
	if fault.KindOf(err) == fault.Internal {
		return err
	}
	view := tokensView{Name: in.Name, Problem: fault.From(err), Error: map[string]string{}}
	for _, f := range view.Problem.Fields {
		view.Error[f.Name] = f.Message
	}
	return p.showTokens(w, r, v, view, days, in.Scopes, view.Problem.Kind.Status())
}

// revokeToken ends a token at once.
func (p *Portal) revokeToken(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "token_not_found", "没有找到这个令牌")
	}
	if err := p.o.Tokens.Revoke(r.Context(), v.actor, id); err != nil {
		return err
	}
	p.putFlash(w, "令牌已撤销，立即失效")
	redirect(w, r, "/my/tokens")
	return nil
}
