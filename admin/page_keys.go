package admin

import (
	"context"
	"net/http"
	"time"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/fault"
)

// KeyTurner is a Components whose message keys can be rotated and that knows the checks of a full-network release.
type KeyTurner interface {
	Rotate(ctx context.Context, who account.Actor, appid string, next component.NewKeys) (component.Component, error)
	EndRotation(ctx context.Context, who account.Actor, appid string) (component.Component, error)
	ReleaseChecks(ctx context.Context, who account.Actor, appid string) ([]component.ReleaseCheck, error)
}

func (a *Admin) keyPages(k KeyTurner) []Page {
	return []Page{
		{Pattern: "GET /components/{appid}/keys", Title: "消息密钥", Kinds: merchants, Handle: a.keysPage},
		{Pattern: "POST /components/{appid}/keys", Title: "消息密钥", Kinds: merchants, Handle: func(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
			return a.turnKeys(ctx, actor, r, k)
		}},
	}
}

// keysView is the page of a platform app's message keys; what was typed stays through every answer.
type keysView struct {
	Row     component.Component
	New     component.NewKeys
	Problem *fault.Error
	Quiet   string // how long no push has come under the previous keys
	Safe    bool   // long enough that WeChat has certainly changed over
}

// Error is the reason why a field was refused, or nothing.
func (v keysView) Error(name string) string {
	if v.Problem == nil {
		return ""
	}
	return fieldMessage(v.Problem, name)
}

// General reports whether the problem belongs to no field of the form.
func (v keysView) General() bool { return v.Problem != nil && len(v.Problem.Fields) == 0 }

// quietEnough is when a rotation can be ended without loss: the ticket comes every ten minutes, so two of them have come
// under the new keys.
const quietEnough = 25 * time.Minute

func (a *Admin) keysForm(c component.Component, next component.NewKeys, problem *fault.Error) View {
	v := keysView{Row: c, New: next, Problem: problem}
	if c.RotatedAt > 0 {
		quiet := c.QuietFor(a.clock.Now())
		v.Quiet, v.Safe = ago(a.clock.Now(), max(c.RotatedAt, c.PreviousUsedAt)), quiet >= quietEnough && c.TicketAt > c.RotatedAt
	}
	out := View{Title: "消息密钥", Subtitle: c.AppID, Trail: []Link{{"第三方平台", Prefix + "/components"}, {c.Name, Prefix + "/components/" + c.AppID}}, Body: a.render("keys", v)}
	if problem != nil {
		out.Status = problem.Kind.Status()
	}
	return out
}

func (a *Admin) keysOf(ctx context.Context, actor account.Actor, r *http.Request) (component.Component, error) {
	c, err := a.o.Services.Components.Get(ctx, actor, r.PathValue("appid"))
	if err != nil {
		return c, err
	}
	return c, account.Require(actor, "component.bind")
}

func (a *Admin) keysPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	c, err := a.keysOf(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	return a.keysForm(c, component.NewKeys{}, nil), nil
}

// turnKeys makes new keys, puts them in front, or drops the previous ones.
func (a *Admin) turnKeys(ctx context.Context, actor account.Actor, r *http.Request, k KeyTurner) (View, error) {
	c, err := a.keysOf(ctx, actor, r)
	if err != nil {
		return View{}, err
	}
	next := component.NewKeys{Token: r.PostForm.Get("token"), AESKey: r.PostForm.Get("aes_key")}
	words := ""
	switch r.PostForm.Get("do") {
	case "generate":
		return a.keysForm(c, component.NewKeys{Token: letters(32), AESKey: letters(43)}, nil), nil
	case "end":
		_, err = k.EndRotation(ctx, actor, c.AppID)
		words = "轮换已结束，只接受新密钥的推送"
	default:
		_, err = k.Rotate(ctx, actor, c.AppID, next)
		words = "已开始轮换：新旧密钥都有效。请到微信开放平台改成新的"
	}
	if problem := fault.From(err); err != nil {
		if problem.Kind == fault.Internal || problem.Kind == fault.Forbidden {
			return View{}, err
		}
		return a.keysForm(c, next, problem), nil
	}
	a.flash.put(actor, words)
	return View{Redirect: Prefix + "/components/" + c.AppID + "/keys"}, nil
}

// releaseChecks is the checklist of a full-network release, nil where nobody keeps one.
func (a *Admin) releaseChecks(ctx context.Context, actor account.Actor, appid string) ([]component.ReleaseCheck, error) {
	k, ok := a.o.Services.Components.(KeyTurner)
	if !ok {
		return nil, nil
	}
	return k.ReleaseChecks(ctx, actor, appid)
}
