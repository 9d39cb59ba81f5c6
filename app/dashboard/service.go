package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/plugin"
	"minifleet/app/schedule"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// fresh is how long a snapshot is shown again, in wall time.
const fresh = 5 * time.Second

// patience is how long the page waits for one plugin.
const patience = 2 * time.Second

// snapshotsMost bounds how many snapshots are kept.
const snapshotsMost = 2000

// Plugins is what the room asks of the plugin host.
type Plugins interface {
	Status() []plugin.Status
	Offering(operation string) []plugin.Status
	Ask(ctx context.Context, actor account.Actor, plugin, operation string, input []byte) ([]byte, error)
}

// Grants counts mini programs as the actor's list shows them.
type Grants interface {
	Tally(ctx context.Context, who account.Actor) (grant.Tally, error)
}

// Options are the rooms that count. Waiting may be nil.
type Options struct {
	DB         *store.DB
	Components interface {
		List(ctx context.Context, who account.Actor) ([]component.Component, error)
	}
	Grants  Grants
	Plugins Plugins
	Jobs    interface {
		Jobs(ctx context.Context) ([]schedule.JobState, error)
		Failures(ctx context.Context, since time.Time, cursor int64, limit int) ([]schedule.Run, int64, error)
	}
	Events interface {
		Rates(ctx context.Context, since time.Time) ([]event.Rate, error)
	}
	Trail interface {
		ErrCodes(ctx context.Context, since time.Time) ([]trail.ErrCount, error)
	}
	Accounts interface {
		Directory(ctx context.Context, who account.Actor, f account.SpaceFilter) ([]account.SpaceEntry, int64, int64, error)
	}
	// Waiting gives further figures that wait for the actor, such as applications; it leaves out what is not theirs.
	Waiting func(ctx context.Context, who account.Actor) ([]Figure, error)
	// MailReady reports whether mail can be sent; for the operator's checklist.
	MailReady bool
	Clock     clock.Clock
	Log       *slog.Logger
}

// Service makes snapshots. Safe for concurrent use.
type Service struct {
	o Options

	mu   sync.Mutex
	kept map[string]*keptSnapshot
}

type keptSnapshot struct {
	mu   sync.Mutex
	at   time.Time
	view Snapshot
}

// New makes the service.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Service{o: o, kept: map[string]*keptSnapshot{}}
}

// key is everything a snapshot depends on besides time: what the member may see, not only the space.
func key(who account.Actor) string {
	return fmt.Sprint(who.SpaceID, " ", who.MemberID, " ", who.Role, "|", strings.Join(who.Permissions, ","), who.Permissions == nil,
		"|", strings.Join(who.Scopes, ","), who.Scopes == nil, "|", strings.Join(who.MiniPrograms, ","), who.MiniPrograms == nil)
}

// Snapshot gives the figures of the actor's 工作台, at most five seconds old. A part that fails says so in its card.
func (s *Service) Snapshot(ctx context.Context, who account.Actor) (Snapshot, error) {
	if who.Nobody() {
		return Snapshot{}, fault.New(fault.Unauthenticated, "login_required", "请先登录")
	}
	k := s.slot(key(who))
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.at) < fresh {
		return k.view, nil
	}
	view := s.take(ctx, who)
	if err := ctx.Err(); err != nil {
		return Snapshot{}, fmt.Errorf("dashboard: %w", err)
	}
	k.at, k.view = time.Now(), view
	return view, nil
}

// Forget lets the next snapshot be taken anew; tests and a member's own acts ask for it.
func (s *Service) Forget(who account.Actor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.kept, key(who))
}

func (s *Service) slot(name string) *keptSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.kept[name]; k != nil {
		return k
	}
	if len(s.kept) >= snapshotsMost {
		s.kept = map[string]*keptSnapshot{}
	}
	k := &keptSnapshot{}
	s.kept[name] = k
	return k
}

// take asks everybody. Plugins are asked at the same time as the core's own rooms.
func (s *Service) take(ctx context.Context, who account.Actor) Snapshot {
	view := Snapshot{At: clock.Millis(s.o.Clock.Now()), Kind: string(who.SpaceKind), Cards: []Card{}, Todo: []Figure{}}
	theirs := make(chan []Card, 1)
	go func() { theirs <- s.pluginCards(ctx, who) }()
	for _, part := range s.parts(who) {
		card := Card{Key: part.key, Title: part.title, Permission: part.permission}
		if !card.may(who) {
			continue
		}
		if err := part.fill(ctx, who, &card); err != nil {
			s.o.Log.ErrorContext(ctx, "dashboard: a card could not be counted", "card", part.key, "error", err)
			card.Figures, card.Chart, card.Todo, card.Unavailable = nil, nil, nil, "暂时读不到，请稍后刷新"
		}
		view.Cards = append(view.Cards, card)
	}
	view.Cards = append(view.Cards, <-theirs...)
	for i := range view.Cards {
		for _, f := range view.Cards[i].Todo {
			if f.Positive() {
				view.Todo = append(view.Todo, f)
			}
		}
		view.Cards[i].Todo = nil
	}
	if s.o.Waiting != nil {
		more, err := s.o.Waiting(ctx, who)
		if err != nil {
			s.o.Log.ErrorContext(ctx, "dashboard: what waits could not be read", "error", err)
		}
		for _, f := range more {
			if f.Positive() {
				view.Todo = append(view.Todo, f)
			}
		}
	}
	return view
}

// part is one card of the core.
type part struct {
	key, title, permission string
	fill                   func(ctx context.Context, who account.Actor, card *Card) error
}

func (s *Service) parts(who account.Actor) []part {
	switch who.SpaceKind {
	case account.Platform:
		return []part{
			{"components", "第三方平台", "component.read", s.components},
			{"miniprograms", "小程序", "miniprogram.read", s.miniPrograms},
			{"plugins", "插件", "plugin.read", s.processes},
			{"jobs", "定时任务", "job.read", s.jobs},
			{"events", "事件", "event.read", s.events},
			{"errors", "近 24 小时微信返回的错误", "trail.read", s.errors},
			{"spaces", "空间", "", s.spaces},
		}
	case account.Merchant:
		return []part{{"components", "第三方平台", "component.read", s.components}, {"miniprograms", "小程序", "miniprogram.read", s.miniPrograms}}
	default:
		return []part{{"miniprograms", "小程序", "miniprogram.read", s.miniPrograms}}
	}
}

// pluginCards asks each plugin that has cards. One that is down or slow leaves a card that says so.
func (s *Service) pluginCards(ctx context.Context, who account.Actor) []Card {
	offering := s.o.Plugins.Offering("dashboard")
	answers := make([][]Card, len(offering))
	var wait sync.WaitGroup
	for i, p := range offering {
		wait.Go(func() { answers[i] = s.ask(ctx, who, p) })
	}
	wait.Wait()
	var out []Card
	for _, cards := range answers {
		for _, c := range cards {
			if c.may(who) {
				out = append(out, c)
			}
		}
	}
	return out
}

func (s *Service) ask(ctx context.Context, who account.Actor, p plugin.Status) []Card {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	raw, err := s.o.Plugins.Ask(ctx, who, p.ID, "dashboard", []byte("{}"))
	var cards []Card
	if err == nil {
		err = json.Unmarshal(raw, &cards)
	}
	if plugin.IsUnknown(err) {
		return nil // an extension that is not on in this space: it has no card to miss
	}
	if err != nil {
		if ctx.Err() == nil && fault.KindOf(err) != fault.Unavailable {
			s.o.Log.ErrorContext(ctx, "dashboard: a plugin's cards could not be read", "plugin", p.ID, "error", err)
		}
		title := p.Title
		if title == "" {
			title = p.ID
		}
		return []Card{{Key: "down", Plugin: p.ID, Title: title, Unavailable: "插件暂不可用，请稍后刷新"}}
	}
	for i := range cards {
		cards[i].Plugin, cards[i].Unavailable = p.ID, ""
		cards[i].tidy()
	}
	return cards[:min(len(cards), 12)]
}
