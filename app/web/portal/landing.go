package portal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/skip2/go-qrcode"

	"minifleet/app/fault"
	"minifleet/app/miniprogram"
)

// landingView is what the landing page and its live part read.
type landingView struct {
	Ticket  miniprogram.Ticket
	URL     string // of this page: what the QR code holds
	Space   string // whose platform asks
	Asker   bool   // the person looking is the one who asked
	InChat  bool   // inside WeChat's own browser
	Phone   bool
	Now     int64 // the platform's clock
	Problem *fault.Error
	Program string // name of the authorised mini program
	Why     string // of a failure
	Next    string // where the asker goes on
}

// Was names what the live part shows, so that an unchanged one is not sent again.
func (l landingView) Was() string {
	if l.Ticket.OpenedAt > 0 {
		return l.Ticket.State + ".opened"
	}
	return l.Ticket.State
}

// landing is our own page in front of WeChat's authorisation page, which refuses whoever does not come from a page of
// this domain. Whoever holds the link may see it: the administrator who scans need not have an account here.
func (p *Portal) landing(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := p.landingView(r, v)
	if err != nil {
		return err
	}
	return p.showLanding(w, r, v, view, http.StatusOK)
}

func (p *Portal) showLanding(w http.ResponseWriter, r *http.Request, v *visit, view landingView, status int) error {
	w.Header().Set("Referrer-Policy", "origin") // WeChat checks that the click came from this domain
	return p.show(w, r, v, "landing", view, page{Title: "授权小程序", Status: status, Width: "mid"})
}

func (p *Portal) landingView(r *http.Request, v *visit) (landingView, error) {
	t, err := p.o.Apps.Ticket(r.Context(), r.PathValue("ticket"))
	if err != nil {
		return landingView{}, err
	}
	agent := r.UserAgent()
	view := landingView{
		Ticket: t, URL: p.o.Apps.LandingURL(t.ID), Asker: t.AccountID == v.actor.AccountID && !v.actor.Nobody(), Now: p.o.Clock.Now().UnixMilli(),
		InChat: strings.Contains(agent, "MicroMessenger"), Phone: strings.Contains(agent, "Mobile"), Next: t.ReturnTo, Why: failure(t),
	}
	if view.Space, err = p.askingSpace(r.Context(), t.Component); err != nil {
		return view, err
	}
	if t.State == miniprogram.Authorized {
		m, err := p.o.Apps.Find(r.Context(), t.AppID)
		if err != nil {
			return view, err
		}
		view.Program = m.Name()
	}
	return view, nil
}

// askingSpace names the merchant whose platform app asks.
func (p *Portal) askingSpace(ctx context.Context, component string) (string, error) {
	id, err := p.o.Components.SpaceOf(ctx, component)
	if err != nil {
		return "", err
	}
	spaces, err := p.o.Accounts.Spaces(ctx, id)
	if err != nil {
		return "", err
	}
	return spaces[id].Name, nil
}

// failure says why a ticket failed and what to do.
func failure(t miniprogram.Ticket) string {
	if t.State != miniprogram.Failed {
		return ""
	}
	switch t.Failure {
	case miniprogram.FailureOwned:
		return "这个小程序已经属于本平台的另一个账号。如果它是你的，请用原来的账号登录，或联系平台管理员处理。"
	case miniprogram.FailureCode:
		return "微信没有接受这次授权码，可能已经用过或超过有效期。请重新发起授权。"
	case "revoked":
		return "管理员在授权之后又取消了授权。如需使用，请重新授权。"
	default:
		return "授权没有完成，请重新发起。"
	}
}

// landingPart serves what the landing page loads.
func (p *Portal) landingPart(w http.ResponseWriter, r *http.Request, v *visit) error {
	switch r.PathValue("part") {
	case "qr.png":
		return p.landingQR(w, r)
	case "state":
		return p.ticketState(w, r, v)
	case "open": // after going back, or reloading the page on the way to WeChat
		redirect(w, r, "/auth/"+r.PathValue("ticket"))
		return nil
	default:
		return p.nothing(w, r, v)
	}
}

// landingQR is the QR code of the landing page.
func (p *Portal) landingQR(w http.ResponseWriter, r *http.Request) error {
	t, err := p.o.Apps.Ticket(r.Context(), r.PathValue("ticket"))
	if err != nil {
		return err
	}
	png, err := qrcode.Encode(p.o.Apps.LandingURL(t.ID), qrcode.Medium, 480)
	if err != nil {
		return fmt.Errorf("portal: QR code: %w", err)
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "private, max-age=1800")
	_, _ = w.Write(png) // the reader may be gone
	return nil
}

// ticketState answers the live part, or 204 while it has not changed.
func (p *Portal) ticketState(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := p.landingView(r, v)
	if err != nil {
		return err
	}
	if r.URL.Query().Get("was") == view.Was() {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	html, err := p.fragment("landing-live", view)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(html)) // the reader may be gone
	return nil
}

// openView is the page on the way to WeChat.
type openView struct{ Landing, WeChat string }

// openWeChat mints a pre-auth code and leads to WeChat by a click from a page: a redirect would not do, since WeChat
// wants the Referer of a page of this domain.
func (p *Portal) openWeChat(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	id := r.PathValue("ticket")
	links, err := p.o.Apps.Links(r.Context(), id)
	if err != nil {
		if kind := fault.KindOf(err); kind == fault.Internal || kind == fault.NotFound {
			return err
		}
		view, viewErr := p.landingView(r, v)
		if viewErr != nil {
			return viewErr
		}
		view.Problem = fault.From(err)
		return p.showLanding(w, r, v, view, view.Problem.Kind.Status())
	}
	view := openView{Landing: "/auth/" + id, WeChat: links.PC}
	if r.PostForm.Get("via") == "h5" {
		view.WeChat = links.H5
	}
	w.Header().Set("Referrer-Policy", "origin")
	w.Header().Set("Cache-Control", "no-store") // the code opens one page once
	return p.show(w, r, v, "open", view, page{Title: "前往微信授权页", Width: "narrow"})
}

// cancelTicket is the asker's own 取消: WeChat tells nobody when a person closes its page.
func (p *Portal) cancelTicket(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, err := p.o.Apps.Cancel(r.Context(), v.actor, r.PathValue("ticket"))
	if err != nil {
		return err
	}
	redirect(w, r, "/auth/"+t.ID)
	return nil
}

// renewTicket starts again after a ticket ended without success. What asked for the ticket keeps its id, so it is the
// asking page that must start again, where there is one.
func (p *Portal) renewTicket(w http.ResponseWriter, r *http.Request, v *visit) error {
	t, err := p.o.Apps.Ticket(r.Context(), r.PathValue("ticket"))
	if err != nil {
		return err
	}
	if t.AccountID != v.actor.AccountID {
		return fault.New(fault.NotFound, "ticket_not_found", "授权链接不存在或已失效，请重新发起授权")
	}
	if t.State == miniprogram.Authorized || !strings.HasPrefix(t.ReturnTo, "/my/") {
		redirect(w, r, t.ReturnTo)
		return nil
	}
	next, err := p.o.Apps.CreateTicket(r.Context(), v.actor, miniprogram.TicketRequest{
		Component: t.Component, BizAppID: t.BizAppID, ReturnTo: t.ReturnTo, Unclaimed: t.OwnerSpaceID == 0,
	})
	if err != nil {
		return err
	}
	redirect(w, r, "/auth/"+next.ID)
	return nil
}

// authReturn is where WeChat sends the browser back to, with the signed ticket in the path and the code in the query.
func (p *Portal) authReturn(w http.ResponseWriter, r *http.Request, v *visit) error {
	w.Header().Set("Referrer-Policy", "no-referrer") // the address holds the code
	w.Header().Set("Cache-Control", "no-store")
	t, err := p.o.Apps.Return(r.Context(), r.PathValue("signed"), r.URL.Query().Get("auth_code"))
	if err != nil && t.ID == "" {
		return err
	}
	if err != nil {
		// A code that WeChat refuses has ended the ticket, which says more than the error; after anything else, such as
		// an unreachable WeChat, the same address can be opened again.
		now, readErr := p.o.Apps.Ticket(r.Context(), t.ID)
		if readErr != nil || now.State != miniprogram.Failed {
			return errors.Join(err, readErr)
		}
	}
	r.SetPathValue("ticket", t.ID)
	view, err := p.landingView(r, v)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if view.Ticket.State == miniprogram.Failed {
		status = http.StatusConflict
	}
	return p.show(w, r, v, "returned", view, page{Title: "授权结果", Status: status, Width: "narrow"})
}
