package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/dashboard"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/plugin"
	"minifleet/app/schedule"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// world is every room that counts, with what the tests put into it.
type world struct {
	components []component.Component
	tally      grant.Tally
	entrusted  int64
	answers    map[string]any // plugin → cards, error, or a duration to hang
	asked      atomic.Int64
	jobs       []schedule.JobState
	failures   int64
	rates      []event.Rate
	codes      []trail.ErrCount
	broken     error

	deadline time.Time // until when the plugin that hangs was waited for
	bounded  bool
}

// hangs is the answer of a plugin that gives none.
type hangs struct{}

func (w *world) List(context.Context, account.Actor) ([]component.Component, error) {
	return w.components, w.broken
}
func (w *world) Tally(context.Context, account.Actor) (grant.Tally, error)     { return w.tally, nil }
func (w *world) Entrusted(context.Context, account.Actor) (int64, error)       { return w.entrusted, nil }
func (w *world) Jobs(context.Context) ([]schedule.JobState, error)             { return w.jobs, nil }
func (w *world) Rates(context.Context, time.Time) ([]event.Rate, error)        { return w.rates, nil }
func (w *world) ErrCodes(context.Context, time.Time) ([]trail.ErrCount, error) { return w.codes, nil }
func (w *world) Failures(context.Context, time.Time, int64, int) ([]schedule.Run, int64, error) {
	return nil, w.failures, nil
}
func (w *world) Directory(_ context.Context, who account.Actor, _ account.SpaceFilter) ([]account.SpaceEntry, int64, int64, error) {
	if !who.Operator() {
		return nil, 0, 0, errors.New("not an operator")
	}
	return nil, 0, -1, nil
}
func (w *world) Status() []plugin.Status {
	return []plugin.Status{{ID: "version", Title: "版本管理", State: plugin.Serving, Restarts: 2}, {ID: "market", Title: "模板市场", State: plugin.Backoff, Restarts: 3}}
}
func (w *world) Offering(string) []plugin.Status { return w.Status() }
func (w *world) Ask(ctx context.Context, _ account.Actor, id, operation string, _ []byte) ([]byte, error) {
	w.asked.Add(1)
	switch answer := w.answers[id].(type) {
	case nil:
		return nil, fault.New(fault.Unavailable, "plugin.unavailable", "插件暂不可用")
	case hangs:
		w.deadline, w.bounded = ctx.Deadline()
		<-ctx.Done()
		return nil, ctx.Err()
	case string:
		return []byte(answer), nil
	case error:
		return nil, answer
	default:
		return json.Marshal(answer)
	}
}

func service(db *store.DB, w *world) *dashboard.Service {
	return dashboard.New(dashboard.Options{DB: db, Components: w, Grants: w, Plugins: w, Jobs: w, Events: w, Trail: w, Accounts: w, Clock: clock.Fixed(now)})
}

func who(kind account.Kind, member int64) account.Actor {
	return account.Actor{AccountID: member, SpaceID: 10, MemberID: member, Role: account.RoleOwner, SpaceKind: kind}
}

func value(t *testing.T, view dashboard.Snapshot, key string) int64 {
	t.Helper()
	f := view.Figure(key)
	if f.Value == nil {
		t.Fatalf("%s is unknown: %s", key, f.Reason)
	}
	return *f.Value
}

func TestAMerchantSeesFiguresOfRoomsAndPluginsAndWhatIsToBeDone(t *testing.T) {
	w := &world{
		components: []component.Component{{State: component.StateOK}, {State: component.StateTicketLate}},
		tally:      grant.Tally{Total: 3, States: map[string]int64{"active": 2, "needs_reauth": 1}},
		answers: map[string]any{"version": []dashboard.Card{
			{Key: "audits", Title: "审核", Permission: "version.operate", Figures: []dashboard.Figure{{Key: "audit_rejected", Title: "审核驳回", Value: ptr(2), Href: "/admin/info/version_lanes?audit_state=rejected"}},
				Todo: []dashboard.Figure{{Key: "audit_rejected", Title: "驳回待处理", Value: ptr(2), Href: "/admin/info/version_lanes?audit_state=rejected"}, {Key: "none", Title: "没有", Value: ptr(0)}}},
			{Key: "secret", Title: "别人的", Permission: "plugin.restart"},
			{Key: "odd", Title: "怪", Figures: []dashboard.Figure{{Key: "odd", Title: "怪", Href: "https://evil.test/", Tone: "javascript"}}},
		}},
	}
	view, err := service(storetest.Open(t), w).Snapshot(t.Context(), who(account.Merchant, 1))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int64{"components": 2, "component_ok": 1, "component_ticket_late": 1, "miniprograms": 3, "miniprogram_active": 2, "miniprogram_revoked": 0, "audit_rejected": 2} {
		if got := value(t, view, key); got != want {
			t.Errorf("%s is %d, want %d", key, got, want)
		}
	}
	var todo []string
	for _, f := range view.Todo {
		todo = append(todo, f.Title)
	}
	if want := []string{"第三方平台票据延迟", "授权失效", "驳回待处理"}; !slices.Equal(todo, want) {
		t.Errorf("to do %v, want %v", todo, want)
	}
	if _, ok := view.Card("version", "secret"); ok {
		t.Error("a card without the permission is shown")
	}
	if f := view.Figure("odd"); f.Href != "" || f.Tone != "" || f.Reason == "" || f.Shown() != "—" {
		t.Errorf("a plugin's odd figure came through: %+v", f)
	}
	if card, _ := view.Card("market", "down"); !strings.Contains(card.Unavailable, "插件暂不可用") || card.Title != "模板市场" {
		t.Errorf("the plugin that is down: %+v", card)
	}
}

func TestAPluginThatHangsOrLiesCostsItsCardOnly(t *testing.T) {
	w := &world{answers: map[string]any{"version": hangs{}, "market": "{not json"}, tally: grant.Tally{Total: 1, States: map[string]int64{}}}
	s := service(storetest.Open(t), w)
	began := time.Now()
	view, err := s.Snapshot(t.Context(), who(account.Merchant, 1))
	if err != nil {
		t.Fatal(err)
	}
	if longest := w.deadline.Sub(began); !w.bounded || longest > time.Minute {
		t.Errorf("a plugin that hangs is waited for until %v", w.deadline)
	}
	for _, id := range []string{"version", "market"} {
		if card, ok := view.Card(id, "down"); !ok || card.Unavailable == "" {
			t.Errorf("%s: %+v", id, view.Cards)
		}
	}
	if value(t, view, "miniprograms") != 1 {
		t.Error("the other cards suffered")
	}
}

func TestAnExtensionThatASpaceHasNotOnIsNotMissed(t *testing.T) {
	w := &world{answers: map[string]any{"version": fault.New(fault.NotFound, "plugin.unknown", "没有这个插件")}, tally: grant.Tally{States: map[string]int64{}}}
	view, err := service(storetest.Open(t), w).Snapshot(t.Context(), who(account.Merchant, 1))
	if err != nil {
		t.Fatal(err)
	}
	if card, ok := view.Card("version", "down"); ok {
		t.Errorf("a card tells of it: %+v", card)
	}
	if _, ok := view.Card("market", "down"); !ok {
		t.Error("the one that is down has no card any more")
	}
}

func TestAnOperatorSeesHealthAndUnknownIsNeverNought(t *testing.T) {
	w := &world{
		answers: map[string]any{"version": "[]", "market": "[]"}, failures: 4, tally: grant.Tally{Total: -1, States: map[string]int64{"active": -1, "revoked": 7}},
		jobs:  []schedule.JobState{{Name: "a", Last: &schedule.Run{State: schedule.Failed, StartedAt: now.UnixMilli()}}, {Name: "b"}, {Name: "c", Last: &schedule.Run{State: schedule.Done, StartedAt: 5}}},
		codes: []trail.ErrCount{{Code: -1, N: 2}, {Code: 61007, N: 9, More: true}},
	}
	db := storetest.Open(t)
	s := service(db, w)
	op := who(account.Platform, 2)
	view, err := s.Snapshot(t.Context(), op)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int64{"plugins": 2, "plugin_serving": 1, "plugin_backoff": 1, "jobs": 3, "job_failing": 1, "job_never": 1, "job_failures": 4, "errors": 11, "space_merchant": 10_000} {
		if got := value(t, view, key); got != want {
			t.Errorf("%s is %d, want %d", key, got, want)
		}
	}
	if f := view.Figure("space_merchant"); f.Shown() != "10,000+" {
		t.Errorf("more than counted: %s", f.Shown())
	}
	for key, want := range map[string]string{"miniprograms": "10,000+", "miniprogram_active": "10,000+", "miniprogram_needs_reauth": "0", "miniprogram_revoked": "7"} {
		if f := view.Figure(key); f.Shown() != want {
			t.Errorf("%s is %s, want %s", key, f.Shown(), want)
		}
	}
	for _, key := range []string{"events"} {
		if f := view.Figure(key); f.Known() || f.Reason == "" || f.Shown() != "—" {
			t.Errorf("%s should be unknown with a reason: %+v", key, f)
		}
	}
	if card, _ := view.Card("", "errors"); len(card.Chart.Points) != 2 || card.Chart.Points[0].Label != "61007" || card.Chart.Points[0].Href != "/admin/errors?errcode=61007" {
		t.Errorf("errors: %+v", card.Chart)
	}
	w.rates = []event.Rate{{At: now.Add(-30 * time.Minute).UnixMilli(), N: 30}, {At: now.Add(-15 * time.Minute).UnixMilli(), N: 15}}
	s.Forget(op)
	if view, err = s.Snapshot(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	card, _ := view.Card("", "events")
	if value(t, view, "events") != 45 || len(card.Chart.Points) != 2 || card.Chart.Points[0].Value != 30 || !strings.Contains(card.Chart.Points[0].Href, "from=2026-11-22T19%3A30") {
		t.Errorf("events: %+v %+v", card.Figures, card.Chart)
	}
	if f := view.Figure("event_peak"); *f.Value != 30 || f.Href != card.Chart.Points[0].Href || !strings.Contains(f.Note, "11-22 19:30 起，平均每秒 0.03 个") {
		t.Errorf("the busiest quarter of an hour: %+v", f)
	}
	if f := view.Figure("plugins"); f.Note != "本次启动以来共重启 5 次" {
		t.Errorf("restarts: %+v", f)
	}
	w.rates[0].N = 1_234_567
	s.Forget(op)
	if view, err = s.Snapshot(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	if f := view.Figure("events"); f.Shown() != "10,000+" || !strings.Contains(f.Note, "合计 1,234,582 个") {
		t.Errorf("more events than a list counts: %+v", f)
	}
	w.broken = errors.New("disk on fire")
	s.Forget(op)
	if view, err = s.Snapshot(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	if card, _ := view.Card("", "components"); card.Unavailable == "" || view.Figure("components").Known() {
		t.Errorf("a room that fails: %+v", card)
	}
}

func TestASnapshotIsKeptForSecondsPerMember(t *testing.T) {
	w := &world{answers: map[string]any{"version": "[]", "market": "[]"}}
	s := service(storetest.Open(t), w)
	for range 3 {
		if _, err := s.Snapshot(t.Context(), who(account.Merchant, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.asked.Load(); n != 2 {
		t.Errorf("the plugins were asked %d times for one member", n)
	}
	limited := who(account.Merchant, 1)
	limited.MiniPrograms = []string{"wx1"}
	if _, err := s.Snapshot(t.Context(), limited); err != nil || w.asked.Load() != 4 {
		t.Errorf("a member with other limits was given another's snapshot (%d, %v)", w.asked.Load(), err)
	}
	if _, err := s.Snapshot(t.Context(), account.Actor{}); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("a visitor: %v", err)
	}
}

func TestStepsTickByRealStateAndAMemberFoldsTheList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := &world{answers: map[string]any{"version": []dashboard.Card{{Key: "library", Figures: []dashboard.Figure{{Key: "drafts", Value: ptr(0)}, {Key: "templates", Value: ptr(2)}}}, {Key: "spread", Chart: &dashboard.Chart{}}}},
			components: []component.Component{{}}, tally: grant.Tally{States: map[string]int64{}}}
		s := service(db, w)
		merchant := who(account.Merchant, 1)
		list, err := s.Checklist(t.Context(), merchant)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, st := range list.Steps {
			got = append(got, st.Key+map[bool]string{true: "+", false: "-"}[st.Done]+map[bool]string{true: "", false: "?"}[st.Known])
		}
		if want := []string{"component+", "draft+", "template+", "authorize-", "release-", "listing-?"}; !slices.Equal(got, want) {
			t.Errorf("steps %v, want %v", got, want)
		}
		if list.State != dashboard.ListOpen || list.Done != 3 || list.Percent() != 50 || list.Next().Key != "authorize" {
			t.Errorf("list %+v", list)
		}
		for _, state := range []string{dashboard.ListFolded, dashboard.ListDismissed} {
			if err := s.SetChecklist(t.Context(), merchant, dashboard.ListStart, state); err != nil {
				t.Fatal(err)
			}
			if list, err = s.Checklist(t.Context(), merchant); err != nil || list.State != state {
				t.Errorf("state %q, want %q, error %v", list.State, state, err)
			}
		}
		if list, err = s.Checklist(t.Context(), who(account.Merchant, 7)); err != nil || list.State != dashboard.ListOpen {
			t.Errorf("another member's list is %q, error %v", list.State, err)
		}
		reader := who(account.Merchant, 8)
		reader.Role, reader.Permissions = account.RoleCustom, []string{"component.read", "miniprogram.read"}
		if list, err = s.Checklist(t.Context(), reader); err != nil || list.Done != 3 {
			t.Fatalf("a reader sees %+v, %v", list, err)
		}
		for _, step := range list.Steps {
			if open := step.Key == "component"; (step.Href != "") != open || (step.Button != "") != open {
				t.Errorf("step %s leads a reader to %q (%s)", step.Key, step.Href, step.Button)
			}
		}
		if err := s.SetChecklist(t.Context(), merchant, "start", "gone"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("an unknown state: %v", err)
		}
		op := who(account.Platform, 2)
		if err := s.SetChecklist(t.Context(), op, dashboard.ListBackup, dashboard.ListDone); err != nil {
			t.Fatal(err)
		}
		list, err = s.Checklist(t.Context(), op)
		if err != nil || len(list.Steps) != 4 || !list.Steps[3].Done || list.Steps[0].Done {
			t.Errorf("the operator's list: %+v, %v", list, err)
		}
		w.entrusted = 1
		list, err = s.Checklist(t.Context(), who(account.Personal, 3))
		if err != nil || len(list.Steps) != 4 || !list.Steps[3].Done || list.Steps[1].Done {
			t.Errorf("a person's list: %+v, %v", list, err)
		}
	})
}

func ptr(n int64) *int64 { return &n }
