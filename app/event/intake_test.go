package event

import (
	"bytes"
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// pack packs rows as a batch of Append.
func pack(rows ...row) []byte {
	packed := packHead(len(rows))
	for _, r := range rows {
		packed = packRow(packed, &r)
	}
	return packed
}

func TestPackedRowsComeBackAsTheyWere(t *testing.T) {
	rows := []row{
		{Record: Record{ID: 1, Type: "t", Source: "s", Component: "c", AppID: "a", SpaceID: -5, Subject: "主题", URLKind: "ticket",
			CreateTime: 1, ReceivedAt: 1 << 60, Dedupe: []byte("k"), Raw: []byte("nonce=1\ncipher")}, sealed: bytes.Repeat([]byte{0, 255}, 5000)},
		{Record: Record{ID: 2, Type: "t", Source: "s", Inert: true}, sealed: []byte{}},
	}
	data := pack(rows...)
	rows[1].Dedupe, rows[1].Raw = []byte{}, []byte{}
	got, err := unpack(data)
	if err != nil || !reflect.DeepEqual(got, rows) {
		t.Fatalf("%v\n%+v\n%+v", err, got, rows)
	}
	for i := range data[:200] {
		if _, err := unpack(data[:i]); err == nil {
			t.Errorf("cut at %d: accepted", i)
		}
	}
	if _, err := unpack(append(bytes.Clone(data), 0)); err == nil {
		t.Error("something behind the last row: accepted")
	}
}

// A batch that an earlier build took in before the upgrade has no Raw.
func TestABatchOfAnEarlierBuildIsRead(t *testing.T) {
	r := row{Record: Record{ID: 1, Type: "t", Source: "s", Dedupe: []byte("k")}, sealed: []byte("x")}
	packed := packRow(nil, &r)
	old := append([]byte{intakeNoRaw, 1}, packed[:len(packed)-1]...) // the last byte is the length of Raw
	rows, err := unpack(old)
	if err != nil || len(rows) != 1 || rows[0].Type != "t" || string(rows[0].sealed) != "x" || rows[0].Raw != nil {
		t.Fatalf("%+v %v", rows, err)
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack(row{Record: Record{Type: "t"}, sealed: []byte("x")}))
	f.Add([]byte{intakeVersion, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := unpack(data)
		if err == nil && len(rows) > len(data) {
			t.Error("more rows than bytes")
		}
	})
}

func TestAPackedBatchIsUnpackedWholeAndOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		in := &inboxOf{}
		must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
		var batch []row
		for i := range 30 {
			r := record("wxa", strings.Repeat("x", i))
			if i%10 == 3 {
				r.Dedupe = []byte("the same key")
			}
			batch = append(batch, mustPrepare(t, l, r))
		}
		batch[7].ID = batch[6].ID // as two replicas may draw it
		for i := range 2 {        // the second copy of a batch holds only ids that are taken …
			must(t, db.Insert(ctx, "event_intake", map[string]any{"id": i + 1, "data": pack(batch[:20+10*i]...)}))
		}
		// … so two logs race for both.
		two := newLog(db)
		run(t, l)
		run(t, two)
		await(t, "the intake to empty", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_intake") == 0 })
		// 20 + 30 rows, of which 2 + 3 bear one key: one of those five stays.
		want := int64(20 + 30 - 4)
		if n := count(t, db, "SELECT COUNT(*) FROM event_log"); n != want {
			t.Errorf("%d rows, want %d", n, want)
		}
		await(t, "their deliveries", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_delivery WHERE state=1") == want })
		if got := len(in.subjects()); got != int(want) {
			t.Errorf("%d deliveries, want %d", got, want)
		}
	})
}

func TestADamagedRowIsPutAsideAndHoldsUpNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		l := newLog(db)
		in := &inboxOf{}
		must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
		whole := pack(mustPrepare(t, l, record("wxa", "behind")))
		broken := pack(mustPrepare(t, l, record("wxa", "broken")))[:40]
		must(t, db.Insert(ctx, "event_intake", map[string]any{"id": 1, "data": broken}))
		must(t, db.Insert(ctx, "event_intake", map[string]any{"id": 2, "data": whole}))
		run(t, l)
		await(t, "what stood behind", func() bool { return len(in.subjects()) == 1 && in.subjects()[0] == "behind" })
		if n := count(t, db, "SELECT COUNT(*) FROM event_intake"); n != 0 {
			t.Errorf("%d rows left in the intake", n)
		}
		if n := count(t, db, "SELECT COUNT(*) FROM event_intake_damaged WHERE data=?", broken); n != 1 {
			t.Error("the damaged row is not kept as it was")
		}
		if n, err := l.Damaged(ctx); err != nil || n != 1 {
			t.Errorf("Damaged: %d, %v", n, err)
		}
		if _, err := l.Prune(ctx, time.Now().Add(time.Hour).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		if n, err := l.Damaged(ctx); err != nil || n != 0 {
			t.Errorf("after pruning: %d, %v", n, err)
		}
	})
}
