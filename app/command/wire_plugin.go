package command

import (
	"context"
	"slices"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/gateway"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
	"minifleet/app/plugin"
	"minifleet/app/wechat"
)

// The types of this file fit the core rooms to what the plugin host asks of them.

type pluginGateway struct{ gateway *gateway.Gateway }

func (g pluginGateway) Do(ctx context.Context, by plugin.Caller, req wechat.Request) (wechat.Response, error) {
	return g.gateway.Do(ctx, gateway.Caller{Actor: by.Actor, Plugin: by.Plugin, System: by.System}, req)
}

func (g pluginGateway) Settle(ctx context.Context, by plugin.Caller, key string, happened bool) error {
	return g.gateway.Settle(ctx, gateway.Caller{Actor: by.Actor, Plugin: by.Plugin, System: by.System}, key, happened)
}

type pluginMiniPrograms struct{ grants *grant.Service }

func (m pluginMiniPrograms) Visible(spaceID int64, scope string) (string, []any) {
	return m.grants.AppIDs(spaceID, scope)
}

func (m pluginMiniPrograms) May(ctx context.Context, spaceID int64, appid, scope string) (bool, error) {
	scopes, err := m.grants.ScopesOf(ctx, spaceID, appid)
	return slices.Contains(scopes, scope), err
}

func (m pluginMiniPrograms) List(ctx context.Context, q plugin.MiniProgramQuery) ([]plugin.MiniProgram, string, error) {
	who := q.Actor
	if q.System {
		who = account.Actor{AccountID: -1, SpaceKind: account.Platform}
	}
	f := miniprogram.Filter{Query: q.Search, Component: q.Component, Limit: min(max(q.Limit, 1), 100), AppIDs: q.AppIDs, Owner: q.Owner}
	if q.Cursor != "" {
		n, err := strconv.ParseInt(q.Cursor, 10, 64)
		if err != nil {
			return nil, "", fault.InvalidInput().On("cursor", "不是上一页给出的位置")
		}
		f.Cursor = n
	}
	page, err := m.grants.MiniPrograms(ctx, who, f)
	if err != nil {
		return nil, "", err
	}
	items := make([]plugin.MiniProgram, 0, len(page.Items))
	for _, a := range page.Items {
		item := plugin.MiniProgram{AppID: a.AppID, NickName: a.NickName, HeadImg: a.HeadImg, Principal: a.Principal, OwnerSpace: a.OwnerSpaceID, State: "unauthorized", SyncedAt: a.SyncedAt}
		for _, x := range a.Authorizations {
			if x.State == miniprogram.Active {
				item.State = "authorized"
			}
			item.Components = append(item.Components, plugin.Binding{Component: x.Component, State: x.State, Sets: x.Sets})
		}
		if !q.System {
			if item.Scopes, err = m.grants.ScopesOf(ctx, who.SpaceID, a.AppID); err != nil {
				return nil, "", err
			}
		}
		items = append(items, item)
	}
	next := ""
	if page.Next > 0 {
		next = strconv.FormatInt(page.Next, 10)
	}
	return items, next, nil
}

type pluginGrants struct {
	grants   *grant.Service
	accounts *account.Service
	apps     *miniprogram.Service
}

func (g pluginGrants) List(ctx context.Context, actor account.Actor, system bool, appid string) ([]plugin.Grant, error) {
	if !system && !actor.Reaches(appid) {
		return nil, miniprogram.ErrNotFound()
	}
	rows, err := g.grants.All(ctx, appid)
	if err != nil {
		return nil, err
	}
	all := system || actor.Operator()
	if !all {
		m, err := g.apps.Find(ctx, appid)
		if err != nil {
			return nil, err
		}
		all = m.OwnerSpaceID == actor.SpaceID && actor.SpaceID != 0
	}
	var ids []int64
	for _, r := range rows {
		ids = append(ids, r.SpaceID)
	}
	names, err := g.accounts.Spaces(ctx, ids...)
	if err != nil {
		return nil, err
	}
	var out []plugin.Grant
	for _, r := range slices.Backward(rows) {
		if all || r.SpaceID == actor.SpaceID {
			out = append(out, plugin.Grant{ID: r.ID, AppID: r.AppID, SpaceID: r.SpaceID, Space: names[r.SpaceID].Name, Scopes: r.Scopes, Until: r.Until, Source: r.Source, State: "active", CreatedAt: r.CreatedAt})
		}
	}
	return out, nil
}

func (g pluginGrants) Create(ctx context.Context, actor account.Actor, r plugin.GrantRequest) (int64, error) {
	made, err := g.grants.Create(ctx, actor, grant.Request{AppID: r.AppID, SpaceID: r.SpaceID, Scopes: r.Scopes, Until: r.Until, Source: r.Source, SourceKey: r.Source})
	return made.ID, err
}

func (g pluginGrants) Revoke(ctx context.Context, actor account.Actor, id int64) error {
	return g.grants.Revoke(ctx, actor, id)
}

type pluginComponents struct{ components *component.Service }

func (c pluginComponents) List(ctx context.Context, actor account.Actor, system bool) ([]plugin.Component, error) {
	if system {
		actor = account.Actor{AccountID: -1, SpaceKind: account.Platform}
	}
	rows, err := c.components.List(ctx, actor)
	out := make([]plugin.Component, 0, len(rows))
	for _, r := range rows {
		out = append(out, plugin.Component{AppID: r.AppID, Name: r.Name, State: r.State, SpaceID: r.SpaceID})
	}
	return out, err
}

type pluginSpaces struct {
	accounts *account.Service
	spaces   *account.Spaces
}

func (s pluginSpaces) Named(ctx context.Context, ids []int64) ([]plugin.Space, error) {
	found, err := s.accounts.Spaces(ctx, ids...)
	if err != nil {
		return nil, err
	}
	approved, err := s.spaces.ApprovedAmong(ctx, ids...)
	out := make([]plugin.Space, 0, len(found))
	for _, f := range found {
		out = append(out, plugin.Space{ID: f.ID, Name: f.Name, Kind: string(f.Kind), Approved: approved[f.ID]})
	}
	return out, err
}

type pluginAuthorizations struct{ apps *miniprogram.Service }

func (a pluginAuthorizations) view(t miniprogram.Ticket) plugin.Ticket {
	return plugin.Ticket{ID: t.ID, URL: a.apps.LandingURL(t.ID), State: t.State, AppID: t.AppID, Failure: t.Failure, ExpiresAt: t.ExpiresAt}
}

func (a pluginAuthorizations) Create(ctx context.Context, actor account.Actor, r plugin.AuthorizeRequest) (plugin.Ticket, error) {
	t, err := a.apps.CreateTicket(ctx, actor, miniprogram.TicketRequest{Component: r.Component, ReturnTo: r.ReturnTo, BizAppID: r.BizAppID})
	return a.view(t), err
}

func (a pluginAuthorizations) State(ctx context.Context, actor account.Actor, system bool, id string) (plugin.Ticket, error) {
	t, err := a.apps.Ticket(ctx, id)
	if err != nil {
		return plugin.Ticket{}, err
	}
	if !system && t.AskerSpaceID != actor.SpaceID {
		return plugin.Ticket{}, fault.New(fault.NotFound, "ticket_not_found", "没有找到这个授权链接")
	}
	return a.view(t), nil
}
