package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of topics.
const (
	newsMost           = 64 << 10  // bytes of one message
	newsWaiting        = 32        // messages that wait for one listener; who is slower is dropped
	newsWaitingBytes   = 512 << 10 // and their bytes
	listenersOfPerson  = 8
	listenersOfReplica = 2000
	topicsMost         = 50 // of one plugin
)

// newsScope is what a space must hold of a mini program to hear, in an event about it, what another space's topic says.
const newsScope = "data.read"

func checkTopics(m *Manifest) (map[string]*Topic, error) {
	topics := map[string]*Topic{}
	for _, topic := range m.GetTopics() {
		if !nameShape.MatchString(topic.GetName()) || topics[topic.GetName()] != nil {
			return nil, fmt.Errorf("topic %q is badly named or declared twice", topic.GetName())
		}
		topics[topic.GetName()] = topic
	}
	if len(topics) > topicsMost {
		return nil, fmt.Errorf("%d topics are more than %d", len(topics), topicsMost)
	}
	return topics, nil
}

// subject is what a listener listens to: one topic of one plugin, for one space.
type subject struct {
	Plugin string `json:"plugin"`
	Topic  string `json:"topic"`
	Space  int64  `json:"space,string"`
}

// listener is one browser. news closes when it is dropped.
type listener struct {
	about   subject
	account int64
	news    chan []byte
	waiting int           // bytes in news; under the hub's lock
	again   chan struct{} // asks to look at once whether it still may listen
}

// topics is the hub of this replica: who publishes never waits for who listens.
type topics struct {
	beat, recheck time.Duration // how often a connection is kept awake, and looked at

	mu        sync.Mutex
	listeners map[subject]map[*listener]bool
	people    map[int64]int
	total     int
	ended     bool
	paces     map[subject]*newsPace
	others    relay

	first chan struct{} // a first listener has come
	sent  chan struct{} // something waits for other replicas
	bye   chan struct{} // closed when all connections are to end
}

func newTopics() *topics {
	return &topics{
		beat: 15 * time.Second, recheck: 30 * time.Second,
		listeners: map[subject]map[*listener]bool{}, people: map[int64]int{}, paces: map[subject]*newsPace{}, others: newRelay(),
		first: make(chan struct{}, 1), sent: make(chan struct{}, 1), bye: make(chan struct{}),
	}
}

// enter adds a listener; leave takes it out and may be called twice.
func (t *topics) enter(about subject, account int64) (l *listener, leave func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil, nil, fault.New(fault.Unavailable, "plugin.topic_ended", "平台正在重新启动，请稍后重试")
	}
	if t.people[account] >= listenersOfPerson || t.total >= listenersOfReplica {
		return nil, nil, fault.New(fault.TooMany, "plugin.listeners", "打开的页面太多，请关闭几个再试").Later(30 * time.Second)
	}
	l = &listener{about: about, account: account, news: make(chan []byte, newsWaiting), again: make(chan struct{}, 1)}
	if t.listeners[about] == nil {
		t.listeners[about] = map[*listener]bool{}
	}
	t.listeners[about][l] = true
	t.people[account]++
	if t.total++; t.total == 1 {
		poke(t.first)
	}
	return l, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.remove(l)
	}, nil
}

// remove is called under the lock.
func (t *topics) remove(l *listener) {
	if !t.listeners[l.about][l] {
		return
	}
	if delete(t.listeners[l.about], l); len(t.listeners[l.about]) == 0 {
		delete(t.listeners, l.about)
	}
	if t.people[l.account]--; t.people[l.account] == 0 {
		delete(t.people, l.account)
	}
	t.total--
	close(l.news)
}

// tell gives a message to this replica's listeners and says how many they are. One that has not taken its last messages is
// dropped: it comes again by itself, and asks for what there is then.
func (t *topics) tell(about subject, data []byte) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	told := 0
	for l := range t.listeners[about] {
		if l.waiting+len(data) > newsWaitingBytes || len(l.news) == cap(l.news) {
			t.remove(l)
			continue
		}
		l.waiting += len(data)
		l.news <- data
		told++
	}
	return told
}

// took says that a listener has taken a message.
func (t *topics) took(l *listener, data []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l.waiting -= len(data)
}

func (t *topics) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.total
}

// look has every listener of a plugin looked at now: somebody's rights have changed.
func (t *topics) look(plugin string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for about, of := range t.listeners {
		if about.Plugin != plugin {
			continue
		}
		for l := range of {
			poke(l.again)
		}
	}
}

// end lets every connection end, and no new one come.
func (t *topics) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ended {
		t.ended = true
		close(t.bye)
	}
}

// poke wakes whoever waits for it, once.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// newsPace is a token bucket of messages.
type newsPace struct {
	left float64
	at   time.Time
}

// Messages per second of one plugin for one space, and of one plugin altogether, with what may come at once.
const (
	newsRate, newsBurst       = 20, 100
	newsRateAll, newsBurstAll = 200, 400
	pacesMost                 = 10_000
)

// spend takes one message off both buckets, or says how long to wait.
func (t *topics) spend(plugin string, space int64, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.paces) > pacesMost { // full buckets are forgotten with the rest: a moment's grace for everyone
		clear(t.paces)
	}
	one, all := t.pace(subject{Plugin: plugin, Space: space}, newsRate, newsBurst, now), t.pace(subject{Plugin: plugin, Topic: "*"}, newsRateAll, newsBurstAll, now)
	if one.left < 1 || all.left < 1 {
		return max(50*time.Millisecond, time.Duration(max((1-one.left)/newsRate, (1-all.left)/newsRateAll)*float64(time.Second)))
	}
	one.left--
	all.left--
	return 0
}

func (t *topics) pace(key subject, rate, burst float64, now time.Time) *newsPace {
	p := t.paces[key]
	if p == nil {
		p = &newsPace{left: burst, at: now}
		t.paces[key] = p
	}
	p.left = min(burst, p.left+now.Sub(p.at).Seconds()*rate)
	p.at = now
	return p
}

// Publish feeds a topic of the plugin that asks.
func (s *hostService) Publish(ctx context.Context, request *pluginpb.PublishRequest) (answer *pluginpb.PublishResponse, err error) {
	defer s.guard("Publish", &err)
	a, ctx, err := s.authorized(ctx)
	if err != nil {
		return nil, err
	}
	if s.info.offers.topics[request.GetTopic()] == nil {
		return nil, mistake("no topic %q", request.GetTopic())
	}
	var data bytes.Buffer
	if len(request.GetData()) > newsMost {
		return nil, mistake("a message of %d bytes is more than %d", len(request.GetData()), newsMost)
	}
	if err := json.Compact(&data, request.GetData()); err != nil {
		return nil, mistake("a message is not JSON: %v", err)
	}
	space, err := s.host.publishTo(ctx, a, s.plugin, request.GetSpaceId())
	if err != nil {
		return nil, err
	}
	if wait := s.host.topics.spend(s.plugin, space, time.Now()); wait > 0 {
		return nil, fault.New(fault.TooMany, "plugin.news", "消息发布太频繁，请稍后再试").Later(wait)
	}
	about := subject{Plugin: s.plugin, Topic: request.GetTopic(), Space: space}
	told := s.host.topics.tell(about, data.Bytes())
	s.host.tellOthers(ctx, about, data.Bytes())
	return &pluginpb.PublishResponse{Listeners: int32(told)}, nil
}

// publishTo decides whose listeners a call may reach: those of its own space. An event about a mini program may also reach a
// space that may read that mini program today, and a job of the whole platform any space that has the plugin on.
func (h *Host) publishTo(ctx context.Context, a authority, plugin string, wanted int64) (int64, error) {
	home := a.home()
	if wanted == 0 {
		wanted = home
	}
	if wanted == 0 {
		return 0, mistake("this call belongs to no space: name one to publish to")
	}
	if wanted == home {
		return wanted, nil
	}
	allowed := false
	switch {
	case a.kind == byJob && home == 0:
		allowed = true
	case a.kind == byEvent && a.appid != "":
		var err error
		if allowed, err = h.options.MiniPrograms.May(ctx, wanted, a.appid, newsScope); err != nil {
			return 0, err
		}
	}
	if !allowed {
		return 0, fault.New(fault.Forbidden, "plugin.not_yours", "不能向其他空间发布消息")
	}
	return wanted, h.offeredTo(ctx, authority{kind: byEvent, space: wanted}, plugin)
}

// mayListen decides who hears a topic: who is admitted to a page with the same rules.
func (h *Host) mayListen(ctx context.Context, actor account.Actor, plugin, name string) error {
	u := h.unit(plugin)
	if u == nil {
		return unknownPlugin()
	}
	if err := h.offered(ctx, actor, plugin); err != nil {
		return err
	}
	info := u.known()
	if info == nil {
		return away(plugin, u.current())
	}
	topic := info.offers.topics[name]
	if topic == nil {
		return fault.New(fault.NotFound, "plugin.topic", "没有这个消息主题")
	}
	if actor.SpaceID == 0 && !actor.Nobody() {
		return fault.New(fault.Forbidden, "plugin.kind", "当前身份不能使用这个功能，请切换身份后重试")
	}
	return admit(info.manifest, actor, &Route{Permission: topic.GetPermission(), Kinds: slices.Clone(topic.GetKinds())})
}
