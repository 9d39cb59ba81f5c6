package transfer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func all(format string) Request { return Request{List: "numbers", Format: format} }

func lines(t *testing.T, content []byte) [][]string {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(content), bom))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestASmallExportIsThereAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		file, _, err := r.Start(t.Context(), me(), Request{List: "numbers", Format: CSV, Query: Query{Values: url.Values{"q": {"电商"}}}})
		if err != nil || file == nil {
			t.Fatal(err)
		}
		rows := lines(t, file.Content)
		if len(rows) != 21 || rows[0][0] != "编号" || rows[20][1] != "'=19" || file.Name != "数字-电商-20261122-173000.csv" {
			t.Fatalf("%s with %q", file.Name, rows)
		}
		picked, _, err := r.Start(t.Context(), me(), Request{List: "numbers", Format: CSV, Query: Query{IDs: []string{"3", "9"}}})
		if err != nil || len(lines(t, picked.Content)) != 3 {
			t.Fatalf("picked: %v", err)
		}
		if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM trail WHERE act='export.download' AND space_id=10"); err != nil || n != 2 {
			t.Fatalf("%d entries in the trail: %v", n, err)
		}
	})
}

func TestBadRequestsAreToldAtTheField(t *testing.T) {
	r := newRoom(t, storetest.Open(t))
	for name, c := range map[string]struct {
		request Request
		who     account.Actor
		kind    fault.Kind
	}{
		"format":       {Request{List: "numbers", Format: "pdf"}, me(), fault.Invalid},
		"nothing":      {Request{List: "numbers", Format: CSV, Query: Query{IDs: []string{}}}, me(), fault.Invalid},
		"too many":     {Request{List: "numbers", Format: CSV, Query: Query{IDs: make([]string, maxPicked+1)}}, me(), fault.Invalid},
		"unknown list": {Request{List: "letters", Format: CSV}, me(), fault.NotFound},
		"not allowed":  {all(CSV), account.Actor{AccountID: 2, SpaceID: 11}, fault.Forbidden},
		"nobody":       {all(CSV), account.Actor{}, fault.Unauthenticated},
	} {
		if _, _, err := r.Start(t.Context(), c.who, c.request); fault.KindOf(err) != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (r *room) begin(t *testing.T, format string) Export {
	t.Helper()
	r.list.n = 500
	file, e, err := r.Start(t.Context(), me(), all(format))
	if err != nil || file != nil {
		t.Fatalf("file %v, err %v", file, err)
	}
	return e
}

func (r *room) export(t *testing.T, id int64) Export {
	t.Helper()
	e, err := r.Export(t.Context(), me(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestALongExportComesInTheBackgroundWithOneNotice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		csvOne, book := r.begin(t, CSV), r.begin(t, XLSX)
		r.run(t)
		for _, id := range []int64{csvOne.ID, book.ID} {
			eventually(t, "end", func() bool { return r.export(t, id).Ended() })
		}
		e := r.export(t, csvOne.ID)
		if e.State != Done || e.Rows != 500 || e.Percent() != 100 || e.FileSize == 0 || r.export(t, book.ID).State != Done {
			t.Fatalf("%+v", e)
		}
		_, info, body, err := r.Open(t.Context(), me(), csvOne.ID)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(body)
		if err != nil || len(lines(t, content)) != 501 || info.ContentType != ContentType(CSV) {
			t.Fatalf("%d lines: %v", len(lines(t, content)), err)
		}
		if news := r.news(); len(news) != 2 || news[0].Failed || news[0].AccountID != 1 {
			t.Fatalf("told %+v", news)
		}
	})
}

func TestOnlyWhoAskedMayHaveTheFileAndOnlyWhileTheyMayReadTheList(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		e := r.begin(t, CSV)
		r.run(t)
		eventually(t, "end", func() bool { return r.export(t, e.ID).State == Done })
		absent := func(what string, who account.Actor) {
			t.Helper()
			if _, _, _, err := r.Open(t.Context(), who, e.ID); !errors.Is(err, errNoExport) {
				t.Errorf("%s: %v", what, err)
			}
		}
		absent("a colleague", account.Actor{AccountID: 2, SpaceID: 10})
		absent("the same person in another space", account.Actor{AccountID: 1, SpaceID: 11})
		absent("nobody", account.Actor{})
		if err := r.Cancel(t.Context(), account.Actor{AccountID: 2, SpaceID: 10}, e.ID); !errors.Is(err, errNoExport) {
			t.Errorf("cancelled by a colleague: %v", err)
		}
		if err := r.Delete(t.Context(), account.Actor{AccountID: 2, SpaceID: 10}, e.ID); !errors.Is(err, errNoExport) {
			t.Errorf("deleted by a colleague: %v", err)
		}
		r.list.bar()
		absent("somebody whose right was taken away", me())
		r.list.barred = false
		if _, err := db.Exec(t.Context(), "UPDATE transfer_export SET expires_at=?", now.UnixMilli()); err != nil {
			t.Fatal(err)
		}
		absent("after a day", me())
	})
}

func TestARightThatIsTakenAwayEndsARunningExport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		e := r.begin(t, CSV)
		r.list.paged = func(cursor string) {
			if cursor == "7" { // behind the first page: the first look at progress and rights
				r.list.bar()
			}
			if cursor != "" {
				time.Sleep(20 * time.Millisecond)
			}
		}
		r.run(t)
		eventually(t, "end", func() bool { return r.export(t, e.ID).Ended() })
		if got := r.export(t, e.ID); got.State != Failed || got.Error != "你没有查看这个列表的权限" || got.BlobID != 0 {
			t.Fatalf("%+v", got)
		}
		if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM blob_chunk"); err != nil || n != 0 {
			t.Fatalf("%d chunks left: %v", n, err)
		}
		if news := r.news(); len(news) != 1 || !news[0].Failed {
			t.Fatalf("told %+v", news)
		}
	})
}

func TestACancelledExportStopsAndLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		e := r.begin(t, CSV)
		reached := make(chan struct{}, 1)
		r.list.paged = func(cursor string) {
			if cursor == "70" {
				reached <- struct{}{}
			}
			if cursor != "" {
				time.Sleep(15 * time.Millisecond)
			}
		}
		r.run(t)
		<-reached
		if err := r.Cancel(t.Context(), me(), e.ID); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the blob to go", func() bool {
			n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM blob_file")
			return err == nil && n == 0
		})
		if got := r.export(t, e.ID); got.State != Cancelled || len(r.news()) != 0 {
			t.Fatalf("%+v, told %v", got, r.news())
		}
	})
}

func TestAnExportWhoseProcessDiedIsBegunAnewElsewhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		e := r.begin(t, CSV)
		// What a killed process leaves: a running row with an old lease and half a blob.
		half, err := db.PutBlob(t.Context(), store.BlobInfo{SpaceID: 10, Kind: blobExport}, bytes.NewReader([]byte("half")), 10)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), "UPDATE blob_file SET ready=0 WHERE id=?", half.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), "UPDATE transfer_export SET state=?, owner='dead', attempt=1, lease_until=1, done_rows=400, blob_id=? WHERE id=?", Running, half.ID, e.ID); err != nil {
			t.Fatal(err)
		}
		r.run(t)
		eventually(t, "end", func() bool { return r.export(t, e.ID).Ended() })
		got := r.export(t, e.ID)
		if got.State != Done || got.Rows != 500 || got.Attempt != 2 || len(r.news()) != 1 {
			t.Fatalf("%+v, told %v", got, r.news())
		}
		if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM blob_chunk WHERE blob_id=?", half.ID); err != nil || n != 0 {
			t.Fatalf("half a file was left: %d, %v", n, err)
		}
	})
}

func TestAnExportThatKeepsDyingIsGivenUp(t *testing.T) {
	r := newRoom(t, storetest.Open(t))
	e := r.begin(t, CSV)
	if _, err := r.db.Exec(t.Context(), "UPDATE transfer_export SET state=?, attempt=?, lease_until=1 WHERE id=?", Running, attemptsMax, e.ID); err != nil {
		t.Fatal(err)
	}
	r.run(t)
	eventually(t, "end", func() bool { return r.export(t, e.ID).Ended() })
	if got := r.export(t, e.ID); got.State != Failed || len(r.news()) != 1 {
		t.Fatalf("%+v", got)
	}
}

func TestAStopOfThePlatformGivesTheExportBack(t *testing.T) {
	r := newRoom(t, storetest.Open(t))
	e := r.begin(t, CSV)
	reached := make(chan struct{}, 1)
	r.list.paged = func(cursor string) {
		if cursor == "70" {
			reached <- struct{}{}
			time.Sleep(50 * time.Millisecond)
		}
	}
	stop := r.run(t)
	<-reached
	stop()
	if got := r.export(t, e.ID); got.State != Waiting || got.Attempt != 0 {
		t.Fatalf("%+v", got)
	}
	r.list.paged = nil
	r.run(t)
	eventually(t, "end", func() bool { return r.export(t, e.ID).State == Done })
}

func TestTooManyUnfinishedExportsAreRefused(t *testing.T) {
	r := newRoom(t, storetest.Open(t))
	for range maxUnfinished {
		r.begin(t, CSV)
	}
	if _, _, err := r.Start(t.Context(), me(), all(CSV)); fault.KindOf(err) != fault.TooMany {
		t.Fatalf("got %v", err)
	}
	list, next, err := r.Exports(t.Context(), me(), 0, 3)
	if err != nil || len(list) != 3 || next != list[2].ID {
		t.Fatalf("%d exports, next %d: %v", len(list), next, err)
	}
	if rest, next, err := r.Exports(t.Context(), me(), next, 3); err != nil || len(rest) != 2 || next != 0 {
		t.Fatalf("%d exports: %v", len(rest), err)
	}
}

func TestPruneForgetsOldExportsAndTheirFiles(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRoom(t, db)
		e := r.begin(t, CSV)
		r.run(t)
		eventually(t, "end", func() bool { return r.export(t, e.ID).State == Done })
		if _, err := db.Exec(t.Context(), "UPDATE transfer_export SET expires_at=?", now.Add(-8*24*time.Hour).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), "UPDATE blob_file SET expires_at=?", now.UnixMilli()); err != nil {
			t.Fatal(err)
		}
		if n, err := r.Prune(t.Context()); err != nil || n != 1 {
			t.Fatalf("%d files: %v", n, err)
		}
		if _, err := r.Export(t.Context(), me(), e.ID); !errors.Is(err, errNoExport) {
			t.Fatalf("got %v", err)
		}
	})
}
