package plugin

import "time"

// HurryTopics has listeners looked at and kept awake more often than anybody would wait for in a test.
func (h *Host) HurryTopics(beat, recheck time.Duration) {
	h.topics.beat, h.topics.recheck = beat, recheck
}

// LookAtListeners is what a change of somebody's rights does.
func (h *Host) LookAtListeners(plugin string) { h.topics.look(plugin) }

// Listeners is how many browsers listen here.
func (h *Host) Listeners() int { return h.topics.count() }
