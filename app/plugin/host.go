package plugin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/plugins/sdk/pluginpb"
)

// First is one first-party plugin: the same binary, executed again.
type First struct {
	ID   string
	Argv []string // e.g. {"/proc/self/exe", "plugin", "run", "version"}; the first is the path
	// Third marks somebody else's plugin: it is there only for spaces that have switched it on.
	Third bool
}

// Options are what the host needs. All interfaces must be set.
type Options struct {
	Plugins []First
	// Mounts says which plugin may claim a fixed portal path: {"market": "market"}.
	Mounts map[string]string
	// SocketBase is the folder for the private socket folder; short. Default: the system's folder for temporary files.
	SocketBase string
	// MemoryLimit is the soft memory limit of each process in bytes; default 256 MiB.
	MemoryLimit int64
	// Catalog says which extensions run beside the plugins of the house; nil: none. Cache is the folder that their archives
	// are unpacked into, needed with a Catalog. UIDBase is the user id below the extensions' own, used where the host is root; default 61000.
	Catalog *Catalog
	Cache   string
	UIDBase int
	// Follow is how often the catalog is read for what other replicas decided; default 3 s.
	Follow time.Duration

	// Quota bounds what a space keeps in an extension's collections.
	Quota Quota

	DB             *store.DB
	Clock          clock.Clock
	Log            *slog.Logger
	Events         Events
	Gateway        Gateway
	Actors         Actors
	MiniPrograms   MiniPrograms
	Grants         Grants
	Components     Components
	Spaces         Spaces
	Authorizations Authorizations
	// Outside is how plugins reach hosts that they asked for; the zero value reaches nobody.
	Outside Outside
	Trail   *trail.Log
	Sealer  Sealer // of what spaces fill in
	News    News
	// Registry takes the series of calls and processes, Tracer the spans; both may be nil.
	Registry prometheus.Registerer
	Tracer   trace.Tracer
}

// Host runs the plugins. Make it with New, then Start; Stop ends every process.
type Host struct {
	options   Options
	log       *slog.Logger
	roster    roster
	tokens    *tokens
	committer committer
	schemas   schemas
	pace      pace
	door      *door
	streams   *openStreams
	assets    *assetMemory
	topics    *topics
	replica   string // names this process among those that share the database
	seen      *seen
	chains    chains

	sockets   string
	running   context.Context // ends with the host
	following following
	cancel    context.CancelFunc
	ended     <-chan struct{}
	done      sync.WaitGroup
}

const defaultMemory = 256 << 20

// New makes a host; nothing runs before Start.
func New(options Options) (*Host, error) {
	if options.DB == nil || options.Clock == nil || options.Events == nil || options.Gateway == nil || options.Actors == nil ||
		options.MiniPrograms == nil || options.Grants == nil || options.Components == nil || options.Spaces == nil || options.Authorizations == nil ||
		options.Trail == nil || options.Sealer == nil || options.News == nil {
		return nil, errors.New("plugin host: an option is missing")
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	if options.MemoryLimit == 0 {
		options.MemoryLimit = defaultMemory
	}
	h := &Host{
		options: options, log: options.Log, tokens: newTokens(), streams: newOpenStreams(), assets: newAssetMemory(), topics: newTopics(), replica: rand.Text(), door: newDoor(options.DB, options.Spaces),
	}
	h.layData()
	for _, first := range options.Plugins {
		if !idShape.MatchString(first.ID) || len(first.Argv) == 0 || !h.roster.add(newUnit(first.ID, first.Third, program{argv: first.Argv}, options.Log)) {
			return nil, fmt.Errorf("plugin host: plugin %q is badly named, empty or listed twice", first.ID)
		}
	}
	h.seen = newSeen(options.Registry, options.Tracer)
	if options.Registry != nil {
		options.Registry.MustRegister(states{h})
	}
	return h, nil
}

// Start starts every plugin and returns; Ready waits for them. The plugins run until Stop.
func (h *Host) Start(ctx context.Context) error {
	sockets, err := makeSocketDir(h.options.SocketBase)
	if err != nil {
		return err
	}
	h.sockets = sockets
	ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	h.running, h.ended = ctx, ctx.Done()
	for _, u := range h.roster.list() {
		h.launch(u)
	}
	h.done.Go(func() { h.relayNews(ctx) })
	h.done.Go(func() { h.keepBuilds(ctx) })
	if h.extensions() {
		h.done.Go(func() { h.followCatalog(ctx) })
	}
	return nil
}

// launch lets a unit of the roster live until the host stops, or it is stopped alone.
func (h *Host) launch(u *unit) {
	u.bring, u.arrived, u.gone = h.bring, h.arrived, h.gone
	u.open = func(run program) (*process, error) {
		if u.third && os.Getpid() != 1 { // what lost its parent falls to process 1: if that is us, it cannot be told from what has just started
			h.endStrays(u)
		}
		return start(run, h.sockets, h.options.MemoryLimit, u.log, u.spawner.run, func(c grpc.ClientConnInterface) grpc.ClientConnInterface {
			return connection{c, u.id, h.seen}
		})
	}
	var ctx context.Context
	ctx, u.stop = context.WithCancel(h.running)
	h.done.Go(func() {
		u.run(ctx)
		if u.third {
			h.endStrays(u)
		}
	})
}

// Stop drains and ends every plugin; no child is left when it returns.
func (h *Host) Stop() error {
	if h.cancel == nil {
		return nil
	}
	h.topics.end()
	h.cancel()
	h.done.Wait()
	if err := os.RemoveAll(h.sockets); err != nil {
		return fmt.Errorf("remove plugin sockets: %w", err)
	}
	return nil
}

// Ready waits until every plugin of the house serves, or says which does not. Extensions keep nobody waiting.
func (h *Host) Ready(ctx context.Context) error {
	for _, u := range h.roster.list() {
		if u.command().approved != nil {
			continue
		}
		if err := u.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Healthy reports at once whether every plugin of the house serves; for /readyz.
func (h *Host) Healthy() error {
	for _, status := range h.Status() {
		if status.ArchiveID == 0 && !status.State.called() {
			return fmt.Errorf("plugin %s is %s", status.ID, status.State)
		}
	}
	return nil
}

// Status lists the plugins for the operator's page.
func (h *Host) Status() []Status {
	units := h.roster.list()
	statuses := make([]Status, 0, len(units))
	for _, u := range units {
		statuses = append(statuses, u.status())
	}
	return statuses
}

// Restart has a new process of the plugin take over from the present one, which finishes its calls; it returns when the new
// one serves. A plugin that is down is tried now. The error says that the new process is no good, and the old one still serves.
func (h *Host) Restart(ctx context.Context, id string) error { return h.Upgrade(ctx, id, nil) }

// Upgrade is Restart with another command; nil keeps the present one.
func (h *Host) Upgrade(ctx context.Context, id string, argv []string) error {
	u := h.unit(id)
	if u == nil {
		return unknownPlugin()
	}
	if u.third && argv != nil {
		return fault.New(fault.Conflict, "plugin.third", "第三方插件只能运行获批的程序")
	}
	return u.hand(ctx, h.ended, program{argv: argv})
}

// Manifest gives what a plugin declared; false before its first start succeeded. Read only.
func (h *Host) Manifest(id string) (*Manifest, bool) {
	u := h.unit(id)
	if u == nil {
		return nil, false
	}
	info := u.known()
	if info == nil {
		return nil, false
	}
	return info.manifest, true
}

// Manifests gives those of all known plugins, in the order of the catalog.
func (h *Host) Manifests() []*Manifest {
	var all []*Manifest
	for _, u := range h.roster.list() {
		if m, ok := h.Manifest(u.id); ok {
			all = append(all, m)
		}
	}
	return all
}

// Prune forgets old idempotency keys and ended delegations; a core job calls it.
func (h *Host) Prune(ctx context.Context, before time.Time) (int64, error) {
	heard, err := h.pruneHeard(ctx, before)
	if err != nil {
		return heard, err
	}
	n, err := h.committer.prune(ctx, before)
	return n + heard, err
}

// bring takes a fresh process to service: nothing of the plugin is used before its manifest was checked.
func (h *Host) bring(ctx context.Context, u *unit, p *process) (*described, error) {
	manifest, err := p.rpc.Describe(ctx, &pluginpb.DescribeRequest{})
	if err != nil {
		return nil, describeError(u.id, err)
	}
	if err := h.holdToApproval(ctx, u, p, manifest); err != nil {
		return nil, err
	}
	info, err := describe(u.id, u.third, h.options.Mounts, manifest)
	if err != nil {
		return nil, err
	}
	if err := h.announce(ctx, p, u.id, info); err != nil {
		return nil, err
	}
	if err := h.schemas.apply(ctx, u.id, info.collections); err != nil {
		return nil, err
	}
	p.offer(&hostService{host: h, plugin: u.id, info: info, capabilities: p.capabilities()}, h.seen.answer(u.id), newPressure(u.third))
	if _, err := p.rpc.Configure(ctx, &pluginpb.ConfigureRequest{}); err != nil {
		return nil, fmt.Errorf("configure %s: %w", u.id, err)
	}
	return info, nil
}

// arrived lets the plugin's events flow to the process that serves now.
func (h *Host) arrived(ctx context.Context, u *unit, info *described) error {
	if err := h.refit(ctx, u.id, info); err != nil {
		return err
	}
	h.post(u.id, info.collections)
	return h.subscribe(ctx, u.id, info)
}

// gone lets the plugin's events wait until it is back.
func (h *Host) gone(u *unit) { h.options.Events.Unsubscribe(subscriberName(u.id)) }

func subscriberName(id string) string { return "plugin:" + id }

func unknownPlugin() *fault.Error {
	return fault.New(fault.NotFound, "plugin.unknown", "没有这个插件")
}
