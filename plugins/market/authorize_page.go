package market

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/skip2/go-qrcode"

	"minifleet/plugins/sdk"
)

// qrSize is the side of a QR image, in pixels.
const qrSize = 480

type authorizeView struct {
	Installation
	Home, Choose, Shelf string
	Fragment            ticketView
	Abandon             string
	Ready               int         // own mini programs that could be chosen right away
	Held                []candidate // own mini programs whose code another platform holds (fact F1)
}

// ticketView is the part that polls.
type ticketView struct {
	Ticket    sdk.Ticket
	Landing   string // our own landing page: WeChat's page must be reached by a click from there (fact F4)
	Image     string
	Poll      string
	Every     string
	Again     string
	Choose    string
	Now       int64
	Reason    string
	NoTicket  bool
	ExpiresAt int64
}

// authorizeStep is the page of an installation that waits for its mini program.
func (m *market) authorizeStep(ctx context.Context, installation Installation) (sdk.View, error) {
	base := sdk.Path(ctx, "/installations/"+installation.key())
	view := authorizeView{Installation: installation, Home: base, Choose: base + "/choose", Abandon: base + "/abandon", Shelf: sdk.Path(ctx, "/"+installation.Slug)}
	fragment, err := m.ticketFragment(ctx, installation)
	if err != nil {
		return sdk.View{}, err
	}
	view.Fragment = fragment
	listing := Listing{Component: installation.Component}
	ready, others, _, err := candidates(ctx, listing, "", "")
	if err != nil {
		return sdk.View{}, err
	}
	for _, app := range append(ready, others...) {
		switch {
		case app.Problem == "":
			view.Ready++
		case otherHolder(app.MiniProgramInfo, installation.Component) != "" && len(view.Held) < 5:
			view.Held = append(view.Held, app)
		}
	}
	return page(installationFrame(ctx, installation), "authorize", view)
}

func (m *market) ticketFragment(ctx context.Context, installation Installation) (ticketView, error) {
	base := sdk.Path(ctx, "/installations/"+installation.key())
	ticket, err := ticketOf(ctx, installation)
	if err != nil {
		return ticketView{}, fmt.Errorf("read ticket of installation %d: %w", installation.ID, err)
	}
	now := sdk.Now(ctx).UnixMilli()
	view := ticketView{
		Ticket: ticket, Landing: localPart(installation.TicketURL), Image: base + "/qrcode?t=" + url.QueryEscape(installation.Ticket),
		Poll: base + "/authorization", Again: base + "/authorize", Choose: base + "/choose", Now: now, ExpiresAt: installation.TicketUntil, Every: "2s",
		NoTicket: ticket.State == "",
	}
	if ticket.State == "authorized" && ticket.AppID != "" {
		view.Choose += "?appid=" + url.QueryEscape(ticket.AppID)
	}
	if now-installation.TicketAt > 60_000 {
		view.Every = "5s"
	}
	if ticket.State == "failed" {
		view.Reason = ticketFailure(ticket.Failure)
	}
	return view, nil
}

// ticketFailure is the sentence for the reasons the core gives.
func ticketFailure(reason string) string {
	switch reason {
	case "owned":
		return "这个小程序已经属于平台上的另一个账号。如果它是你的，请用那个账号登录，或让对方转移给你"
	case "code":
		return "微信没有接受这次授权，可能授权码已经过期，请重新扫码"
	case "revoked":
		return "管理员刚刚解除了授权，请重新扫码授权"
	default:
		return "授权没有成功，请重新扫码"
	}
}

// localPart is the path of one of our own addresses, so that a link keeps to the address the browser is at.
func localPart(address string) string {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Path == "" {
		return ""
	}
	return parsed.RequestURI()
}

// authorizationFragment is what the page polls.
func (m *market) authorizationFragment(ctx context.Context, r *http.Request) (sdk.View, error) {
	installation, err := m.installationOf(ctx, r, m.mine)
	if err != nil {
		return sdk.View{}, err
	}
	fragment, err := m.ticketFragment(ctx, installation)
	if err != nil {
		return sdk.View{}, err
	}
	return page(sdk.View{Bare: true}, "authorization", fragment)
}

// authorizePage makes a new ticket: the first could not be made, or it was cancelled or has expired.
func (m *market) authorizePage(ctx context.Context, r *http.Request) (sdk.View, error) {
	installation, err := m.installationOf(ctx, r, m.mine)
	if err != nil {
		return sdk.View{}, err
	}
	renewed, err := m.askAuthorization(ctx, installation)
	if err != nil {
		return sdk.View{}, err
	}
	if landing := localPart(renewed.TicketURL); landing != "" && renewed.State != Choosing {
		return sdk.View{Redirect: landing}, nil
	}
	return sdk.View{Redirect: sdk.Path(ctx, "/installations/"+renewed.key())}, nil
}

// qrcode is the picture of our landing page's address.
func (m *market) qrcode(ctx context.Context, r *http.Request) (sdk.Content, error) {
	installation, err := m.installationOf(ctx, r, m.mine)
	if err != nil {
		return sdk.Content{}, err
	}
	if installation.TicketURL == "" {
		return sdk.Content{}, sdk.NotFound("market.no_ticket", "还没有授权链接，请点“重新生成”")
	}
	image, err := qrcode.Encode(installation.TicketURL, qrcode.Medium, qrSize)
	if err != nil {
		return sdk.Content{}, fmt.Errorf("draw QR of installation %d: %w", installation.ID, err)
	}
	return sdk.Content{Type: "image/png", Body: image, MaxAge: 1800}, nil
}

// installationOf reads the installation of an address.
func (m *market) installationOf(ctx context.Context, r *http.Request, read func(context.Context, int64) (Installation, error)) (Installation, error) {
	id, err := parseID(r.PathValue("id"))
	if err != nil {
		return Installation{}, err
	}
	return read(ctx, id)
}
