package trail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"minifleet/app/store"
)

// Signer signs the chain's anchors with the keyset; secret.Vault is one. Whoever writes to the database but has not the
// key file cannot make anchors.
type Signer interface {
	Sign(purpose, text string) (string, error)
	Verify(purpose, signed string) (string, error)
}

// Chain seals what a Log appends. Safe for concurrent use; one of all replicas seals at a time.
type Chain struct {
	log    *Log
	db     *store.DB
	signer Signer
	logger *slog.Logger
}

// NewChain makes the chain of a log; nothing runs until Run.
func NewChain(l *Log, signer Signer, logger *slog.Logger) *Chain {
	return &Chain{log: l, db: l.db, signer: signer, logger: logger}
}

// Bounds of sealing.
const (
	sealEvery   = 500 * time.Millisecond // how soon an entry has its place
	sealLease   = 20 * time.Second       // after which another replica seals, in wall time
	sealMost    = 500                    // entries of one transaction
	anchorEvery = 1000                   // entries
	anchorAfter = time.Hour              // at the latest, when there is something new
	genesis     = "0000000000000000000000000000000000000000000000000000000000000000"
	purpose     = "trail.anchor"
)

// Kinds of anchors.
const (
	kindAnchor = "anchor"
	kindPruned = "pruned"
	kindHead   = "head"
)

// anchor is a signed point of the chain.
type anchor struct {
	N         int64
	Kind      string
	Seq       int64
	Hash      string
	At        int64 // Unix milliseconds
	Signature string
}

func (a anchor) text(before string) string {
	return fmt.Sprintf("%d|%s|%d|%s|%d|%s", a.N, a.Kind, a.Seq, a.Hash, a.At, before)
}

// sign fills the signature; before is that of the anchor before it.
func (c *Chain) sign(a anchor, before string) (anchor, error) {
	text := a.text(before)
	signed, err := c.signer.Sign(purpose, text)
	if err != nil {
		return a, fmt.Errorf("trail: sign anchor: %w", err)
	}
	a.Signature = signed[len(text)+1:]
	return a, nil
}

func (c *Chain) genuine(a anchor, before string) bool {
	text := a.text(before)
	got, err := c.signer.Verify(purpose, text+"."+a.Signature)
	return err == nil && got == text
}

// sealed is an entry as the chain sees it: every column, in the order of the canonical encoding.
type sealed struct {
	ID, At, AccountID, SpaceID, ErrCode, DurationMS, ViaID, BehalfSpaceID                                        int64
	Actor, Plugin, Component, AppID, Act, Object, Outcome, RID, RequestID, Detail, Via, ViaName, Behalf, Changes string
}

const sealedColumns = "id,at,account_id,space_id,errcode,duration_ms,via_id,behalf_space_id,actor,plugin,component,appid,act,object,outcome,rid,request_id,detail,via,via_name,behalf,COALESCE(changes,'')"

func (s *sealed) fields() []any {
	return []any{&s.ID, &s.At, &s.AccountID, &s.SpaceID, &s.ErrCode, &s.DurationMS, &s.ViaID, &s.BehalfSpaceID, &s.Actor, &s.Plugin, &s.Component, &s.AppID, &s.Act,
		&s.Object, &s.Outcome, &s.RID, &s.RequestID, &s.Detail, &s.Via, &s.ViaName, &s.Behalf, &s.Changes}
}

// hash is SHA-256 over the format's name, the place, the hash before, and every column with its length before it, so that no
// two different entries read alike. buf is room to write in and comes back grown.
func (s *sealed) hash(seq int64, before string, buf []byte) (string, []byte) {
	b := append(buf[:0], "minifleet-trail-1\n"...)
	b = strconv.AppendInt(b, seq, 10)
	b = append(append(append(b, '\n'), before...), '\n')
	for _, n := range [...]int64{s.ID, s.At, s.AccountID, s.SpaceID, s.ErrCode, s.DurationMS, s.ViaID, s.BehalfSpaceID} {
		b = append(strconv.AppendInt(b, n, 10), ';')
	}
	for _, t := range [...]string{s.Actor, s.Plugin, s.Component, s.AppID, s.Act, s.Object, s.Outcome, s.RID, s.RequestID, s.Detail, s.Via, s.ViaName, s.Behalf, s.Changes} {
		b = append(strconv.AppendInt(b, int64(len(t)), 10), ':')
		b = append(b, t...)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), b
}

// Run seals until ctx ends.
func (c *Chain) Run(ctx context.Context) error {
	t := time.NewTicker(sealEvery)
	defer t.Stop()
	for {
		if _, err := c.Seal(ctx); err != nil && ctx.Err() == nil {
			c.logger.ErrorContext(ctx, "operation log entries could not be sealed, will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// Seal gives every entry that has none its place in the chain, and tells how many those were; 0 when another replica is at it.
func (c *Chain) Seal(ctx context.Context) (int, error) {
	waiting, err := c.db.Int(ctx, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM trail WHERE seq IS NULL LIMIT 1) waiting")
	if err != nil || waiting == 0 {
		return 0, err
	}
	total := 0
	err = c.alone(ctx, func(extend func() (bool, error)) error {
		for {
			n, err := c.sealSome(ctx)
			total += n
			if err != nil || n < sealMost {
				return err
			}
			if held, err := extend(); err != nil || !held {
				return err
			}
		}
	})
	return total, err
}

// alone runs f holding the chain's lease; when another holds it f does not run.
func (c *Chain) alone(ctx context.Context, f func(extend func() (bool, error)) error) error {
	lease, ok, err := c.db.Lease(ctx, "trail.seal", sealLease)
	if err != nil || !ok {
		return err
	}
	err = f(func() (bool, error) { return c.db.Extend(ctx, lease, sealLease) })
	return errors.Join(err, c.db.Release(context.WithoutCancel(ctx), lease))
}

// errRaced says that another replica sealed at the same time, having taken over the lease: nothing was written.
var errRaced = errors.New("trail: another replica has sealed meanwhile")

// sealSome seals one transaction's worth. The unique index on seq refuses a second sealer whatever became of its lease.
func (c *Chain) sealSome(ctx context.Context) (int, error) {
	done := 0
	err := c.db.Tx(ctx, func(ctx context.Context) error {
		head, err := c.head(ctx)
		if err != nil {
			return err
		}
		var rows []sealed
		if err := c.unsealed(ctx, &rows); err != nil || len(rows) == 0 {
			done = 0
			return err
		}
		last, err := c.lastAnchor(ctx)
		if err != nil {
			return err
		}
		var buf []byte
		for i := range rows {
			head.Seq++
			head.Hash, buf = rows[i].hash(head.Seq, head.Hash, buf)
			n, err := c.db.Exec(ctx, "UPDATE trail SET seq=?, hash=? WHERE id=? AND seq IS NULL", head.Seq, head.Hash, rows[i].ID)
			if err != nil {
				return err
			}
			if n == 0 {
				return errRaced
			}
			if head.Seq%anchorEvery == 0 || i == len(rows)-1 && c.log.millis()-last.At > anchorAfter.Milliseconds() {
				if last, err = c.addAnchor(ctx, last, kindAnchor, head.Seq, head.Hash); err != nil {
					return err
				}
			}
		}
		done = len(rows)
		return c.setHead(ctx, head)
	})
	if err != nil {
		return 0, fmt.Errorf("trail: seal: %w", err)
	}
	return done, nil
}

// sealedRow is what the mapper of the store fills.
type sealedRow struct {
	ID            int64
	At            int64
	AccountID     int64
	SpaceID       int64
	ErrCode       int64 `orm:"errcode"`
	DurationMS    int64 `orm:"duration_ms"`
	ViaID         int64
	BehalfSpaceID int64
	Actor         string
	Plugin        string
	Component     string
	AppID         string `orm:"appid"`
	Act           string
	Object        string
	Outcome       string
	RID           string `orm:"rid"`
	RequestID     string
	Detail        string
	Via           string
	ViaName       string
	Behalf        string
	Changes       string
}

func (c *Chain) unsealed(ctx context.Context, into *[]sealed) error {
	var rows []sealedRow
	if err := c.db.All(ctx, &rows, "SELECT * FROM trail WHERE seq IS NULL ORDER BY id LIMIT ?", sealMost); err != nil {
		return err
	}
	for _, r := range rows {
		*into = append(*into, sealed{
			ID: r.ID, At: r.At, AccountID: r.AccountID, SpaceID: r.SpaceID, ErrCode: r.ErrCode, DurationMS: r.DurationMS, ViaID: r.ViaID, BehalfSpaceID: r.BehalfSpaceID,
			Actor: r.Actor, Plugin: r.Plugin, Component: r.Component, AppID: r.AppID, Act: r.Act, Object: r.Object, Outcome: r.Outcome, RID: r.RID, RequestID: r.RequestID,
			Detail: r.Detail, Via: r.Via, ViaName: r.ViaName, Behalf: r.Behalf, Changes: r.Changes,
		})
	}
	return nil
}

// head is the newest sealed entry by the signed row. When that is gone although there is a chain, the chain goes on from
// what is there, and an entry in it says so.
func (c *Chain) head(ctx context.Context) (anchor, error) {
	var h anchor
	found, err := c.db.One(ctx, &h, "SELECT * FROM trail_anchor WHERE n=0")
	if err != nil || found {
		return h, err
	}
	h = anchor{Kind: kindHead, Hash: genesis}
	found, err = c.db.One(ctx, &h, "SELECT seq, hash FROM trail WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1")
	if err != nil {
		return h, err
	}
	if !found {
		if found, err = c.db.One(ctx, &h, "SELECT seq, hash FROM trail_anchor ORDER BY n DESC LIMIT 1"); err != nil {
			return h, err
		}
	}
	if found {
		return h, c.log.Record(ctx, Entry{Actor: "系统", Act: "trail.head_lost", Outcome: Failed, Detail: fmt.Sprintf("校验链的链头记录不见了，从第 %d 条继续；请运行 minifleet doctor --trail", h.Seq)})
	}
	return h, nil
}

func (c *Chain) setHead(ctx context.Context, h anchor) error {
	h.N, h.Kind, h.At = 0, kindHead, c.log.millis()
	h, err := c.sign(h, "")
	if err != nil {
		return err
	}
	return c.db.Upsert(ctx, "trail_anchor", h.columns(), "n")
}

func (a anchor) columns() map[string]any {
	return map[string]any{"n": a.N, "kind": a.Kind, "seq": a.Seq, "hash": a.Hash, "at": a.At, "signature": a.Signature}
}

func (c *Chain) lastAnchor(ctx context.Context) (a anchor, err error) {
	_, err = c.db.One(ctx, &a, "SELECT * FROM trail_anchor WHERE n>0 ORDER BY n DESC LIMIT 1")
	return a, err
}

func (c *Chain) addAnchor(ctx context.Context, last anchor, kind string, seq int64, hash string) (anchor, error) {
	a, err := c.sign(anchor{N: last.N + 1, Kind: kind, Seq: seq, Hash: hash, At: c.log.millis()}, last.Signature)
	if err != nil {
		return a, err
	}
	return a, c.db.Insert(ctx, "trail_anchor", a.columns())
}

// pruneMost bounds what one transaction removes.
const pruneMost = 5000

// Prune removes sealed entries older than before, from the chain's beginning on, and leaves a signed anchor from which
// what stays is verified. The operator chooses how long to keep them.
func (c *Chain) Prune(ctx context.Context, before time.Time) (int64, error) {
	var total int64
	err := c.alone(ctx, func(extend func() (bool, error)) error {
		for {
			n, err := c.pruneSome(ctx, before.UnixMilli())
			total += n
			if err != nil || n < pruneMost {
				return err
			}
			if held, err := extend(); err != nil || !held {
				return err
			}
		}
	})
	if err != nil {
		return total, fmt.Errorf("trail: prune: %w", err)
	}
	return total, nil
}

func (c *Chain) pruneSome(ctx context.Context, before int64) (n int64, err error) {
	err = c.db.Tx(ctx, func(ctx context.Context) error {
		n = 0
		first, err := c.db.Int(ctx, "SELECT COALESCE(MIN(seq),0) FROM trail WHERE seq IS NOT NULL")
		if err != nil || first == 0 {
			return err
		}
		// Platform time and order of sealing differ by moments only: the first that is young enough ends the run.
		young, err := c.db.Int(ctx, "SELECT COALESCE(MIN(seq),0) FROM (SELECT seq, at FROM trail WHERE seq>=? AND seq<? ORDER BY seq) old WHERE at>=?", first, first+pruneMost, before)
		if err != nil {
			return err
		}
		last := young - 1
		if young == 0 {
			if last, err = c.db.Int(ctx, "SELECT COALESCE(MAX(seq),0) FROM trail WHERE seq>=? AND seq<?", first, first+pruneMost); err != nil {
				return err
			}
		}
		if last < first {
			return nil
		}
		var at anchor
		found, err := c.db.One(ctx, &at, "SELECT seq, hash FROM trail WHERE seq=?", last)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("entry %d of the chain is missing; nothing more is removed until minifleet doctor --trail was looked at", last)
		}
		newest, err := c.lastAnchor(ctx)
		if err != nil {
			return err
		}
		if _, err := c.addAnchor(ctx, newest, kindPruned, at.Seq, at.Hash); err != nil {
			return err
		}
		n, err = c.db.Exec(ctx, "DELETE FROM trail WHERE seq<=?", last)
		return err
	})
	return n, err
}
