package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of a write.
const (
	maxOps      = 500
	maxEvents   = 100
	maxIdemKey  = 120
	maxEventRaw = 1 << 20
)

// committer writes: rows, events and the idempotency key in one transaction.
type committer struct {
	data
	clock      clock.Clock
	events     Events
	components Components
	quota      Quota
}

type committed struct {
	ids      []int64
	repeated bool
}

// commit carries a plugin's request out, wholly or not at all.
func (c committer) commit(ctx context.Context, plugin string, a authority, known map[string]*collection, request *pluginpb.CommitRequest) (committed, error) {
	var done committed
	switch {
	case len(request.GetOps()) > maxOps || len(request.GetEvents()) > maxEvents:
		return done, mistake("%d ops and %d events in one commit", len(request.GetOps()), len(request.GetEvents()))
	case len(request.GetIdempotencyKey()) > maxIdemKey:
		return done, mistake("idempotency key of %d bytes", len(request.GetIdempotencyKey()))
	case a.kind != byEvent && a.kind != byJob && a.actor.Nobody():
		return done, fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
	}
	if err := c.mayPublish(ctx, a, request.GetEvents()); err != nil {
		return done, err
	}
	records, err := c.records(plugin, a, request.GetEvents())
	if err != nil {
		return done, err
	}
	err = c.db.Tx(ctx, func(ctx context.Context) error {
		done = committed{}
		if key := request.GetIdempotencyKey(); key != "" {
			ids, repeated, err := c.claim(ctx, plugin, key)
			if err != nil || repeated {
				done = committed{ids, repeated}
				return err
			}
		}
		w := c.writing(plugin, a)
		for _, op := range request.GetOps() {
			id, err := w.apply(ctx, known, op)
			if err != nil {
				return err
			}
			done.ids = append(done.ids, id)
		}
		if err := w.settle(ctx); err != nil {
			return err
		}
		if key := request.GetIdempotencyKey(); key != "" {
			if err := c.remember(ctx, plugin, key, done.ids); err != nil {
				return err
			}
		}
		if len(records) == 0 {
			return nil
		}
		return c.events.AppendTx(ctx, records)
	})
	if err != nil {
		return committed{}, err
	}
	if len(records) > 0 && !done.repeated {
		c.events.Wake()
	}
	return done, nil
}

// claim takes the key. The insert waits for a transaction that holds the same key, so exactly one caller writes.
func (c committer) claim(ctx context.Context, plugin, key string) (ids []int64, repeated bool, err error) {
	added, err := c.db.InsertIgnore(ctx, "plugin_commit", map[string]any{
		"plugin": plugin, "idem_key": key, "ids": "[]", "created_at": time.Now().UnixMilli(),
	})
	if err != nil || added {
		return nil, false, err
	}
	var row struct{ Ids string }
	if _, err := c.db.One(ctx, &row, "SELECT ids FROM plugin_commit WHERE plugin=? AND idem_key=?", plugin, key); err != nil {
		return nil, false, err
	}
	if err := json.Unmarshal([]byte(row.Ids), &ids); err != nil {
		return nil, false, fmt.Errorf("read ids of commit %s/%s: %w", plugin, key, err)
	}
	return ids, true, nil
}

func (c committer) remember(ctx context.Context, plugin, key string, ids []int64) error {
	encoded, err := json.Marshal(ids)
	if err != nil {
		return fmt.Errorf("note ids of commit %s/%s: %w", plugin, key, err)
	}
	_, err = c.db.Exec(ctx, "UPDATE plugin_commit SET ids=? WHERE plugin=? AND idem_key=?", string(encoded), plugin, key)
	return err
}

// prune forgets idempotency keys older than before and delegations that ended before it.
func (c committer) prune(ctx context.Context, before time.Time) (int64, error) {
	keys, keysErr := c.db.Exec(ctx, "DELETE FROM plugin_commit WHERE created_at<?", before.UnixMilli())
	rows, rowsErr := c.db.Exec(ctx, "DELETE FROM plugin_delegation WHERE until_at<? OR (ended_at>0 AND ended_at<?)", before.UnixMilli(), before.UnixMilli())
	if err := errors.Join(keysErr, rowsErr); err != nil {
		return 0, fmt.Errorf("prune plugin data: %w", err)
	}
	return keys + rows, nil
}
