package inbox

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	ownersLive = 30 * time.Second // wall time
	ownersMax  = 20_000           // entries; beyond, the cache starts afresh
)

// ownerCache remembers for a moment which gh_ id belongs to an authorised appid. What is unknown is asked again every
// time, so that a fresh authorisation counts at once.
type ownerCache struct {
	source Owners
	wall   func() time.Time
	mu     sync.RWMutex
	held   map[ownerKey]heldOwner
}

type ownerKey struct{ component, appid string }

type heldOwner struct {
	userName string
	read     time.Time
}

func newOwnerCache(source Owners, wall func() time.Time) *ownerCache {
	return &ownerCache{source: source, wall: wall, held: map[ownerKey]heldOwner{}}
}

// owns tells whether the push's ToUserName is that of the mini program in the path.
func (o *ownerCache) owns(ctx context.Context, component, appid, toUserName string) (bool, error) {
	if toUserName == "" {
		return false, nil
	}
	key := ownerKey{component, appid}
	now := o.wall()
	o.mu.RLock()
	h, ok := o.held[key]
	o.mu.RUnlock()
	if ok && now.Sub(h.read) < ownersLive {
		return h.userName == toUserName, nil
	}
	name, known, err := o.source.Owner(ctx, component, appid)
	if err != nil {
		return false, fmt.Errorf("inbox: owner of %s: %w", appid, err)
	}
	if !known || name == "" {
		return false, nil
	}
	o.mu.Lock()
	if len(o.held) >= ownersMax {
		clear(o.held)
	}
	o.held[key] = heldOwner{name, now}
	o.mu.Unlock()
	return name == toUserName, nil
}

func (o *ownerCache) drop(component string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for k := range o.held {
		if k.component == component {
			delete(o.held, k)
		}
	}
}
