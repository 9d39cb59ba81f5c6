package inbox

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/wechat"
)

// Ages of cached keys, in wall time.
const (
	keysLive   = 30 * time.Second // after this they are read again
	keysSettle = 2 * time.Second  // younger ones are not read again because a signature failed
)

// keyring caches the ready cipher of each bound component.
type keyring struct {
	source Keys
	wall   func() time.Time
	flight singleflight.Group

	mu   sync.RWMutex
	held map[string]heldKeys
	gen  map[string]uint64 // grows with every drop, so that a load that began before it is not kept
}

type heldKeys struct {
	keys    component.Keys
	crypter *wechat.Crypter
	read    time.Time
}

func newKeyring(source Keys, wall func() time.Time) *keyring {
	return &keyring{source: source, wall: wall, held: map[string]heldKeys{}, gen: map[string]uint64{}}
}

// rotating tells whether two tokens or two AES keys are good.
func (h heldKeys) rotating() bool { return len(h.keys.Tokens) > 1 || len(h.keys.AESKeys) > 1 }

// match finds the pair that a push came under: its cipher, for an answer under the same pair (01 A.5), and whether it is
// the current one. The push has been verified and opened before.
func (h heldKeys) match(id string, s wechat.Signed, encrypt string) (c *wechat.Crypter, current bool, err error) {
	if !h.rotating() {
		return h.crypter, true, nil
	}
	for i, token := range h.keys.Tokens {
		for j, key := range h.keys.AESKeys {
			one, err := wechat.NewCrypter(id, []string{token}, []string{key})
			if err != nil {
				return nil, false, fmt.Errorf("inbox: %w", err)
			}
			if one.Verify(s, encrypt) != nil {
				break // the other keys of this token change nothing about its signature
			}
			if _, err := one.Decrypt(encrypt); err == nil {
				return one, i == 0 && j == 0, nil
			}
		}
	}
	return nil, false, fmt.Errorf("inbox: no single pair of keys of %s opens a push that was opened", id)
}

// get gives the keys of a component. A component that is not bound is a Refusal.
func (k *keyring) get(ctx context.Context, id string) (heldKeys, error) {
	k.mu.RLock()
	h, ok := k.held[id]
	k.mu.RUnlock()
	if ok && k.wall().Sub(h.read) < keysLive {
		return h, nil
	}
	return k.load(ctx, id)
}

// reload reads the keys again unless that was done a moment ago, and tells whether they differ from the cached ones.
func (k *keyring) reload(ctx context.Context, id string) (h heldKeys, changed bool, err error) {
	k.mu.RLock()
	before, ok := k.held[id]
	k.mu.RUnlock()
	if ok && k.wall().Sub(before.read) < keysSettle {
		return heldKeys{}, false, nil
	}
	after, err := k.load(ctx, id)
	if err != nil {
		return heldKeys{}, false, err
	}
	same := slices.Equal(before.keys.Tokens, after.keys.Tokens) && slices.Equal(before.keys.AESKeys, after.keys.AESKeys)
	return after, !same, nil
}

func (k *keyring) load(ctx context.Context, id string) (heldKeys, error) {
	v, err, _ := k.flight.Do(id, func() (any, error) {
		k.mu.RLock()
		gen := k.gen[id]
		k.mu.RUnlock()
		// Others wait for this load: the first one's hanging up must not fail them.
		loaded, err := k.source.Keys(context.WithoutCancel(ctx), id)
		if err != nil {
			if fault.From(err).Kind == fault.NotFound {
				k.mu.Lock()
				delete(k.held, id)
				k.mu.Unlock()
				return nil, wechat.Refuse(wechat.ReasonComponent, nil)
			}
			return nil, fmt.Errorf("inbox: keys of %s: %w", id, err)
		}
		crypter, err := wechat.NewCrypter(id, loaded.Tokens, loaded.AESKeys)
		if err != nil {
			return nil, fmt.Errorf("inbox: %w", err)
		}
		h := heldKeys{keys: loaded, crypter: crypter, read: k.wall()}
		k.mu.Lock()
		if k.gen[id] == gen {
			k.held[id] = h
		}
		k.mu.Unlock()
		return h, nil
	})
	if err != nil {
		return heldKeys{}, err
	}
	return v.(heldKeys), nil //nolint:forcetypeassert // the function above returns nothing else
}

// drop forgets a component's keys, also those that are just being read.
func (k *keyring) drop(id string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.gen[id]++
	delete(k.held, id)
}

// bound tells whether keys of the component are at hand.
func (k *keyring) bound(id string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	_, ok := k.held[id]
	return ok
}
