// Package event is the durable event log: append, fan out, deliver in order, retry, dead-letter, replay, list, prune.
// It never decides what an event means and never talks to WeChat. The inbox appends pushes, the core and the plugin host
// append their own events, and every subscriber (core rooms, plugins) is called at least once per event it asked for.
package event
