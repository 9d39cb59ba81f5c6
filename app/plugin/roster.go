package plugin

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// roster is who is there: the plugins of the house from the start, extensions as they are approved and withdrawn. Reading
// costs one load: every call of a plugin looks its unit up.
type roster struct {
	mu  sync.Mutex // of those who change it
	now atomic.Pointer[present]
}

type present struct {
	units map[string]*unit
	order []string
}

// get is nil for an id that is not there.
func (r *roster) get(id string) *unit {
	now := r.now.Load()
	if now == nil {
		return nil
	}
	return now.units[id]
}

// list gives all in the order in which they came.
func (r *roster) list() []*unit {
	now := r.now.Load()
	if now == nil {
		return nil
	}
	all := make([]*unit, len(now.order))
	for i, id := range now.order {
		all[i] = now.units[id]
	}
	return all
}

// add reports false when the id is taken.
func (r *roster) add(u *unit) bool {
	return r.change(func(next *present) bool {
		if next.units[u.id] != nil {
			return false
		}
		next.units[u.id] = u
		next.order = append(next.order, u.id)
		return true
	})
}

// remove takes this very unit out, and reports whether it was there.
func (r *roster) remove(u *unit) bool {
	return r.change(func(next *present) bool {
		if next.units[u.id] != u {
			return false
		}
		delete(next.units, u.id)
		next.order = slices.DeleteFunc(next.order, func(id string) bool { return id == u.id })
		return true
	})
}

func (r *roster) change(f func(next *present) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := &present{units: map[string]*unit{}}
	if now := r.now.Load(); now != nil {
		next.units, next.order = maps.Clone(now.units), slices.Clone(now.order)
	}
	if !f(next) {
		return false
	}
	r.now.Store(next)
	return true
}

// unit is a plugin that is there, nil otherwise.
func (h *Host) unit(id string) *unit { return h.roster.get(id) }
