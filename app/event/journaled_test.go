package event

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/event/journal"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func journalDir(t *testing.T, db *store.DB) string {
	t.Helper()
	file, err := db.File(context.Background())
	must(t, err)
	return file + journalSuffix
}

// held is a log whose journal is taken and whose dispatcher does not run: what is appended stays in the journal.
func held(t *testing.T, db *store.DB) (l *Log, appended func(subjects ...string)) {
	t.Helper()
	l, appended, _ = heldUntil(t, db)
	return l, appended
}

// heldUntil is held with an end: after stop nothing is appended, and nothing makes files in the journal's folder.
func heldUntil(t *testing.T, db *store.DB) (l *Log, appended func(subjects ...string), stop func()) {
	t.Helper()
	l = newLog(db)
	ctx, cancel := context.WithCancel(context.Background())
	must(t, l.takeJournal(ctx))
	done := make(chan error, 1)
	go func() { done <- l.appendLoop(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		must(t, <-done)
		l.tending.Wait()
	})
	t.Cleanup(func() {
		stop()
		if j := l.journal.Load(); j != nil {
			must(t, j.Close())
		}
	})
	return l, func(subjects ...string) {
		for _, s := range subjects {
			must(t, l.Append(context.Background(), record("wxa", s)))
		}
	}, stop
}

// logged is a place for log lines that several goroutines write to.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.b.String(), text)
}

func TestSQLiteTakesInThroughTheJournalAndACleanEndEmptiesIt(t *testing.T) {
	db := storetest.Open(t)
	l := newLog(db)
	stop := run(t, l)
	for i := range 50 {
		must(t, l.Append(context.Background(), record("wxa", fmt.Sprint(i))))
	}
	if l.journal.Load() == nil {
		t.Fatal("the journal was not taken")
	}
	stop()
	if n := count(t, db, "SELECT COUNT(*) FROM event_log"); n != 50 {
		t.Errorf("%d events after a clean end", n)
	}
	if n := count(t, db, "SELECT COUNT(*) FROM event_journal"); n != 0 {
		t.Error("the database still asks for its journal")
	}
	j, err := journal.Open(journalDir(t, db), journal.Options{})
	must(t, err)
	if runs := j.Earlier(); len(runs) != 0 {
		t.Errorf("runs left: %v", runs)
	}
	must(t, j.Close())
}

// copyFolder copies what a crash would leave: the journal as it is on the disk now.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	must(t, os.CopyFS(to, os.DirFS(from)))
}

func TestACrashAtAnyMomentDeliversEachBatchOnce(t *testing.T) {
	ctx := context.Background()
	for name, unpacked := range map[string]int{"before unpacking": 0, "between unpacking and recycling": 3, "in the middle": 1} {
		t.Run(name, func(t *testing.T) {
			db := storetest.Open(t)
			l, add, stop := heldUntil(t, db)
			must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: func(context.Context, Event) error { return nil }}))
			l.Unsubscribe("s")
			add("1", "2", "3")
			dir := journalDir(t, db)
			crashed := t.TempDir()
			copyFolder(t, dir, crashed) // the disk at the crash: whatever was unpacked, nothing was recycled
			for range unpacked {
				must(t, unpackOne(ctx, l))
			}
			if n := count(t, db, "SELECT COUNT(*) FROM event_log"); n != int64(unpacked) {
				t.Fatalf("%d unpacked before the crash", n)
			}
			stop() // a spare segment may be in the making, and the folder goes
			must(t, l.journal.Swap(nil).Close())
			must(t, os.RemoveAll(dir))
			copyFolder(t, crashed, dir)

			in := &inboxOf{}
			second := newLog(db)
			must(t, second.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
			run(t, second)
			must(t, second.Append(ctx, record("wxa", "4")))
			await(t, "all four", func() bool { return len(in.subjects()) >= 4 })
			if got := fmt.Sprint(in.subjects()); got != "[1 2 3 4]" {
				t.Errorf("delivered %s", got)
			}
			// What the crash left must be read once only, also at the start after next.
			if n := count(t, db, "SELECT COUNT(*) FROM event_log"); n != 4 {
				t.Errorf("%d events", n)
			}
		})
	}
}

// unpackOne unpacks the oldest batch alone.
func unpackOne(ctx context.Context, l *Log) error {
	n, err := l.unpackJournal(ctx, l.journal.Load(), 1)
	if err == nil && n != 1 {
		err = fmt.Errorf("unpacked %d", n)
	}
	return err
}

func TestAForeignJournalIsPutAsideAndNotDelivered(t *testing.T) {
	ctx := context.Background()
	from, to := storetest.Open(t), storetest.Open(t)
	_, add := held(t, from)
	add("of another database")
	copyFolder(t, journalDir(t, from), journalDir(t, to))
	out := &logged{}
	l := newLog(to)
	l.opts.Logger = slog.New(slog.NewTextHandler(out, nil))
	stop := run(t, l)
	must(t, l.Append(ctx, record("wxa", "own")))
	await(t, "the own one", func() bool { return count(t, to, "SELECT COUNT(*) FROM event_log") == 1 })
	stop()
	if n := count(t, to, "SELECT COUNT(*) FROM event_log WHERE subject='own'"); n != 1 {
		t.Error("the foreign batch was unpacked")
	}
	kept, err := filepath.Glob(filepath.Join(journalDir(t, to), "*.foreign"))
	if err != nil || len(kept) != 1 || !out.has("another state of this database") || !out.has("batches=1") {
		t.Errorf("kept %v, %v; log: %s", kept, err, out.b.String())
	}
}

func TestADatabaseWithoutItsJournalSaysSo(t *testing.T) {
	ctx := context.Background()
	db := storetest.Open(t)
	l, add := held(t, db)
	add("1", "2")
	must(t, unpackOne(ctx, l))
	must(t, os.Rename(journalDir(t, db), filepath.Join(t.TempDir(), "elsewhere")))
	out := &logged{}
	second := newLog(db)
	second.opts.Logger = slog.New(slog.NewTextHandler(out, nil))
	run(t, second)
	await(t, "a word about it", func() bool { return out.has("moved without its intake journal") })
}

func TestADamagedBatchInTheJournalHoldsUpNobody(t *testing.T) {
	ctx := context.Background()
	db := storetest.Open(t)
	l, add := held(t, db)
	add("1", "2")
	if err := l.journal.Load().Append([]byte{99, 1, 2}); err != nil { // whole, and of a build we do not know
		t.Fatal(err)
	}
	add("3", "4", "5")
	dir := journalDir(t, db)
	seg, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	must(t, err)
	for _, name := range seg {
		raw, err := os.ReadFile(name)
		must(t, err)
		if at := bytes.Index(raw, backwards([]byte("<xml>4</xml>"))); at > 0 {
			f, err := os.OpenFile(name, os.O_RDWR, 0)
			must(t, err)
			_, err = f.WriteAt([]byte("!"), int64(at))
			must(t, errors.Join(err, f.Close()))
		}
	}
	for l.journal.Load().Len() > 0 {
		if _, err := l.unpackOnce(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, db, "SELECT COUNT(*) FROM event_log WHERE subject IN ('1','2','3','5')"); n != 4 {
		t.Errorf("%d of the four whole ones came through", n)
	}
	if n, err := l.Damaged(ctx); err != nil || n != 2 {
		t.Errorf("%d damaged, %v", n, err)
	}
	if n := count(t, db, "SELECT COUNT(*) FROM event_intake_damaged WHERE data=?", []byte{99, 1, 2}); n != 1 {
		t.Error("the unknown batch is not kept as it was")
	}
}

func TestASecondLogTakesInThroughTheDatabaseUntilTheJournalIsFree(t *testing.T) {
	ctx := context.Background()
	db := storetest.Open(t)
	first, second := newLog(db), newLog(db)
	stopFirst := run(t, first)
	await(t, "the first to hold it", func() bool { return first.journal.Load() != nil })
	run(t, second)
	for i := range 20 {
		must(t, first.Append(ctx, record("wxa", fmt.Sprint(i))))
		must(t, second.Append(ctx, record("wxb", fmt.Sprint(i))))
	}
	if second.journal.Load() != nil {
		t.Fatal("both hold the journal")
	}
	stopFirst()
	await(t, "the second to take it over", func() bool { return second.journal.Load() != nil })
	must(t, second.Append(ctx, record("wxb", "last")))
	await(t, "all of them", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_log") == 41 })
}

func TestAFullDiskIsAnErrorForTheSenderAndPasses(t *testing.T) {
	ctx := context.Background()
	db := storetest.Open(t)
	l := newLog(db)
	l.journalOptions = journal.Options{SegmentSize: 2048, Spare: 1}
	run(t, l)
	must(t, l.Append(ctx, record("wxa", "before")))
	dir := journalDir(t, db)
	away := dir + ".away"
	must(t, os.Rename(dir, away)) // no new segment can be made, as on a full disk
	accepted, failed := int64(1), 0
	for range 200 {
		if err := l.Append(ctx, Record{Type: "big", Source: SourceCore, Payload: bytes.Repeat([]byte("x"), 3000)}); err != nil {
			failed++
		} else {
			accepted++
		}
	}
	if failed == 0 {
		t.Fatal("nothing failed")
	}
	must(t, os.Rename(away, dir))
	must(t, l.Append(ctx, record("wxa", "after")))
	await(t, "every accepted one", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_log") == accepted+1 })
}

func TestALongTransactionElsewhereDoesNotDelayAppend(t *testing.T) {
	ctx := context.Background()
	db := storetest.Open(t)
	l := newLog(db)
	run(t, l)
	must(t, l.Append(ctx, record("wxa", "warm")))
	must(t, db.Tx(ctx, func(tx context.Context) error { // the one writer is taken until this returns
		if _, err := db.Exec(tx, "UPDATE event_subscriber SET updated_at=updated_at"); err != nil {
			return err
		}
		short, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return l.Append(short, record("wxa", "meanwhile"))
	}))
	await(t, "both", func() bool { return count(t, db, "SELECT COUNT(*) FROM event_log") == 2 })
}

const childEnv = "MINIFLEET_TEST_APPEND_TO"

// TestChildAppendsUntilItIsKilled is no test but the process that TestAKilledProcessLosesNothingItAnswered kills.
func TestChildAppendsUntilItIsKilled(t *testing.T) {
	path := os.Getenv(childEnv)
	if path == "" {
		t.Skip("only as a child of TestAKilledProcessLosesNothingItAnswered")
	}
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{Dialect: store.SQLite, Path: path})
	must(t, err)
	l := newLog(db)
	go func() { _ = l.Run(ctx) }()
	var mu sync.Mutex
	for g := range 8 {
		go func() {
			for i := 0; ; i++ {
				subject := fmt.Sprintf("%d-%d", g, i)
				err := l.Append(ctx, record("wxa", subject))
				mu.Lock()
				if err == nil {
					fmt.Println("answered", subject)
				}
				mu.Unlock()
			}
		}()
	}
	select {}
}

func TestAKilledProcessLosesNothingItAnswered(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	db, err := store.Open(ctx, store.Options{Dialect: store.SQLite, Path: path})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	must(t, db.Migrate(ctx))
	answered := map[string]bool{}
	for range 3 {
		child := exec.Command(os.Args[0], "-test.run=^TestChildAppendsUntilItIsKilled$")
		child.Env = append(os.Environ(), childEnv+"="+path)
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		n := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if s, ok := strings.CutPrefix(lines.Text(), "answered "); ok {
				answered[s] = true
				if n++; n == 300 {
					must(t, child.Process.Kill())
				}
			}
		}
		if err := child.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		if n < 300 {
			t.Fatalf("the child answered %d only", n)
		}
	}
	l := newLog(db)
	run(t, l)
	await(t, "the end of unpacking", func() bool { n, err := l.Waiting(ctx); return err == nil && n == 0 && l.journal.Load() != nil })
	for s := range answered {
		if n := count(t, db, "SELECT COUNT(*) FROM event_log WHERE subject=?", s); n == 0 {
			t.Fatalf("%s was answered and is gone", s)
		}
	}
}

// A process that was killed holds its queues for two minutes more; the one that is started after it does not wait for that.
func TestTheNextRunTakesTheQueuesOfOneThatWasKilled(t *testing.T) {
	db := storetest.Open(t)
	ctx := context.Background()
	in := &inboxOf{}
	killed := newLog(db)
	must(t, killed.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
	_, err := db.Exec(ctx, "INSERT INTO event_queue (subscriber,queue,version,due_at,lease_until,owner) VALUES ('s','comp|wxa',1,0,?,'log-killed')", time.Now().Add(2*time.Minute).UnixMilli())
	must(t, err)
	l := newLog(db)
	must(t, l.Subscribe(ctx, Subscriber{Name: "s", Types: []string{"*"}, Handle: in.handle}))
	run(t, l)
	r := record("wxa", "behind the crash")
	r.Component = "comp"
	must(t, l.Append(ctx, r))
	await(t, "the event of the held queue", func() bool { return len(in.subjects()) == 1 })
}
