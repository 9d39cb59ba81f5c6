package simulator

import (
	"math"
)

// resources are what the interfaces behind the version lanes know: one collection per resource of WeChat.
type resources struct {
	timers  *collection[timer]
	tasks   *collection[task]
	reviews *collection[review]
	media   *collection[medium]

	nextDueMs int64 // when the next timer may be due; not stored
}

func newResources(log *journal) resources {
	return resources{
		timers:  newCollection[timer]("timer", log),
		tasks:   newCollection[task]("task", log),
		reviews: newCollection[review]("review", log),
		media:   newCollection[medium]("media", log),

		nextDueMs: math.MinInt64, // after a load the first look finds out
	}
}

func (r resources) kinds() map[string]restorer {
	return map[string]restorer{"timer": r.timers, "task": r.tasks, "review": r.reviews, "media": r.media}
}
