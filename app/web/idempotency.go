package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
)

// idempotency keeps the answers of unsafe calls that came with an Idempotency-Key, so that a repetition gets the
// same answer and does nothing.
type idempotency struct{ db *store.DB }

const idempotencyLife = 24 * time.Hour

// idempotencyLost is after how long a call without an answer counts as lost with its replica; longer than any call lasts.
// What must not happen twice is guarded below, by the rooms and plugins that do it.
const idempotencyLost = 5 * time.Minute

func sum(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// once runs work for a new key. For a known one it gives the stored answer; refused are a key that is still at work and
// one that came with another request before. A failed call frees its key.
func (i *idempotency) once(ctx context.Context, who account.Actor, key, call string, in any, work func() (int, []byte, error)) (int, []byte, error) {
	if len(key) > 200 {
		return 0, nil, fault.InvalidInput().On("Idempotency-Key", "最长 200 个字符")
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return 0, nil, fmt.Errorf("web: %w", err)
	}
	keyHash, request := sum(fmt.Sprint(who.AccountID), fmt.Sprint(who.SpaceID), strings.Join(who.Scopes, " "), key), sum(call, string(raw))
	added, err := i.db.InsertIgnore(ctx, "idempotency", map[string]any{"key_hash": keyHash, "request_hash": request, "status": 0, "account_id": who.AccountID, "created_at": time.Now().UnixMilli()})
	if err != nil {
		return 0, nil, err
	}
	if !added {
		status, body, mine, err := i.stored(ctx, keyHash, request)
		if err != nil || !mine {
			return status, body, err
		}
	}
	return i.run(ctx, keyHash, work)
}

// run does the work of a key that is ours and keeps its answer.
func (i *idempotency) run(ctx context.Context, keyHash string, work func() (int, []byte, error)) (int, []byte, error) {
	status, body, err := safely(work)
	ctx = context.WithoutCancel(ctx)
	if err != nil || status >= 400 {
		_, freed := i.db.Exec(ctx, "DELETE FROM idempotency WHERE key_hash=?", keyHash)
		return status, body, errors.Join(err, freed)
	}
	_, err = i.db.Exec(ctx, "UPDATE idempotency SET status=?, answer=? WHERE key_hash=?", status, body, keyHash)
	return status, body, err
}

func safely(work func() (int, []byte, error)) (status int, body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("web: a call panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return work()
}

// stored gives the answer kept for a key, or mine when the caller takes over a call that was lost.
func (i *idempotency) stored(ctx context.Context, keyHash, request string) (status int, body []byte, mine bool, err error) {
	var row struct {
		CreatedAt   int64
		RequestHash string
		Status      int
		Answer      []byte
	}
	found, err := i.db.One(ctx, &row, "SELECT request_hash, status, answer, created_at FROM idempotency WHERE key_hash=?", keyHash)
	switch {
	case err != nil:
		return 0, nil, false, err
	case found && row.RequestHash != request:
		return 0, nil, false, fault.New(fault.Conflict, "idempotency_key_reused", "这个 Idempotency-Key 已用于另一个请求")
	case found && row.Status != 0:
		return row.Status, row.Answer, false, nil
	}
	now := time.Now()
	if found && row.CreatedAt < now.Add(-idempotencyLost).UnixMilli() {
		n, err := i.db.Exec(ctx, "UPDATE idempotency SET created_at=? WHERE key_hash=? AND status=0 AND created_at=?", now.UnixMilli(), keyHash, row.CreatedAt)
		if err != nil || n == 1 {
			return 0, nil, n == 1, err
		}
	}
	return 0, nil, false, fault.New(fault.Conflict, "idempotency_in_progress", "同一个请求正在处理，请稍后再试")
}

// Prune forgets keys after a day; a core job calls it.
func (s *Server) Prune(ctx context.Context) (int64, error) {
	return s.o.DB.Exec(ctx, "DELETE FROM idempotency WHERE created_at<?", time.Now().Add(-idempotencyLife).UnixMilli())
}
