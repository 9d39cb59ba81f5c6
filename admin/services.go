package admin

import (
	"context"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/event"
	"minifleet/app/miniprogram"
	"minifleet/app/plugin"
	"minifleet/app/trail"
)

// Services are the rooms that the core pages show. A nil one leaves its pages and menu entries out.
type Services struct {
	Components   Components
	MiniPrograms MiniPrograms
	Events       Events
	Jobs         Jobs
	Processes    Processes
	PluginData   PluginData
	// PluginOperations lists what plugins offer each other; nil shows none.
	PluginOperations func() []plugin.Operation
	// Catalog is that of the third-party plugins, Submitters who stands behind them; both or none.
	Catalog    Catalog
	Submitters Submitters
	// SpaceExtensions are switched and filled in by a space's people.
	SpaceExtensions Extensions
	Trail           Trail
	Chain           Chain
	Notices         Notices
	Forwards        Forwards
	// Spaces are members, roles and merchant applications.
	Spaces    *account.Spaces
	Transfers Transfers
	// Board counts what the 工作台 shows; nil leaves it empty. Behind are the lists behind its figures.
	Board  Board
	Behind Behind
	// Extensions are the permissions that extensions of the actor's space bring, for roles; nil: none.
	Extensions func(ctx context.Context, actor account.Actor) ([]account.Permission, error)
	// BatchEnded tells the member how an act on all results of a list ended. Nil tells nobody.
	BatchEnded func(ctx context.Context, actor account.Actor, b BatchEnd)
	// Failures tells the newest pushes of a component that were refused, newest first. Nil shows none.
	Failures func(component string) []Failure
}

// BatchEnd is how an act on all results of a list ended. Left were not touched, for Reason.
type BatchEnd struct {
	Act, List  string // titles
	Link       string // the list, narrowed as it was
	Done, Left int
	Reason     string // "" when nothing is left
}

// Components is what the pages ask of the room component.
type Components interface {
	Bind(ctx context.Context, who account.Actor, b component.Binding) (component.Component, error)
	List(ctx context.Context, who account.Actor) ([]component.Component, error)
	Get(ctx context.Context, who account.Actor, appid string) (component.Component, error)
	Check(ctx context.Context, who account.Actor, appid string) ([]component.Check, error)
	StartPush(ctx context.Context, who account.Actor, appid string) error
	Addresses(appid string) component.Addresses
}

// MiniPrograms is what the pages ask about mini programs. List shows what the actor's space may see: its own, those
// granted to it, and those authorised to its platform apps; the filter's Visible is the implementation's to set.
type MiniPrograms interface {
	List(ctx context.Context, who account.Actor, f miniprogram.Filter) (miniprogram.Page, error)
	CreateTicket(ctx context.Context, who account.Actor, r miniprogram.TicketRequest) (miniprogram.Ticket, error)
	Ticket(ctx context.Context, id string) (miniprogram.Ticket, error)
	LandingURL(id string) string
}

// Syncer is a MiniPrograms that can also read a profile and its permission sets from WeChat anew (立即同步).
type Syncer interface {
	Sync(ctx context.Context, who account.Actor, appid string) error
}

// Events is what the pages ask of the event log.
type Events interface {
	List(ctx context.Context, f event.Filter) ([]event.Row, string, error)
	// Total is exact to 10,000 and -1 beyond.
	Total(ctx context.Context, f event.Filter) (int64, error)
	Get(ctx context.Context, id int64) (event.Detail, error)
	Replay(ctx context.Context, id int64, subscriber string) error
	ReplayMany(ctx context.Context, ids []int64, subscriber string) (event.Replayed, error)
	DeadLetters(ctx context.Context, f event.DeadFilter) ([]event.DeadLetter, string, error)
	// CountDead is exact to 10,000 and -1 beyond.
	CountDead(ctx context.Context, f event.DeadFilter) (int64, error)
	ReplayDead(ctx context.Context, letters []event.DeadLetter) (event.Replayed, error)
}

// Trail is the operation log.
type Trail interface {
	List(ctx context.Context, f trail.Filter) ([]trail.Entry, int64, error)
	Count(ctx context.Context, f trail.Filter) (int64, error)
	Get(ctx context.Context, f trail.Filter, id int64) (trail.Entry, error)
	Record(ctx context.Context, e trail.Entry) error
}

// Jobs is the cron room.
type Jobs interface {
	// Jobs gives every job with its last run, by name.
	Jobs(ctx context.Context) ([]Job, error)
	// Runs gives the newest runs of a job.
	Runs(ctx context.Context, name string, limit int) ([]JobRun, error)
	// RunNow starts the job, in the name of the context's actor, without waiting for its end.
	RunNow(ctx context.Context, name string) error
}

// Job is a cron job; NextAt is platform time in Unix milliseconds.
type Job struct {
	Name, Title, Spec string
	NextAt            int64
	Last              *JobRun
}

// JobRun is one run of a job; State is running, ok or failed.
type JobRun struct {
	StartedAt, EndedAt int64
	State, Note        string
	Manual             bool
}

// Processes are the plugin processes.
type Processes interface {
	Status(ctx context.Context) []Process
	Restart(ctx context.Context, id string) error
}

// Process is one plugin process; State is one of processStates and Label its word, StartedAt when that state began. Times
// are Unix milliseconds.
type Process struct {
	ID, Title, Version, State, Label, LastError string
	PID, Restarts, Calls                        int
	StartedAt, NextTry                          int64
	MemoryBytes                                 int64
	Third                                       bool            // an extension: operators decide whom it is open to
	History                                     []ProcessChange // the newest last
	// Which archive of an extension runs (0 for one that came from no archive), as which user (0 the platform's own),
	// and how many of its calls were refused for want of a capability.
	ArchiveID int64
	SHA256    string
	UID       int
	Refused   int64
}

// ProcessChange is one step of a plugin's life.
type ProcessChange struct {
	At                 int64
	State, Label, Note string
}

// Failure is a push that was refused.
type Failure struct {
	At     int64 // Unix milliseconds
	Reason string
}

// corePages are the addresses of the pages whose services are there.
func (a *Admin) corePages() []Page {
	pages := a.homePages()
	s := a.o.Services
	if s.Components != nil {
		pages = append(pages, a.componentPages()...)
	}
	if s.MiniPrograms != nil {
		pages = append(pages, a.miniProgramPages()...)
	}
	if s.Events != nil {
		pages = append(pages, a.eventPages()...)
	}
	if s.Jobs != nil {
		pages = append(pages, a.jobPages()...)
	}
	if s.Processes != nil {
		pages = append(pages, a.processPages()...)
	}
	if s.SpaceExtensions != nil {
		pages = append(pages, a.extensionPages()...)
	}
	if s.Catalog != nil {
		pages = append(pages, a.archivePages()...)
	}
	if s.Transfers != nil {
		pages = append(pages, a.transferPages()...)
	}
	if s.Trail != nil {
		pages = append(pages, a.trailPages()...)
	}
	if s.Notices != nil {
		pages = append(pages, a.webhookPages()...)
	}
	if s.Forwards != nil {
		pages = append(pages, a.forwardPages()...)
	}
	if s.Spaces != nil {
		pages = append(append(pages, a.memberPages()...), a.applicationPages()...)
	}
	return pages
}

var (
	operators = []account.Kind{account.Platform}
	merchants = []account.Kind{account.Merchant}
)
