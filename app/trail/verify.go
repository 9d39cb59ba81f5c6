package trail

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// What is wrong with a bad entry.
const (
	Edited        = "edited"         // content, place or predecessor is not what was sealed
	Missing       = "missing"        // entries were removed
	Surplus       = "surplus"        // sealed by somebody else, behind the head
	AnchorForged  = "anchor_forged"  // an anchor's signature does not fit
	AnchorMissing = "anchor_missing" // an anchor that must exist does not
	AnchorDiffers = "anchor_differs" // the chain was computed anew: it does not pass through its signed point
	HeadLost      = "head_lost"      // the signed head is gone
	WitnessFailed = "witness_failed" // the head noted elsewhere is not in this chain
)

// Finding is the first thing that is wrong.
type Finding struct {
	Kind  string `json:"kind"`
	Seq   int64  `json:"seq"`          // place in the chain
	ID    int64  `json:"id,string"`    // the entry, 0 when there is none
	At    int64  `json:"at,omitempty"` // its time
	Words string `json:"words"`        // Chinese
}

// Report is the outcome of Verify.
type Report struct {
	OK       bool     `json:"ok"`
	Bad      *Finding `json:"bad,omitempty"`
	Entries  int64    `json:"entries"` // verified
	First    int64    `json:"first"`   // place of the first, 0 when there is none
	Last     int64    `json:"last"`
	Pruned   int64    `json:"pruned"` // place up to which entries were removed by age
	HeadHash string   `json:"head_hash"`
	Anchors  int64    `json:"anchors"` // signed points passed, the head included
	// Unsealed entries have no place yet: those of the last moments, or, when the oldest is older, of a platform that stands still.
	Unsealed       int64   `json:"unsealed"`
	UnsealedSince  int64   `json:"unsealed_since,omitempty"` // time of the oldest, Unix milliseconds
	TookMS         int64   `json:"took_ms"`
	EntriesPerSec  float64 `json:"entries_per_second"`
	WitnessChecked bool    `json:"witness_checked"`
}

// VerifyOptions refine a verification.
type VerifyOptions struct {
	// Witness is a head that was noted outside the database, like 1234:9f86…; the chain must pass through it. It finds
	// even a database that was put back to an earlier state.
	Witness string
	// Progress is called now and then with the entries verified so far; nil is not.
	Progress func(int64)
}

// Head is the newest sealed place in the form that Witness takes: note it where nobody who writes to the database can.
func (r Report) Head() string {
	if r.Last == 0 {
		return ""
	}
	return strconv.FormatInt(r.Last, 10) + ":" + r.HeadHash
}

// verifyPage is how many entries are held at once.
const verifyPage = 2000

// Verify walks the whole chain and finds the first entry that was edited, removed, put in or moved since it was sealed.
// It reads page by page and needs little memory whatever the length. An error means that it could not be done.
func (c *Chain) Verify(ctx context.Context, o VerifyOptions) (Report, error) {
	began := time.Now()
	w := &walk{chain: c, o: o, db: c.db.Reader()}
	err := w.all(ctx)
	if err != nil {
		return w.report, fmt.Errorf("trail: verify: %w", err)
	}
	took := time.Since(began)
	w.report.OK = w.report.Bad == nil
	w.report.TookMS = took.Milliseconds()
	w.report.EntriesPerSec = float64(w.report.Entries) / max(took.Seconds(), 1e-6)
	return w.report, nil
}

// walk is one verification under way.
type walk struct {
	chain   *Chain
	o       VerifyOptions
	db      *sql.DB
	report  Report
	head    anchor
	anchors []anchor // genuine ones ahead, oldest first
	witness anchor
	seq     int64 // verified up to
	hash    string
	buf     []byte
}

func (w *walk) bad(f Finding) {
	if w.report.Bad == nil {
		w.report.Bad = &f
	}
}

func (w *walk) all(ctx context.Context) error {
	if err := w.readWitness(); err != nil {
		return err
	}
	if err := w.counts(ctx); err != nil {
		return err
	}
	// The head is read before the walk: what is sealed meanwhile waits for the next verification.
	if err := w.readHead(ctx); err != nil || w.report.Bad != nil {
		return err
	}
	if err := w.readAnchors(ctx); err != nil || w.report.Bad != nil {
		return err
	}
	w.hash = genesis
	if err := w.skipPruned(ctx); err != nil {
		return err
	}
	w.report.Pruned = w.seq
	for w.seq < w.head.Seq && w.report.Bad == nil {
		if err := w.page(ctx); err != nil {
			return err
		}
		if w.o.Progress != nil {
			w.o.Progress(w.report.Entries)
		}
	}
	if w.report.Bad == nil {
		return w.end(ctx)
	}
	return nil
}

func (w *walk) readWitness() error {
	if w.o.Witness == "" {
		return nil
	}
	seq, hash, _ := strings.Cut(w.o.Witness, ":")
	n, err := strconv.ParseInt(seq, 10, 64)
	if err != nil || n <= 0 || len(hash) != len(genesis) {
		return errors.New("a head looks like 1234:<64 hex digits>")
	}
	w.witness = anchor{Seq: n, Hash: hash}
	return nil
}

func (w *walk) counts(ctx context.Context) error {
	return w.db.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(MIN(at),0) FROM trail WHERE seq IS NULL").Scan(&w.report.Unsealed, &w.report.UnsealedSince)
}

func (w *walk) readHead(ctx context.Context) error {
	err := w.db.QueryRowContext(ctx, "SELECT n,kind,seq,hash,at,signature FROM trail_anchor WHERE n=0").Scan(&w.head.N, &w.head.Kind, &w.head.Seq, &w.head.Hash, &w.head.At, &w.head.Signature)
	if errors.Is(err, sql.ErrNoRows) {
		var any int64
		if err := w.db.QueryRowContext(ctx, "SELECT (SELECT COUNT(*) FROM trail_anchor)+(SELECT COUNT(*) FROM (SELECT 1 AS one FROM trail WHERE seq IS NOT NULL LIMIT 1) x)").Scan(&any); err != nil {
			return err
		}
		if any > 0 {
			w.bad(Finding{Kind: HeadLost, Words: "链头记录不见了：末尾可能被删除过"})
		}
		return nil
	}
	if err == nil && !w.chain.genuine(w.head, "") {
		w.bad(Finding{Kind: AnchorForged, Seq: w.head.Seq, Words: "链头的签名不对：不是本平台的密钥签的，或被改动过"})
	}
	return err
}

// readAnchors checks the signed points among themselves. There is one per thousand entries and per hour: a million
// entries have a few thousand.
func (w *walk) readAnchors(ctx context.Context) error {
	rows, err := w.db.QueryContext(ctx, "SELECT n,kind,seq,hash,at,signature FROM trail_anchor WHERE n>0 ORDER BY n")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	before, n := "", int64(0)
	for rows.Next() {
		var a anchor
		if err := rows.Scan(&a.N, &a.Kind, &a.Seq, &a.Hash, &a.At, &a.Signature); err != nil {
			return err
		}
		n++
		switch {
		case a.N != n:
			w.bad(Finding{Kind: AnchorMissing, Seq: a.Seq, Words: fmt.Sprintf("第 %d 个锚点不见了", n)})
			return rows.Err()
		case !w.chain.genuine(a, before):
			w.bad(Finding{Kind: AnchorForged, Seq: a.Seq, Words: fmt.Sprintf("第 %d 个锚点的签名不对：不是本平台的密钥签的，或被改动过", n)})
			return rows.Err()
		}
		before = a.Signature
		w.anchors = append(w.anchors, a)
	}
	return rows.Err()
}

// skipPruned begins behind what was removed by age.
func (w *walk) skipPruned(ctx context.Context) error {
	var a anchor
	err := w.db.QueryRowContext(ctx, "SELECT n,kind,seq,hash,at,signature FROM trail_anchor WHERE kind=? ORDER BY n DESC LIMIT 1", kindPruned).Scan(&a.N, &a.Kind, &a.Seq, &a.Hash, &a.At, &a.Signature)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if a.Seq <= w.seq {
		return nil
	}
	var before string
	if a.N > 1 {
		if err := w.db.QueryRowContext(ctx, "SELECT signature FROM trail_anchor WHERE n=?", a.N-1).Scan(&before); err != nil {
			return err
		}
	}
	if !w.chain.genuine(a, before) {
		w.bad(Finding{Kind: AnchorForged, Seq: a.Seq, Words: "清理记录的签名不对"})
		return nil
	}
	w.seq, w.hash = a.Seq, a.Hash
	return nil
}

// page verifies the next entries.
func (w *walk) page(ctx context.Context) error {
	rows, err := w.db.QueryContext(ctx, "SELECT "+sealedColumns+",seq,COALESCE(hash,'') FROM trail WHERE seq>? AND seq<=? ORDER BY seq LIMIT ?", w.seq, w.head.Seq, verifyPage)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // Err below tells
	var e sealed
	var seq int64
	var hash string
	into := append(e.fields(), &seq, &hash)
	n := 0
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		n++
		if seq != w.seq+1 {
			return w.gap(ctx, seq)
		}
		if w.step(&e, seq, hash); w.report.Bad != nil {
			return nil
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n == 0 {
		return w.gap(ctx, w.head.Seq+1)
	}
	return nil
}

// gap finds entries missing, unless they were removed by age since the walk began.
func (w *walk) gap(ctx context.Context, next int64) error {
	at := w.seq
	if err := w.skipPruned(ctx); err != nil || w.seq > at {
		return err
	}
	words := fmt.Sprintf("第 %d 条不见了", at+1)
	if next > at+2 {
		words = fmt.Sprintf("第 %d 到 %d 条不见了", at+1, next-1)
	}
	w.bad(Finding{Kind: Missing, Seq: at + 1, Words: words})
	return nil
}

// step verifies one entry and the signed points that it must pass through.
func (w *walk) step(e *sealed, seq int64, hash string) {
	var want string
	want, w.buf = e.hash(seq, w.hash, w.buf)
	if want != hash {
		w.bad(Finding{Kind: Edited, Seq: seq, ID: e.ID, At: e.At, Words: fmt.Sprintf("第 %d 条的内容、位置或前一条与封存时不同", seq)})
		return
	}
	w.seq, w.hash = seq, want
	if w.report.First == 0 {
		w.report.First = seq
	}
	w.report.Entries++
	w.report.Last, w.report.HeadHash = seq, want
	marked := false
	for len(w.anchors) > 0 && w.anchors[0].Seq <= seq {
		a := w.anchors[0]
		w.anchors = w.anchors[1:]
		if a.Seq < seq { // of what was removed by age
			continue
		}
		marked = marked || a.Kind == kindAnchor
		w.report.Anchors++
		if a.Hash != want {
			w.bad(Finding{Kind: AnchorDiffers, Seq: seq, ID: e.ID, At: e.At, Words: fmt.Sprintf("第 %d 条与签名的锚点不符：这之前的记录被改动后重新计算过", seq)})
			return
		}
	}
	if seq%anchorEvery == 0 && !marked {
		w.bad(Finding{Kind: AnchorMissing, Seq: seq, ID: e.ID, At: e.At, Words: fmt.Sprintf("第 %d 条应有锚点，但没有", seq)})
		return
	}
	if w.witness.Seq == seq {
		w.report.WitnessChecked = true
		if w.witness.Hash != want {
			w.bad(Finding{Kind: WitnessFailed, Seq: seq, ID: e.ID, At: e.At, Words: "与另外记下的链头不符"})
		}
	}
}

// end compares with the signed head, the witness, and what lies behind the head.
func (w *walk) end(ctx context.Context) error {
	if w.head.Seq > 0 {
		if w.hash != w.head.Hash {
			w.bad(Finding{Kind: AnchorDiffers, Seq: w.head.Seq, Words: "末尾与签名的链头不符：记录被改动后重新计算过"})
			return nil
		}
		w.report.Anchors++
		if w.report.Last == 0 {
			w.report.Last, w.report.HeadHash = w.head.Seq, w.head.Hash
		}
	}
	for _, a := range w.anchors {
		if a.Seq > w.head.Seq {
			newer, err := w.headNow(ctx)
			if err != nil {
				return err
			}
			if a.Seq > newer {
				w.bad(Finding{Kind: Missing, Seq: w.head.Seq + 1, Words: fmt.Sprintf("末尾被删除过：有签名的锚点到第 %d 条", a.Seq)})
				return nil
			}
		}
	}
	if w.witness.Seq > w.report.Pruned && !w.report.WitnessChecked && w.witness.Seq > w.head.Seq {
		w.bad(Finding{Kind: WitnessFailed, Seq: w.witness.Seq, Words: fmt.Sprintf("另外记下的链头在第 %d 条，现在只到第 %d 条：末尾被删除过", w.witness.Seq, w.head.Seq)})
		return nil
	}
	var most int64
	if err := w.db.QueryRowContext(ctx, "SELECT COALESCE(MAX(seq),0) FROM trail").Scan(&most); err != nil {
		return err
	}
	newer, err := w.headNow(ctx)
	if err != nil {
		return err
	}
	if most > newer {
		w.bad(Finding{Kind: Surplus, Seq: most, Words: fmt.Sprintf("第 %d 条在链头之后：不是本平台封存的", most)})
	}
	return nil
}

func (w *walk) headNow(ctx context.Context) (seq int64, err error) {
	err = w.db.QueryRowContext(ctx, "SELECT COALESCE(MAX(seq),0) FROM trail_anchor WHERE n=0").Scan(&seq)
	return seq, err
}
