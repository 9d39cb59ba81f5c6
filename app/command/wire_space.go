package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"minifleet/admin"
	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/dashboard"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/web"
)

// The types of this file fit the other rooms to what the spaces ask of them.

// settle makes the room of members, roles and applications.
func (p *platform) settle() error {
	mailer, err := p.mailer()
	if err != nil {
		return err
	}
	p.spaces = account.NewSpaces(account.SpacesOptions{
		DB: p.db, Clock: p.clk, Trail: p.trail, Vault: p.vault, Accounts: p.accounts, PublicURL: p.cfg.Server.PublicURL,
		Messenger: messenger{p.notices, mailer}, Belongings: belongings{p.apps, p.components}, Erase: p.erase, Parted: p.parted,
	})
	return nil
}

// erase takes a person whose account is closed out of every room that knows them.
func (p *platform) erase(ctx context.Context, who account.Leaver) ([]int64, error) {
	steps := []func() error{
		func() error { return p.notices.Erase(ctx, who) },
		func() error { return p.forwards.Erase(ctx, who) },
		func() error { return p.apps.Erase(ctx, who.AccountID) },
		func() error { return p.grants.Erase(ctx, who.AccountID, who.Ended) },
		func() error { return p.plugins.Erase(ctx, who.AccountID) },
		func() error { return web.EraseAnswers(ctx, p.db, who) },
	}
	if slices.ContainsFunc(who.Memberships, func(m account.Membership) bool { return m.Kind == account.Platform }) {
		steps = append(steps, func() error { return p.jobs.Erase(ctx, who) })
	}
	if box := p.outbox(); box != nil {
		steps = append(steps, func() error { return box.Erase(ctx, who) })
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p.transfers.Erase(ctx, who)
}

// parted takes away what other rooms keep for a membership.
func (p *platform) parted(ctx context.Context, memberID int64) error {
	if err := dashboard.Parted(ctx, p.db, memberID); err != nil {
		return err
	}
	return admin.Parted(ctx, p.db, memberID)
}

type messenger struct {
	notices *notice.Service
	mailer  notice.Mailer
}

func (m messenger) Tell(ctx context.Context, msg account.Message) error {
	return m.notices.Send(ctx, notice.Message{Event: msg.Event, SpaceID: msg.SpaceID, AccountIDs: msg.AccountIDs, Title: msg.Title, Text: msg.Text, Link: msg.Link})
}

// Invite writes to an e-mail address; a phone number is told the link by whoever invites.
func (m messenger) Invite(ctx context.Context, login, space, inviter, link string) (bool, error) {
	if m.mailer == nil || !strings.Contains(login, "@") {
		return false, nil
	}
	err := m.mailer.SendMail(ctx, notice.Mail{
		To: login, Subject: notice.InvitationSubject(inviter, space),
		Text: fmt.Sprintf("%s 邀请你加入 MiniFleet 空间“%s”。\n\n请在 7 天内打开下面的链接，用这个邮箱登录或注册后接受：\n%s\n\n如果你不认识邀请人，请忽略这封邮件。\n", inviter, space, link),
	})
	return err == nil, err
}

type belongings struct {
	apps       *miniprogram.Service
	components *component.Service
}

// each walks the mini programs that the space owns.
func (b belongings) each(ctx context.Context, spaceID int64, visit func(miniprogram.MiniProgram)) error {
	f := miniprogram.Filter{Visible: "1=1", Owner: spaceID, Limit: 100}
	for {
		page, err := b.apps.List(ctx, f)
		if err != nil {
			return err
		}
		for _, m := range page.Items {
			visit(m)
		}
		if f.Cursor = page.Next; f.Cursor == 0 {
			return nil
		}
	}
}

func (b belongings) Holds(ctx context.Context, spaceID int64) (authorized, components int64, err error) {
	err = b.each(ctx, spaceID, func(m miniprogram.MiniProgram) {
		for _, a := range m.Authorizations {
			if a.State == miniprogram.Active {
				authorized++
				return
			}
		}
	})
	if err != nil {
		return 0, 0, err
	}
	list, err := b.components.List(ctx, account.Actor{AccountID: -1, SpaceID: spaceID, SpaceKind: account.Merchant})
	return authorized, int64(len(list)), err
}

func (b belongings) Export(ctx context.Context, spaceID int64) (any, error) {
	out := struct {
		MiniPrograms []miniprogram.MiniProgram `json:"miniprograms"`
		Components   []component.Component     `json:"components"`
	}{MiniPrograms: []miniprogram.MiniProgram{}}
	if err := b.each(ctx, spaceID, func(m miniprogram.MiniProgram) { out.MiniPrograms = append(out.MiniPrograms, m) }); err != nil {
		return nil, err
	}
	var err error
	out.Components, err = b.components.List(ctx, account.Actor{AccountID: -1, SpaceID: spaceID, SpaceKind: account.Merchant})
	return out, err
}
