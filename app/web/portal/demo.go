package portal

import (
	"context"
	"encoding/json"
	"net/http"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// Demo is what only a demo has: a tour through the walks, and one click to be somebody else. Without it neither address
// exists.
type Demo interface {
	// Tour gives the steps of whoever asks, each ticked by real state; a visitor gets the user's.
	Tour(ctx context.Context, who account.Actor) (Tour, error)
	// Enter is the demo's person of a role: user, merchant or operator.
	Enter(ctx context.Context, role string) (account.Actor, error)
}

// Tour is the way through the demo for one role.
type Tour struct {
	Role   string     `json:"role"`
	Title  string     `json:"title"`
	Member bool       `json:"member"` // whether somebody is logged in
	Steps  []TourStep `json:"steps"`
	Roles  []TourRole `json:"roles"`
}

// TourStep is one step. Target is a CSS selector of what to press, on whatever page it stands; a step to Look at is done
// once its page, Visit or below, was seen.
type TourStep struct {
	Key    string `json:"key"`
	Title  string `json:"title"`
	Text   string `json:"text"`
	Href   string `json:"href"`
	Target string `json:"target,omitempty"`
	Visit  string `json:"visit,omitempty"`
	Look   bool   `json:"look,omitempty"`
	Done   bool   `json:"done"`
}

// TourRole is one of the demo's people.
type TourRole struct {
	Role  string `json:"role"`
	Title string `json:"title"`
}

func (p *Portal) demoRoutes(anyone func(pattern string, handle handler)) {
	if p.o.Demo == nil {
		return
	}
	anyone("GET /demo/tour", p.tour)
	anyone("POST /demo/login", p.enterDemo)
}

func (p *Portal) tour(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, err := p.o.Demo.Tour(r.Context(), v.actor)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Language", "zh-CN") // prose for the page, so it is translated like the page
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(t)
}

// enterDemo logs the browser in as one of the demo's people. The server's guard lets only pages of this site post it.
func (p *Portal) enterDemo(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	actor, err := p.o.Demo.Enter(r.Context(), r.PostForm.Get("role"))
	if err != nil {
		return err
	}
	if actor.Nobody() {
		return fault.New(fault.Unavailable, "demo_not_ready", "演示数据还在准备，请稍后再试")
	}
	if err := p.replace(r, v); err != nil {
		return err
	}
	session, err := p.o.Accounts.SessionFor(r.Context(), actor, remoteIP(r), r.UserAgent())
	if err != nil {
		return err
	}
	p.keep(w, session)
	redirect(w, r, p.after(session.Actor, ""))
	return nil
}
