package plugin

import (
	"fmt"
	"sync"

	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// maxHops bounds how deep events may cause each other: two plugins that answer each other's events would go on for ever. An
// event that no handler published has depth 0, one that a handler publishes one more than the event it handles. The host
// counts, from the token of the call, so no plugin has a word in it; calls between plugins stay in the depth they began in.
const maxHops = 8

// codeHops says that events have caused each other too deep.
const codeHops = "plugin.event_depth"

// chains remembers of each plugin which chain of events was last stopped, so that a handler that is tried again is logged once.
type chains struct {
	mu      sync.Mutex
	stopped map[string]string // plugin → id of the call
}

// first reports whether this is news.
func (c *chains) first(plugin, call string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped == nil {
		c.stopped = map[string]string{}
	}
	if c.stopped[plugin] == call {
		return false
	}
	c.stopped[plugin] = call
	return true
}

// shallow refuses events that would be too deep.
func (h *Host) shallow(plugin string, a authority, events []*pluginpb.NewEvent) error {
	if a.hops <= maxHops || len(events) == 0 {
		return nil
	}
	h.seen.deep.WithLabelValues(plugin).Inc()
	if h.chains.first(plugin, a.requestID) {
		h.log.Error("events of plugins cause each other without end; this chain was stopped", "plugin", plugin, "event", plugin+"."+events[0].GetType(), "depth", a.hops, "request_id", a.requestID)
	}
	return fault.Newf(fault.Conflict, codeHops, "插件之间的事件互相触发超过 %d 层，已停止发布。请检查事件处理是否又触发了它自己", maxHops).
		Because(fmt.Errorf("%s of %s would be at depth %d", events[0].GetType(), plugin, a.hops))
}
