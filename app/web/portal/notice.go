package portal

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"minifleet/app/fault"
	"minifleet/app/notice"
)

// Bell is what stands in the top bar of both frames: the way to the notices and how many are unread. It asks for itself
// anew every half minute.
func Bell(unread int64) template.HTML {
	label, badge := "消息", ""
	if unread > 0 {
		n := strconv.FormatInt(unread, 10)
		if unread > 99 {
			n = "99+"
		}
		label, badge = "消息，"+n+" 条未读", `<span class="mf-badge" translate="no" data-test="unread">`+n+`</span>`
	}
	return template.HTML(`<a class="mf-bar-btn mf-bell" href="/my/notices" aria-label="` + label + `" title="消息" data-test="bell" hx-get="/my/notices/bell" hx-trigger="every 30s" hx-swap="outerHTML">` +
		`<svg class="mf-ico" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" d="M6 16V11a6 6 0 1 1 12 0v5l2 2H4zM10 21h4"/></svg>` + badge + `</a>`)
}

// bell answers the poll of the top bar.
func (p *Portal) bell(w http.ResponseWriter, r *http.Request, v *visit) error {
	n, err := p.o.Notices.Unread(r.Context(), v.actor.AccountID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write([]byte(Bell(n))) // the reader may be gone
	return nil
}

type noticesView struct {
	Items  []notice.Item
	Tabs   []link
	Unread int64
	Total  string
	Next   string
	First  string
	Only   bool // unread ones
}

// noticeWord is the kind of news with a colour: bad news is red, what waits is orange, good news green.
func noticeWord(i notice.Item) label {
	l := label{Text: i.EventTitle(), Color: "grey"}
	switch i.Event {
	case notice.TokenFailing, notice.AuditRejected, notice.InstallFailed, notice.ApplicationDenied, notice.Unauthorized, notice.WebhookDisabled, notice.Violation, notice.ReviewRejected, notice.RegisterFailed, notice.AccountStatus:
		l.Color = "red"
	case notice.TicketLate, notice.AuditDelayed, notice.QuotaLow, notice.CallsPaused, notice.CertificationDue, notice.TradeReminder, notice.ForwardPaused, notice.NewDevice, notice.SecurityChanged, notice.ApplicationSent:
		l.Color = "orange"
	case notice.AuditPassed, notice.InstallFinished, notice.ApplicationPassed, notice.Authorized, notice.ComponentOK, notice.ReviewPassed, notice.Registered:
		l.Color = "green"
	case notice.BatchFinished, notice.TransferReady, notice.Invitation:
		l.Color = "blue"
	}
	return l
}

// notices lists what the person was told.
func (p *Portal) notices(w http.ResponseWriter, r *http.Request, v *visit) error {
	cursor, err := cursorOf(r)
	if err != nil {
		return err
	}
	view := noticesView{Only: r.URL.Query().Get("unread") == "1"}
	q := notice.Query{Unread: view.Only, Cursor: cursor, Limit: pageSize}
	if view.Unread, err = p.o.Notices.Unread(r.Context(), v.actor.AccountID); err != nil {
		return err
	}
	total, err := p.o.Notices.Count(r.Context(), v.actor.AccountID, q)
	if err != nil {
		return err
	}
	var next int64
	if view.Items, next, err = p.o.Notices.List(r.Context(), v.actor.AccountID, q); err != nil {
		return err
	}
	view.Total = count(total)
	view.Tabs = []link{{Title: "全部", Href: "/my/notices", On: !view.Only}, {Title: "未读", Href: "/my/notices?unread=1", On: view.Only}}
	same := url.Values{}
	if view.Only {
		same.Set("unread", "1")
	}
	if cursor > 0 {
		view.First = strings.TrimSuffix("/my/notices?"+same.Encode(), "?")
	}
	if next > 0 {
		same.Set("cursor", strconv.FormatInt(next, 10))
		view.Next = "/my/notices?" + same.Encode()
	}
	return p.show(w, r, v, "notices", view, page{Title: "消息", Width: "mid"})
}

// openNotice marks a notice read and leads to what it is about.
func (p *Portal) openNotice(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "notice_not_found", "没有找到这条消息")
	}
	item, err := p.o.Notices.Open(r.Context(), v.actor.AccountID, id)
	if err != nil {
		return err
	}
	to := localPath(item.Link)
	if to == "" {
		to = "/my/notices"
	}
	redirect(w, r, to)
	return nil
}

// readNotices marks one notice read, or all.
func (p *Portal) readNotices(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	if text := r.PostForm.Get("id"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fault.New(fault.NotFound, "notice_not_found", "没有找到这条消息")
		}
		if err := p.o.Notices.MarkRead(r.Context(), v.actor.AccountID, id); err != nil {
			return err
		}
	} else {
		n, err := p.o.Notices.MarkAllRead(r.Context(), v.actor.AccountID)
		if err != nil {
			return err
		}
		p.putFlash(w, fmt.Sprintf("已把 %d 条消息标为已读", n))
	}
	back := "/my/notices"
	if r.PostForm.Get("unread") == "1" {
		back += "?unread=1"
	}
	redirect(w, r, back)
	return nil
}

type choiceGroup struct {
	Title string
	Rows  []notice.Choice
}

type noticeSettingsView struct {
	Groups   []choiceGroup
	Space    string
	Login    string
	Mail     bool // mail goes out at all
	Reached  bool // the login is an address
	Webhooks bool // may manage webhooks
}

// noticeSettings shows the matrix of events and ways.
func (p *Portal) noticeSettings(w http.ResponseWriter, r *http.Request, v *visit) error {
	choices, err := p.o.Notices.Preferences(r.Context(), v.actor)
	if err != nil {
		return err
	}
	view := noticeSettingsView{
		Space: v.actor.Space, Login: v.actor.Login, Mail: p.o.Notices.Mails(), Reached: strings.Contains(v.actor.Login, "@"),
		Webhooks: v.actor.Can(notice.PermissionWebhook) && v.actor.SpaceKind != "personal",
	}
	for _, c := range choices {
		if n := len(view.Groups); n == 0 || view.Groups[n-1].Title != c.Group {
			view.Groups = append(view.Groups, choiceGroup{Title: c.Group})
		}
		last := &view.Groups[len(view.Groups)-1]
		last.Rows = append(last.Rows, c)
	}
	return p.show(w, r, v, "notice-settings", view, page{Title: "消息设置", Subtitle: "每种消息用哪种方式告诉我", Crumbs: []link{{Title: "消息", Href: "/my/notices"}}, Width: "mid"})
}

// saveNoticeSettings keeps the matrix: a box that did not come along was not ticked.
func (p *Portal) saveNoticeSettings(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	have, err := p.o.Notices.Preferences(r.Context(), v.actor)
	if err != nil {
		return err
	}
	ticked := map[string]bool{}
	for _, box := range r.PostForm["on"] {
		ticked[box] = true
	}
	var chosen []notice.Preference
	for _, c := range have {
		if c.Forced {
			continue
		}
		for channel, was := range map[string]bool{notice.ChannelSite: c.Site, notice.ChannelMail: c.Mail} {
			if on := ticked[c.Event+" "+channel]; on != was {
				chosen = append(chosen, notice.Preference{Event: c.Event, Channel: channel, On: on})
			}
		}
	}
	if err := p.o.Notices.SetPreferences(r.Context(), v.actor, chosen); err != nil {
		return err
	}
	p.putFlash(w, "消息设置已保存")
	redirect(w, r, "/my/notices/settings")
	return nil
}

// outbox shows the mails of a demo, which went nowhere.
func (p *Portal) outbox(w http.ResponseWriter, r *http.Request, v *visit) error {
	mails, err := p.o.Outbox.Mails(r.Context(), 50)
	if err != nil {
		return err
	}
	return p.show(w, r, v, "outbox", mails, page{Title: "演示发件箱", Subtitle: "演示环境不会真的发出邮件，本应发出的都在这里", Width: "mid"})
}
