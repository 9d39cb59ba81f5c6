package command

import (
	"context"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"minifleet/admin"
	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/notice"
	"minifleet/app/plugin"
	"minifleet/app/trail"
	"minifleet/app/transfer"
)

// The sources and targets of this file fit the rooms' lists to what carries them out as files and in from files. Each
// asks its room as the person, so that a file never holds a row that the list would not show.

// Names of the core's lists in requests for a file. A plugin's table is PLUGIN_TABLE, as in its address.
const (
	listMiniPrograms = "miniprograms"
	listEvents       = "events"
	listTrail        = "trail"
	listMembers      = "members"
)

// carriers makes the room that carries lists out and in.
func (p *platform) carriers() (*transfer.Service, error) {
	sources := admin.Sources(admin.Services{Components: p.components, MiniPrograms: adminMiniPrograms{p.grants, p.apps}, Jobs: adminJobs{p.jobs}, Processes: adminProcesses{p.plugins}, Spaces: p.spaces, Notices: p.notices})
	maps.Copy(sources, map[string]transfer.Source{
		listMiniPrograms: transfer.SourceFunc(p.miniProgramSheet), listEvents: transfer.SourceFunc(p.eventSheet),
		listTrail: transfer.SourceFunc(p.trailSheet), listMembers: memberSheets{p.spaces},
	})
	return transfer.New(transfer.Options{
		DB: p.db, Clock: p.clk, Trail: p.trail, Actors: p.accounts, Log: p.log, Ended: p.carried, TempDir: filepath.Join(p.cfg.Data.Dir, "tmp", "transfer"),
		Sources: sources,
		Targets: map[string]transfer.Target{listInvitations: invitationTarget{p.spaces, p.log}},
		Tables:  tableSheets{p.plugins}, Into: tableTarget{p}, Importable: p.importable,
	})
}

// carried tells the person that asked.
func (p *platform) carried(ctx context.Context, e transfer.Ended) error {
	outcome := notice.OK
	if e.Failed {
		outcome = notice.Failed
	}
	spaces, err := p.accounts.Spaces(ctx, e.SpaceID)
	if err != nil {
		return err
	}
	if spaces[e.SpaceID].Kind == account.Personal && e.Link == "/admin/exports" {
		e.Link = "/my/exports" // the back office is not open to them
	}
	return p.notices.Send(ctx, notice.Message{Event: notice.TransferReady, SpaceID: e.SpaceID, AccountIDs: []int64{e.AccountID}, Title: e.Title, Text: e.Text, Link: e.Link, Outcome: outcome})
}

// pruned fits Prune to what the pruning job adds up.
func pruned(n int, err error) (int64, error) { return int64(n), err }

func refusedList() error {
	return fault.New(fault.Forbidden, "forbidden", "你没有查看这个列表的权限")
}

// words joins what narrows a list, for a file's name.
func words(values url.Values, names ...string) string {
	var out []string
	for _, name := range names {
		if s := strings.TrimSpace(values.Get(name)); s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// number reads a cursor of ids; sources made it themselves, so anything else begins at the start.
func number(cursor string) int64 {
	n, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func cursorOf(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func (p *platform) miniProgramSheet(_ context.Context, who account.Actor, _ string, q transfer.Query) (transfer.Sheet, error) {
	if !who.Can("miniprogram.read") {
		return transfer.Sheet{}, refusedList()
	}
	f := miniprogram.Filter{Query: q.Values.Get("q"), Component: q.Values.Get("component"), State: q.Values.Get("state"), AppIDs: who.MiniPrograms, Limit: 100, Uncounted: true}
	if q.Picked() {
		f = miniprogram.Filter{AppIDs: slices.DeleteFunc(slices.Clone(q.IDs), func(appid string) bool { return !who.Reaches(appid) }), Limit: 100, Uncounted: true}
	}
	state := map[string]string{miniprogram.Active: "已授权", miniprogram.Revoked: "已取消授权", miniprogram.NeedsReauth: "授权失效"}
	return transfer.Sheet{
		Title: "小程序", Filter: words(q.Values, "q", "component"),
		Columns: []transfer.Column{
			{Name: "nick_name", Title: "名称"}, {Name: "appid", Title: "AppID"}, {Name: "user_name", Title: "原始ID"}, {Name: "principal", Title: "主体"},
			{Name: "categories", Title: "类目"}, {Name: "authorizations", Title: "第三方平台授权"}, {Name: "synced_at", Title: "最近同步时间", Kind: transfer.Time},
			{Name: "created_at", Title: "接入时间", Kind: transfer.Time},
		},
		Page: func(ctx context.Context, cursor string) ([][]string, string, error) {
			f.Cursor = number(cursor)
			page, err := p.grants.MiniPrograms(ctx, who, f)
			if err != nil {
				return nil, "", err
			}
			rows := make([][]string, 0, len(page.Items))
			for _, m := range page.Items {
				var auths, categories []string
				for _, a := range m.Authorizations {
					auths = append(auths, a.Component+" "+state[a.State])
				}
				for _, c := range m.Categories {
					categories = append(categories, c.First+" > "+c.Second)
				}
				rows = append(rows, []string{m.NickName, m.AppID, m.UserName, m.Principal, strings.Join(categories, "；"), strings.Join(auths, "；"),
					strconv.FormatInt(m.SyncedAt, 10), strconv.FormatInt(m.CreatedAt, 10)})
			}
			return rows, cursorOf(page.Next), nil
		},
	}, nil
}

// moment reads a time of a list's filter: 2006-01-02 15:04:05, 2006-01-02T15:04 or 2006-01-02, in Asia/Shanghai.
func moment(text string) int64 {
	for _, layout := range []string{time.DateTime, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, strings.TrimSpace(text), time.FixedZone("Asia/Shanghai", 8*3600)); err == nil {
			return at.UnixMilli()
		}
	}
	return 0
}

// eventSheet is the event log without payloads, for operators.
func (p *platform) eventSheet(_ context.Context, who account.Actor, _ string, q transfer.Query) (transfer.Sheet, error) {
	if !who.Operator() || !who.Can("event.read") {
		return transfer.Sheet{}, refusedList()
	}
	v := q.Values
	f := event.Filter{Component: v.Get("component"), AppID: v.Get("appid"), Type: v.Get("type"), State: v.Get("state"), From: moment(v.Get("from")), To: moment(v.Get("to")), Limit: 200}
	sheet := transfer.Sheet{
		Title: "事件日志", Filter: words(v, "type", "appid", "component"),
		Columns: []transfer.Column{
			{Name: "id", Title: "编号"}, {Name: "received_at", Title: "收到时间", Kind: transfer.Time}, {Name: "type", Title: "类型"}, {Name: "component", Title: "第三方平台"},
			{Name: "appid", Title: "AppID"}, {Name: "state", Title: "状态", Labels: map[string]string{event.StateWaiting: "投递中", event.StateDone: "已投递", event.StateDead: "投递失败", event.StateInert: "不投递"}},
			{Name: "done", Title: "已投递", Kind: transfer.Int}, {Name: "waiting", Title: "待投递", Kind: transfer.Int}, {Name: "dead", Title: "投递失败", Kind: transfer.Int},
		},
	}
	row := func(r event.Row) []string {
		return []string{strconv.FormatInt(r.ID, 10), strconv.FormatInt(r.ReceivedAt, 10), r.Type, r.Component, r.AppID, r.State, strconv.Itoa(r.Done), strconv.Itoa(r.Waiting), strconv.Itoa(r.Dead)}
	}
	sheet.Page = func(ctx context.Context, cursor string) (rows [][]string, next string, err error) {
		if q.Picked() {
			for _, id := range q.IDs {
				d, err := p.events.Get(ctx, number(id))
				if fault.KindOf(err) == fault.NotFound {
					continue
				}
				if err != nil {
					return nil, "", err
				}
				rows = append(rows, row(d.Row))
			}
			return rows, "", nil
		}
		f.Cursor = cursor
		list, next, err := p.events.List(ctx, f)
		for _, r := range list {
			rows = append(rows, row(r))
		}
		return rows, next, err
	}
	return sheet, nil
}

// trailSheet is the operation log: everything to an operator, otherwise what the space's members did.
func (p *platform) trailSheet(ctx context.Context, who account.Actor, _ string, q transfer.Query) (transfer.Sheet, error) {
	if !who.Can("trail.read") {
		return transfer.Sheet{}, refusedList()
	}
	v := q.Values
	f := who.Trail()
	f.AppID, f.Act, f.Actor, f.Object = v.Get("appid"), v.Get("act"), strings.TrimSpace(v.Get("actor")), strings.TrimSpace(v.Get("object"))
	f.Outcome, f.RID, f.From, f.To, f.Limit = v.Get("outcome"), strings.TrimSpace(v.Get("rid")), moment(v.Get("from")), moment(v.Get("to")), 100
	if f.AppID != "" && !who.Reaches(f.AppID) {
		return transfer.Sheet{}, refusedList()
	}
	return transfer.Sheet{
		Title: "操作日志", Filter: words(v, "act", "appid"),
		Columns: []transfer.Column{
			{Name: "id", Title: "编号"}, {Name: "at", Title: "时间", Kind: transfer.Time}, {Name: "actor", Title: "操作人"}, {Name: "act", Title: "操作"}, {Name: "object", Title: "对象"},
			{Name: "appid", Title: "AppID"}, {Name: "component", Title: "第三方平台"}, {Name: "plugin", Title: "插件"},
			{Name: "outcome", Title: "结果", Labels: map[string]string{trail.OK: "成功", trail.Failed: "失败"}}, {Name: "errcode", Title: "错误码", Kind: transfer.Int},
			{Name: "rid", Title: "rid"}, {Name: "request_id", Title: "请求编号"}, {Name: "detail", Title: "说明"},
		},
		Page: func(ctx context.Context, cursor string) ([][]string, string, error) {
			f.Cursor = number(cursor)
			list, next, err := p.trail.List(ctx, f)
			rows := make([][]string, 0, len(list))
			for _, e := range list {
				if e.AppID != "" && !who.Reaches(e.AppID) {
					continue
				}
				id := strconv.FormatInt(e.ID, 10)
				if q.Picked() && !slices.Contains(q.IDs, id) {
					continue
				}
				rows = append(rows, []string{id, strconv.FormatInt(e.At, 10), e.Actor, e.Title(), e.Object, e.AppID, e.Component, e.Plugin, e.Outcome, strconv.Itoa(e.ErrCode), e.RID, e.RequestID, e.Detail})
			}
			return rows, cursorOf(next), err
		},
	}, nil
}

// memberSheets is the list of a space's members.
type memberSheets struct{ spaces *account.Spaces }

func (m memberSheets) Sheet(_ context.Context, who account.Actor, _ string, q transfer.Query) (transfer.Sheet, error) {
	if !who.Can("space.member.read") {
		return transfer.Sheet{}, refusedList()
	}
	f := account.MemberFilter{Query: q.Values.Get("q"), Role: q.Values.Get("role"), Limit: 100}
	return transfer.Sheet{
		Title: "成员", Filter: words(q.Values, "q"),
		Columns: []transfer.Column{{Name: "name", Title: "姓名"}, {Name: "login", Title: "账号"}, {Name: "role", Title: "角色"}, {Name: "miniprograms", Title: "可操作的小程序"}, {Name: "created_at", Title: "加入时间", Kind: transfer.Time}},
		Page: func(ctx context.Context, cursor string) ([][]string, string, error) {
			f.Cursor = number(cursor)
			page, err := m.spaces.Members(ctx, who, f)
			rows := make([][]string, 0, len(page.Items))
			for _, one := range page.Items {
				if q.Picked() && !slices.Contains(q.IDs, strconv.FormatInt(one.ID, 10)) {
					continue
				}
				apps := "全部"
				if one.MiniPrograms != nil {
					apps = strings.Join(one.MiniPrograms, " ")
				}
				rows = append(rows, []string{one.Name, one.Login, one.RoleTitle, apps, strconv.FormatInt(one.CreatedAt, 10)})
			}
			return rows, cursorOf(page.Next), err
		},
	}, nil
}

// tableSheets are the plugins' tables.
type tableSheets struct{ host *plugin.Host }

// tableOf splits PLUGIN_TABLE; a plugin's id has no underscore.
func tableOf(list string) (id, name string) {
	id, name, _ = strings.Cut(list, "_")
	return id, name
}

func (t tableSheets) Sheet(ctx context.Context, who account.Actor, list string, q transfer.Query) (transfer.Sheet, error) {
	id, name := tableOf(list)
	table, err := t.host.Table(ctx, who, id, name)
	if err != nil {
		return transfer.Sheet{}, err
	}
	ask, filter := tableAsk(table, q.Values)
	var ids []int64
	if q.Picked() {
		if ids, err = rowIDs(q.IDs); err != nil {
			return transfer.Sheet{}, err
		}
	}
	sheet := transfer.Sheet{Title: table.GetTitle(), Filter: filter}
	if table.GetCanEdit() { // by which the same file changes the rows when it comes back
		sheet.Columns = append(sheet.Columns, transfer.Column{Name: "id", Title: "编号"})
	}
	for _, c := range table.GetColumns() {
		if !c.GetList() {
			continue
		}
		one := transfer.Column{Name: c.GetName(), Title: c.GetTitle(), Kind: map[string]transfer.Kind{"int": transfer.Int, "time": transfer.Time, "bool": transfer.Bool}[c.GetType()]}
		for _, o := range c.GetOptions() {
			if one.Labels == nil {
				one.Labels = map[string]string{}
			}
			one.Labels[o.GetValue()] = o.GetLabel()
		}
		sheet.Columns = append(sheet.Columns, one)
	}
	sheet.Page = func(ctx context.Context, cursor string) ([][]string, string, error) {
		ask := ask
		ask.Cursor = cursor
		page, err := t.host.Scan(ctx, who, id, name, ask, ids)
		rows := make([][]string, len(page.Rows))
		for i, row := range page.Rows {
			rows[i] = make([]string, len(sheet.Columns))
			for j, c := range sheet.Columns {
				rows[i][j] = row.Text(c.Name)
			}
		}
		return rows, page.Next, err
	}
	if ids == nil {
		sheet.Count = func(ctx context.Context) (int64, error) { return t.host.CountRows(ctx, who, id, name, ask) }
	}
	return sheet, nil
}

// tableAsk reads a table's query as its list page does.
func tableAsk(table *plugin.Table, v url.Values) (plugin.TableQuery, string) {
	ask, filter := plugin.TableQuery{Filters: map[string]string{}, Search: v.Get("q")}, []string{}
	if s := v.Get("__sort"); s != "" && slices.ContainsFunc(table.GetColumns(), func(c *plugin.Column) bool { return c.GetName() == s && c.GetSort() }) {
		if ask.Sort = s; v.Get("__sort_type") != "asc" {
			ask.Sort = "-" + s
		}
	}
	if ask.Search != "" {
		filter = append(filter, ask.Search)
	}
	for _, c := range table.GetColumns() {
		text := strings.TrimSpace(v.Get(c.GetName()))
		if c.GetFilter() == "" || text == "" {
			continue
		}
		ask.Filters[c.GetName()] = text
		for _, o := range c.GetOptions() {
			if o.GetValue() == text {
				text = o.GetLabel()
			}
		}
		filter = append(filter, text)
	}
	return ask, strings.Join(filter, " ")
}
