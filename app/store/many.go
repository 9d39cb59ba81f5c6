package store

import (
	"sync"
	"time"
)

// many remembers which questions had more rows than their bound, and until when that holds.
type many struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (m *many) fresh(key string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.until[key]
	return ok && time.Now().Before(until)
}

func (m *many) note(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.until == nil || len(m.until) >= maxMany {
		m.until = map[string]time.Time{}
	}
	m.until[key] = time.Now().Add(manyFor)
}
