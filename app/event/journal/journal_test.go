package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// small makes segments of a few batches.
var small = Options{SegmentSize: 1024, MaxSegments: 8}

func begin(t *testing.T, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func text(i int) string { return fmt.Sprintf("batch %d %s", i, strings.Repeat("y", i%200)) }

func fill(t *testing.T, j *Journal, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		must(t, j.Append([]byte("batch "), []byte(text(i)[6:])))
	}
}

// rest reads everything pending, in order, and releases it.
func rest(t *testing.T, j *Journal) []string {
	t.Helper()
	var all []string
	for j.Len() > 0 {
		list := j.Pending(3)
		for _, b := range list {
			data, err := j.Read(b)
			must(t, err)
			all = append(all, string(data))
		}
		j.Release(len(list))
	}
	return all
}

func texts(from, to int) []string {
	var all []string
	for i := from; i <= to; i++ {
		all = append(all, text(i))
	}
	return all
}

func files(t *testing.T, dir, ending string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"+ending))
	must(t, err)
	return list
}

func TestBatchesComeBackInOrderAndSegmentsAreUsedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	j := begin(t, dir, small)
	for round := range 20 {
		fill(t, j, round*10+1, round*10+10)
		if got := rest(t, j); !slices.Equal(got, texts(round*10+1, round*10+10)) {
			t.Fatalf("round %d: %q", round, got)
		}
	}
	if n := len(files(t, dir, suffix)); n > 6 {
		t.Errorf("%d files for at most a few segments at once", n)
	}
	must(t, j.Append([]byte(strings.Repeat("z", 5000)))) // larger than a segment
	if got := rest(t, j); len(got) != 1 || len(got[0]) != 5000 {
		t.Fatal("the large one did not come back")
	}
	fill(t, j, 1, 1)
	rest(t, j)
	must(t, j.Close())
	for _, f := range append(files(t, dir, suffix), filepath.Join(dir, "lock")) {
		info, err := os.Stat(f)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", f, info.Mode())
		}
		if strings.HasSuffix(f, suffix) && info.Size() != small.SegmentSize {
			t.Errorf("%s of %d bytes stayed", f, info.Size())
		}
	}
	again := begin(t, dir, small)
	if runs := again.Earlier(); len(runs) != 0 {
		t.Errorf("an emptied journal left the runs %v", runs)
	}
	must(t, again.Close())
}

func TestOnlyOneHasTheFolder(t *testing.T) {
	dir := t.TempDir()
	first := begin(t, dir, small)
	if _, err := Open(dir, small); !errors.Is(err, ErrLocked) {
		t.Fatalf("second: %v", err)
	}
	must(t, first.Close())
	must(t, begin(t, dir, small).Close())
}

func TestWhatWasNotReleasedComesBackAfterACrash(t *testing.T) {
	for _, released := range []int{0, 1, 17, 39, 40} {
		dir := t.TempDir()
		j := begin(t, dir, Options{SegmentSize: 1024})
		fill(t, j, 1, 40)
		j.Release(released)
		must(t, j.lock.Close()) // the process dies: nothing is freed
		again := begin(t, dir, Options{SegmentSize: 1024})
		if runs := again.Earlier(); len(runs) != 1 || runs[0] != j.ID() {
			t.Fatalf("runs %v", runs)
		}
		if missing := again.Adopt(j.ID(), uint64(released)); missing != 0 {
			t.Errorf("released %d: %d missing", released, missing)
		}
		fill(t, again, 41, 44)
		if got := rest(t, again); !slices.Equal(got, texts(released+1, 44)) {
			t.Errorf("released %d: %q", released, got)
		}
		must(t, again.Close())
	}
}

func TestACrashBetweenTheOtherKeepingAndTheReleaseRepeatsNothing(t *testing.T) {
	dir := t.TempDir()
	j := begin(t, dir, small)
	fill(t, j, 1, 10)
	must(t, j.lock.Close())
	again := begin(t, dir, small)
	if missing := again.Adopt(j.ID(), 10); missing != 0 || again.Len() != 0 {
		t.Errorf("%d missing, %d pending", missing, again.Len())
	}
	must(t, again.Close())
}

func TestADamagedBatchIsSkippedAndItsSegmentKept(t *testing.T) {
	dir := t.TempDir()
	j := begin(t, dir, Options{SegmentSize: 1 << 16})
	fill(t, j, 1, 9)
	bad := j.Pending(9)[4]
	must(t, writeDurably(bad.segment.file, []byte{0xff, 0xff, 0xff}, bad.offset+frameHeader+2))
	if _, err := j.Read(bad); !errors.Is(err, ErrDamaged) {
		t.Errorf("read in the same run: %v", err)
	}
	must(t, j.lock.Close())
	again := begin(t, dir, Options{SegmentSize: 1 << 16})
	if missing := again.Adopt(j.ID(), 0); missing != 1 {
		t.Errorf("%d missing", missing)
	}
	if got := rest(t, again); !slices.Equal(got, append(texts(1, 4), texts(6, 9)...)) {
		t.Errorf("%q", got)
	}
	if n := len(files(t, dir, damaged)); n != 1 {
		t.Errorf("%d segments kept", n)
	}
	must(t, again.Close())
}

func TestADamagedHeaderIsPutAsideAndReported(t *testing.T) {
	dir := t.TempDir()
	j := begin(t, dir, small)
	fill(t, j, 1, 3)
	must(t, writeDurably(j.current.file, []byte("?"), 3))
	must(t, j.lock.Close())
	reported := 0
	o := small
	o.Report = func(error) { reported++ }
	again := begin(t, dir, o)
	if n := len(files(t, dir, damaged)); n != 1 || reported != 1 || len(again.Earlier()) != 0 {
		t.Errorf("%d kept, %d reports, runs %v", n, reported, again.Earlier())
	}
	must(t, again.Close())
}

func TestAForeignRunIsPutAsideAndNotRead(t *testing.T) {
	dir := t.TempDir()
	j := begin(t, dir, Options{SegmentSize: 1024})
	fill(t, j, 1, 40)
	must(t, j.lock.Close())
	again := begin(t, dir, Options{SegmentSize: 1024})
	batches, err := again.SetAside(j.ID())
	if err != nil || batches != 40 || again.Len() != 0 {
		t.Errorf("%d batches, %d pending, %v", batches, again.Len(), err)
	}
	fill(t, again, 1, 2)
	if got := rest(t, again); !slices.Equal(got, texts(1, 2)) {
		t.Errorf("%q", got)
	}
	must(t, again.Close())
	if len(files(t, dir, foreign)) == 0 {
		t.Error("the foreign segments are gone")
	}
}

func TestAMissingSegmentIsToldAndHidesNothing(t *testing.T) {
	dir := t.TempDir()
	j := begin(t, dir, Options{SegmentSize: 1024})
	fill(t, j, 1, 40)
	used := j.used
	if len(used) < 3 {
		t.Fatal("too few segments for this test")
	}
	lost := used[2].first - used[1].first
	must(t, os.Remove(used[1].path))
	must(t, j.lock.Close())
	again := begin(t, dir, Options{SegmentSize: 1024})
	if missing := again.Adopt(j.ID(), 0); missing != lost {
		t.Errorf("%d missing, want %d", missing, lost)
	}
	if got := rest(t, again); len(got) != 40-int(lost) {
		t.Errorf("%d came back", len(got))
	}
	must(t, again.Close())
}

func TestAFullDiskFailsTheBatchAndTheNextOneAfterItGoesThrough(t *testing.T) {
	dir := t.TempDir()
	j := begin(t, dir, small)
	fill(t, j, 1, 5)
	j.create = func(string, int64) (*segment, error) { return nil, syscall.ENOSPC }
	done := 5
	for i := 6; ; i++ {
		err := j.Append([]byte(text(i)))
		if errors.Is(err, syscall.ENOSPC) {
			break
		}
		must(t, err)
		done = i
	}
	for range 3 {
		if err := j.Append([]byte(strings.Repeat("n", 900))); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("still full: %v", err)
		}
	}
	j.create = create
	fill(t, j, done+1, done+10)
	if got := rest(t, j); !slices.Equal(got, texts(1, done+10)) {
		t.Errorf("%q", got)
	}
	must(t, j.Close())
}

func TestAWriteThatFailedIsOvertakenByTheNextBatch(t *testing.T) {
	for name, next := range map[string]int{"in the same segment": 4, "in a new segment": 900} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			j := begin(t, dir, small)
			fill(t, j, 1, 3)
			// The write reaches the disk and its success does not reach us.
			ghost := appendFrame(nil, j.run, j.next, []byte("answered with an error"))
			must(t, writeDurably(j.current.file, ghost, j.at))
			must(t, j.Append([]byte(strings.Repeat("n", next))))
			must(t, j.lock.Close())
			again := begin(t, dir, small)
			if missing := again.Adopt(j.ID(), 0); missing != 0 {
				t.Errorf("%d missing", missing)
			}
			if got := rest(t, again); !slices.Equal(got, append(texts(1, 3), strings.Repeat("n", next))) {
				t.Errorf("%q", got)
			}
			must(t, again.Close())
		})
	}
}

func TestAnIOErrorIsToldAndTheJournalGoesOn(t *testing.T) {
	dir := t.TempDir()
	j := begin(t, dir, small)
	fill(t, j, 1, 3)
	whole := j.current.file
	readOnly, err := os.Open(j.current.path)
	must(t, err)
	j.current.file = readOnly
	if err := j.Append([]byte("x")); err == nil {
		t.Fatal("a failed write was answered with success")
	}
	j.current.file = whole
	must(t, readOnly.Close())
	fill(t, j, 4, 5)
	if got := rest(t, j); !slices.Equal(got, texts(1, 5)) {
		t.Errorf("%q", got)
	}
	must(t, j.Close())
}

func TestTheBoundOfSegmentsHolds(t *testing.T) {
	j := begin(t, t.TempDir(), Options{SegmentSize: 1024, MaxSegments: 3})
	var err error
	for i := 1; i < 1000 && err == nil; i++ {
		err = j.Append([]byte(text(i)))
	}
	if !errors.Is(err, ErrFull) || len(j.used) != 3 {
		t.Fatalf("%d segments: %v", len(j.used), err)
	}
	j.Release(j.Len())
	fill(t, j, 1, 20)
	must(t, j.Close())
}

func TestRecyclingUnderLoadLosesAndRepeatsNothing(t *testing.T) {
	dir := t.TempDir()
	j := begin(t, dir, Options{SegmentSize: 2048, MaxSegments: 1000})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { j.Tend(ctx) })
	const n = 1500
	wg.Go(func() {
		for i := 1; i <= n; i++ {
			if err := j.Append([]byte(text(i))); err != nil {
				t.Error(err)
				return
			}
		}
	})
	got := 0
	for deadline := time.Now().Add(30 * time.Second); got < n && time.Now().Before(deadline); {
		list := j.Pending(7)
		for _, b := range list {
			got++
			if data, err := j.Read(b); err != nil || string(data) != text(got) || b.Seq != uint64(got) {
				t.Fatalf("batch %d: %d %q %v", got, b.Seq, data, err)
			}
		}
		j.Release(len(list))
	}
	cancel()
	wg.Wait()
	if got != n {
		t.Errorf("%d of %d came back", got, n)
	}
	must(t, j.Close())
}
