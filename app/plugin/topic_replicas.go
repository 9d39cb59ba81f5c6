package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"minifleet/app/fault"
)

// This file carries news to the listeners of other replicas, through two small tables. A replica that has listeners says so
// every few seconds and reads the news of others every second; one that publishes writes only while others have said so. So
// news reach another replica within two seconds, a listener that has just come there hears the first ones after up to three,
// and one replica alone writes nothing.
const (
	newsTick      = 250 * time.Millisecond // news are packed into a row this often
	newsRead      = time.Second
	listeningTold = 4 * time.Second
	listeningLost = 15 * time.Second // a replica that has not said so for as long has nobody
	othersKnown   = 2 * time.Second
	newsWindow    = 30 * time.Second // rows this old are still looked for: clocks differ, and commits come late
	newsKept      = 2 * time.Minute
	relayMost     = 1 << 20 // bytes that wait for being packed
)

// packed is one message on its way.
type packed struct {
	subject
	Data json.RawMessage `json:"data"`
}

// relay is what a replica has for the others and knows of them. It is guarded by the hub's lock.
type relay struct {
	outbox  []packed
	bytes   int
	asked   time.Time // when it was last looked whether others listen
	present bool
}

func newRelay() relay { return relay{} }

// tellOthers gives a message to the listeners of other replicas. That there are none, or that they hear nothing, is no
// failure of who publishes.
func (h *Host) tellOthers(ctx context.Context, about subject, data []byte) {
	now := time.Now()
	h.topics.mu.Lock()
	known, present := now.Sub(h.topics.others.asked) < othersKnown, h.topics.others.present
	h.topics.mu.Unlock()
	if !known {
		n, err := h.options.DB.Int(ctx, "SELECT COUNT(*) FROM plugin_listening WHERE replica<>? AND seen_at>?", h.replica, now.Add(-listeningLost).UnixMilli())
		if err != nil {
			h.log.Warn("news for other replicas", "error", err.Error())
			return
		}
		present = n > 0
		h.topics.mu.Lock()
		h.topics.others.asked, h.topics.others.present = now, present
		h.topics.mu.Unlock()
	}
	if !present {
		return
	}
	h.topics.mu.Lock()
	defer h.topics.mu.Unlock()
	if h.topics.others.bytes+len(data) > relayMost {
		h.log.Warn("news for other replicas are dropped: too many wait", "plugin", about.Plugin)
		return
	}
	h.topics.others.outbox = append(h.topics.others.outbox, packed{about, data})
	h.topics.others.bytes += len(data)
	poke(h.topics.sent)
}

// relayNews runs until the host stops.
func (h *Host) relayNews(ctx context.Context) {
	r := replicaNews{host: h, seen: map[int64]time.Time{}}
	tick := time.NewTicker(newsTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			r.leave()
			return
		case <-h.topics.first:
			r.told = time.Time{} // at once
		case <-tick.C:
		}
		if err := r.step(ctx, time.Now()); err != nil && ctx.Err() == nil {
			h.log.Warn("news of topics between replicas", "error", fault.From(err).Error())
			select {
			case <-ctx.Done():
			case <-time.After(newsRead):
			}
		}
	}
}

// replicaNews is the state of one replica's loop.
type replicaNews struct {
	host               *Host
	told, read, pruned time.Time
	listed             bool // this replica stands in plugin_listening
	begun              bool // what was published before the first listener came has been passed over
	seen               map[int64]time.Time
}

func (r *replicaNews) step(ctx context.Context, now time.Time) error {
	if err := r.write(ctx, now); err != nil {
		return err
	}
	if r.host.topics.count() == 0 {
		if r.listed {
			r.leave()
		}
		return nil
	}
	if now.Sub(r.told) >= listeningTold {
		if err := r.tell(ctx, now); err != nil {
			return err
		}
	}
	if now.Sub(r.read) < newsRead {
		return nil
	}
	r.read = now
	return r.hear(ctx, now)
}

// tell says that this replica has listeners.
func (r *replicaNews) tell(ctx context.Context, now time.Time) error {
	r.told = now
	added, err := r.host.options.DB.InsertIgnore(ctx, "plugin_listening", map[string]any{"replica": r.host.replica, "seen_at": now.UnixMilli()})
	if err == nil && !added {
		_, err = r.host.options.DB.Exec(ctx, "UPDATE plugin_listening SET seen_at=? WHERE replica=?", now.UnixMilli(), r.host.replica)
	}
	r.listed = r.listed || err == nil
	return err
}

// leave takes this replica off the list. Failing is harmless: it is believed gone after a while.
func (r *replicaNews) leave() {
	if r.begun = false; !r.listed {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := r.host.options.DB.Exec(ctx, "DELETE FROM plugin_listening WHERE replica=?", r.host.replica); err != nil {
		r.host.log.Warn("news of topics between replicas", "error", err.Error())
		return
	}
	r.listed = false
}

// write packs what waits into one row, and clears old ones away.
func (r *replicaNews) write(ctx context.Context, now time.Time) error {
	t := r.host.topics
	t.mu.Lock()
	waiting := t.others.outbox
	t.others.outbox, t.others.bytes = nil, 0
	t.mu.Unlock()
	if len(waiting) == 0 {
		return nil
	}
	body, err := json.Marshal(waiting)
	if err != nil {
		return fmt.Errorf("pack news: %w", err)
	}
	db := r.host.options.DB
	if err := db.Insert(ctx, "plugin_news", map[string]any{"id": db.NewID(), "replica": r.host.replica, "at": now.UnixMilli(), "body": body}); err != nil {
		return err
	}
	if now.Sub(r.pruned) < newsKept {
		return nil
	}
	r.pruned = now
	if _, err := db.Exec(ctx, "DELETE FROM plugin_news WHERE at<?", now.Add(-newsKept).UnixMilli()); err != nil {
		return err
	}
	_, err = db.Exec(ctx, "DELETE FROM plugin_listening WHERE seen_at<?", now.Add(-time.Hour).UnixMilli())
	return err
}

// hear reads what other replicas have published.
func (r *replicaNews) hear(ctx context.Context, now time.Time) error {
	var fresh []struct{ ID int64 }
	if err := r.host.options.DB.All(ctx, &fresh, "SELECT id FROM plugin_news WHERE at>? AND replica<>? ORDER BY at, id", now.Add(-newsWindow).UnixMilli(), r.host.replica); err != nil {
		return err
	}
	for _, row := range fresh {
		if _, known := r.seen[row.ID]; known {
			continue
		}
		r.seen[row.ID] = now
		if !r.begun {
			continue
		}
		var held struct{ Body []byte }
		found, err := r.host.options.DB.One(ctx, &held, "SELECT body FROM plugin_news WHERE id=?", row.ID)
		if err != nil {
			return err
		}
		var news []packed
		if found {
			if err := json.Unmarshal(held.Body, &news); err != nil {
				return fmt.Errorf("unpack news %d: %w", row.ID, err)
			}
		}
		for _, one := range news {
			r.host.topics.tell(one.subject, one.Data)
		}
	}
	r.begun = true
	for id, at := range r.seen {
		if now.Sub(at) > 2*newsWindow {
			delete(r.seen, id)
		}
	}
	return nil
}
