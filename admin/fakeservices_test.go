package admin

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/trail"
)

// start is when the tests' clock stands.
var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

type fakeComponents struct {
	mu     sync.Mutex
	list   []component.Component
	bound  []component.Binding
	pushed []string
	refuse error
}

func (f *fakeComponents) Bind(_ context.Context, who account.Actor, b component.Binding) (component.Component, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := b.Check(); err != nil {
		return component.Component{}, err
	}
	if slices.ContainsFunc(f.list, func(c component.Component) bool { return c.AppID == b.AppID }) {
		return component.Component{}, fault.New(fault.Conflict, "component_bound", "这个第三方平台已经绑定过了").On("appid", "这个 AppID 已经绑定过了")
	}
	c := component.Component{AppID: b.AppID, Name: b.Name, SpaceID: who.SpaceID, State: component.StateWaitingTicket, CreatedAt: start.UnixMilli()}
	f.list, f.bound = append(f.list, c), append(f.bound, b)
	return c, nil
}

func (f *fakeComponents) List(_ context.Context, who account.Actor) ([]component.Component, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.list), func(c component.Component) bool { return !who.Operator() && c.SpaceID != who.SpaceID }), nil
}

func (f *fakeComponents) Get(ctx context.Context, who account.Actor, appid string) (component.Component, error) {
	list, err := f.List(ctx, who)
	if err != nil {
		return component.Component{}, err
	}
	for _, c := range list {
		if c.AppID == appid {
			return c, nil
		}
	}
	return component.Component{}, fault.New(fault.NotFound, "component_not_found", "没有这个第三方平台")
}

func (f *fakeComponents) Check(ctx context.Context, who account.Actor, appid string) ([]component.Check, error) {
	if _, err := f.Get(ctx, who, appid); err != nil {
		return nil, err
	}
	return []component.Check{
		{Name: "ticket", Title: "票据 component_verify_ticket", State: "ok", Message: "收到于 2026-11-22 19:58:00"},
		{Name: "token", Title: "令牌 component_access_token", State: "fail", Message: "IP 未加白。请把出口 IP 加到白名单"},
		{Name: "templates", Title: "模板库", State: "wait", Message: "拿到令牌后再检查"},
	}, nil
}

func (f *fakeComponents) StartPush(ctx context.Context, who account.Actor, appid string) error {
	if _, err := f.Get(ctx, who, appid); err != nil {
		return err
	}
	if f.refuse != nil {
		return f.refuse
	}
	f.pushed = append(f.pushed, appid)
	return nil
}

func (f *fakeComponents) Addresses(appid string) component.Addresses {
	return component.Addresses{TicketURL: "https://fleet.example/wechat/" + appid + "/ticket", MessageURL: "https://fleet.example/wechat/" + appid + "/message/$APPID$", AuthDomain: "fleet.example"}
}

type fakeMinis struct {
	list    []miniprogram.MiniProgram
	tickets []miniprogram.Ticket
	asked   []miniprogram.Filter
	synced  []string
}

func (f *fakeMinis) List(_ context.Context, who account.Actor, q miniprogram.Filter) (miniprogram.Page, error) {
	f.asked = append(f.asked, q)
	var out []miniprogram.MiniProgram
	for _, m := range f.list {
		if strings.Contains(m.NickName+m.AppID+m.Principal, q.Query) && (who.Operator() || m.OwnerSpaceID == who.SpaceID || m.OwnerSpaceID == 0) {
			out = append(out, m)
		}
	}
	return miniprogram.Page{Items: out[:min(len(out), q.Limit)], Total: int64(len(out))}, nil
}

func (f *fakeMinis) CreateTicket(_ context.Context, who account.Actor, r miniprogram.TicketRequest) (miniprogram.Ticket, error) {
	t := miniprogram.Ticket{ID: "ticket1", Component: r.Component, AskerSpaceID: who.SpaceID, State: miniprogram.Waiting, BizAppID: r.BizAppID, ReturnTo: r.ReturnTo, ExpiresAt: start.Add(30 * time.Minute).UnixMilli()}
	f.tickets = append(f.tickets, t)
	return t, nil
}

func (f *fakeMinis) Ticket(_ context.Context, id string) (miniprogram.Ticket, error) {
	for _, t := range f.tickets {
		if t.ID == id {
			return t, nil
		}
	}
	return miniprogram.Ticket{}, fault.New(fault.NotFound, "ticket_not_found", "授权链接不存在")
}

func (f *fakeMinis) Sync(_ context.Context, _ account.Actor, appid string) error {
	if appid == "wxcccccccccccccccc" {
		return fault.New(fault.WeChat, "wechat", "授权已失效，请重新授权")
	}
	f.synced = append(f.synced, appid)
	return nil
}

func (f *fakeMinis) LandingURL(id string) string { return "https://fleet.example/auth/" + id }

type fakeEvents struct {
	list     []event.Detail
	replayed []string
	asked    []event.Filter
}

func (f *fakeEvents) List(_ context.Context, q event.Filter) ([]event.Row, string, error) {
	f.asked = append(f.asked, q)
	var out []event.Row
	for _, e := range f.list {
		if q.Type == "" || q.Type == e.Type {
			out = append(out, e.Row)
		}
	}
	if q.Oldest { // the walk from the end
		slices.Reverse(out)
	}
	return out, "next-cursor", nil
}

func (f *fakeEvents) Total(ctx context.Context, q event.Filter) (int64, error) {
	rows, _, err := f.List(ctx, q)
	f.asked = f.asked[:len(f.asked)-1]
	return int64(len(rows)), err
}

func (f *fakeEvents) Get(_ context.Context, id int64) (event.Detail, error) {
	for _, e := range f.list {
		if e.ID == id {
			return e, nil
		}
	}
	return event.Detail{}, event.ErrNotFound
}

func (f *fakeEvents) Replay(_ context.Context, _ int64, subscriber string) error {
	f.replayed = append(f.replayed, subscriber)
	return nil
}

func (f *fakeEvents) ReplayMany(_ context.Context, ids []int64, subscriber string) (event.Replayed, error) {
	for _, id := range ids {
		f.replayed = append(f.replayed, strconv.FormatInt(id, 10)+subscriber)
	}
	return event.Replayed{Done: len(ids)}, nil
}

func (f *fakeEvents) dead() (out []event.DeadLetter) {
	for _, e := range f.list {
		for _, d := range e.Deliveries {
			if d.State == event.StateDead {
				out = append(out, event.DeadLetter{Row: e.Row, Subscriber: d.Subscriber, Attempts: d.Attempts, LastError: d.LastError, GivenUpAt: d.UpdatedAt})
			}
		}
	}
	return out
}

func (f *fakeEvents) DeadLetters(context.Context, event.DeadFilter) ([]event.DeadLetter, string, error) {
	return f.dead(), "", nil
}

func (f *fakeEvents) CountDead(context.Context, event.DeadFilter) (int64, error) {
	return int64(len(f.dead())), nil
}

func (f *fakeEvents) ReplayDead(_ context.Context, letters []event.DeadLetter) (event.Replayed, error) {
	for _, d := range letters {
		f.replayed = append(f.replayed, d.Key())
	}
	return event.Replayed{Done: len(letters)}, nil
}

type fakeJobs struct{ ran []string }

func (f *fakeJobs) Jobs(context.Context) ([]Job, error) {
	return []Job{
		{Name: "component.tokens", Title: "刷新平台令牌", Spec: "* * * * *", NextAt: start.Add(time.Minute).UnixMilli(), Last: &JobRun{State: "ok", Note: "刷新了 1 个", StartedAt: start.UnixMilli(), EndedAt: start.UnixMilli() + 42}},
		{Name: "prune", Title: "清理", Spec: "0 4 * * *", NextAt: start.Add(time.Hour).UnixMilli()},
	}, nil
}

func (f *fakeJobs) Runs(context.Context, string, int) ([]JobRun, error) {
	return []JobRun{{State: "failed", Note: "微信返回 45009", StartedAt: start.UnixMilli(), EndedAt: start.UnixMilli() + 1500, Manual: true}}, nil
}

func (f *fakeJobs) RunNow(ctx context.Context, name string) error {
	who, _ := account.From(ctx)
	f.ran = append(f.ran, name+" by "+who.Name)
	return nil
}

type fakeProcesses struct{ restarted []string }

func (f *fakeProcesses) Status(context.Context) []Process {
	return []Process{{ID: "version", Title: "版本管理", Version: "0.1.0", State: "serving", PID: 4242, StartedAt: start.UnixMilli(), Restarts: 1, MemoryBytes: 16 << 20}, {ID: "market", Title: "模板市场", Version: "0.1.0", State: "backoff", LastError: "exit status 2", Restarts: 5}}
}

func (f *fakeProcesses) Restart(_ context.Context, id string) error {
	f.restarted = append(f.restarted, id)
	return nil
}

type fakeTrail struct {
	mu      sync.Mutex
	entries []trail.Entry
	asked   []trail.Filter
}

func (f *fakeTrail) List(_ context.Context, q trail.Filter) ([]trail.Entry, int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, q)
	return slices.Clone(f.entries), 0, nil
}

func (f *fakeTrail) Count(context.Context, trail.Filter) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(len(f.entries)), nil
}

func (f *fakeTrail) Get(_ context.Context, _ trail.Filter, id int64) (trail.Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.entries {
		if e.ID == id {
			return e, nil
		}
	}
	return trail.Entry{}, fault.New(fault.NotFound, "entry_not_found", "没有找到这条操作记录")
}

func (f *fakeTrail) Record(_ context.Context, e trail.Entry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.entries = append(f.entries, e)
	return nil
}

// rooms are fakes of every room with a little in each.
type rooms struct {
	components *fakeComponents
	minis      *fakeMinis
	events     *fakeEvents
	jobs       *fakeJobs
	processes  *fakeProcesses
	trail      *fakeTrail
}

const (
	bound = "wx1111111111111111"
	mini  = "wxaaaaaaaaaaaaaaaa"
)

func newRooms() *rooms {
	at := start.UnixMilli()
	return &rooms{
		components: &fakeComponents{list: []component.Component{
			{AppID: bound, Name: "星河开放平台", SpaceID: 10, State: component.StateOK, TicketAt: at - 180000, TokenExpiresAt: at + 5400000, CreatedAt: at - 86400000},
			{AppID: "wx2222222222222222", Name: "新平台", SpaceID: 10, State: component.StateWaitingTicket, CreatedAt: at},
			{AppID: "wx9999999999999999", Name: "别家的平台", SpaceID: 99, State: component.StateTicketExpired, TicketAt: at - 90000000, CreatedAt: at},
		}},
		minis: &fakeMinis{list: []miniprogram.MiniProgram{
			{AppID: mini, NickName: "星河咖啡", Principal: "星河科技有限公司", OwnerSpaceID: 10, SyncedAt: at - 600000, Authorizations: []miniprogram.Authorization{{Component: bound, State: miniprogram.Active, Sets: []int{18, 30}}}},
			{AppID: "wxbbbbbbbbbbbbbbbb", NickName: "客户花店", Principal: "花店", Authorizations: []miniprogram.Authorization{{Component: bound, State: miniprogram.Active, Sets: []int{30}}}},
			{AppID: "wxcccccccccccccccc", NickName: "旧小程序", Principal: "星河科技有限公司", OwnerSpaceID: 10, Authorizations: []miniprogram.Authorization{{Component: bound, State: miniprogram.Revoked}}},
		}},
		events: &fakeEvents{list: []event.Detail{{
			Row:        event.Row{ID: 77, Type: "component_verify_ticket", Source: event.SourceWeChat, Component: bound, State: event.StateDead, ReceivedAt: at, CreateTime: at / 1000, Done: 1, Dead: 1},
			Payload:    []byte("<xml><AppId><![CDATA[wx1111111111111111]]></AppId><InfoType><![CDATA[component_verify_ticket]]></InfoType><ComponentVerifyTicket><![CDATA[ticket@@@verysecret]]></ComponentVerifyTicket></xml>"),
			Deliveries: []event.Delivery{{Subscriber: "component.tickets", State: event.StateDone, Attempts: 1, UpdatedAt: at}, {Subscriber: "plugin:version", State: event.StateDead, Attempts: 10, LastError: "timeout", UpdatedAt: at}},
		}}},
		jobs: &fakeJobs{}, processes: &fakeProcesses{}, trail: &fakeTrail{entries: []trail.Entry{{At: at, Actor: "商户小王", Act: "component.bind", Component: bound, Outcome: trail.OK}, {At: at, Act: "submitAudit", AppID: mini, Plugin: "version", Outcome: trail.Failed, ErrCode: 85009, RID: "6123-abc", Detail: "已经有正在审核的版本"}}},
	}
}

func (r *rooms) services() Services {
	return Services{
		Components: r.components, MiniPrograms: r.minis, Events: r.events, Jobs: r.jobs, Processes: r.processes, Trail: r.trail,
		Failures: func(appid string) []Failure {
			if appid != "wx2222222222222222" {
				return nil
			}
			return []Failure{{At: start.UnixMilli(), Reason: "AESKey 不一致"}}
		},
	}
}
