package journal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Errors of a journal.
var (
	// ErrLocked says that another process, or another Journal of this one, has the folder open.
	ErrLocked = errors.New("journal: in use by another process")
	// ErrFull says that batches are taken in faster than they are released, up to the bound.
	ErrFull = errors.New("journal: full")
	// ErrDamaged says that a batch was once whole and cannot be read any more.
	ErrDamaged = errors.New("journal: damaged batch")
)

// Options bound a journal. Zero fields have defaults.
type Options struct {
	SegmentSize int64 // bytes of one file; default 4 MiB. A batch larger than that gets a file of its own
	MaxSegments int   // how many may be in use before Append says ErrFull; default 128
	Spare       int   // how many free ones are held ready; default 2

	// Report gets what went wrong without failing a call: a spare that could not be made, a segment that could not be
	// freed, a file that is no segment. Default: nobody.
	Report func(error)
}

func (o *Options) defaults() {
	if o.SegmentSize == 0 {
		o.SegmentSize = 4 << 20
	}
	if o.MaxSegments == 0 {
		o.MaxSegments = 128
	}
	if o.Spare == 0 {
		o.Spare = 2
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
}

// maxIdle is how many free segments beyond Spare stay on the disk after a burst.
const maxIdle = 6

// Batch is what waits to be released.
type Batch struct {
	Run string // of which run it is, as ID gives it
	Seq uint64 // rises by one within a run, from 1

	segment *segment
	offset  int64
	length  int
}

// Journal is an open journal. One goroutine at a time may Append, one may read and Release, and one may Tend.
type Journal struct {
	opts   Options
	dir    string
	lock   *os.File
	run    runID
	id     string
	create func(path string, size int64) (*segment, error)
	wanted chan struct{} // asks Tend for spares

	// Of the goroutine that appends.
	frame  []byte
	next   uint64 // the next batch's number
	at     int64  // where in current it goes
	broken error  // why nothing can be appended any more

	mu      sync.Mutex
	current *segment
	used    []*segment // current among them
	spare   []*segment // free
	pending []Batch    // oldest first
	number  uint64     // of the newest segment
	earlier map[string][]*segment
}

// Open locks the folder, made at need, and reads what is in it. What earlier runs left waits in Earlier: Adopt or
// SetAside each before the first Append. Errors: ErrLocked, and those of the file system.
func Open(dir string, o Options) (j *Journal, err error) {
	o.defaults()
	j = &Journal{opts: o, dir: dir, next: 1, wanted: make(chan struct{}, 1), earlier: map[string][]*segment{}, create: create}
	if _, err := rand.Read(j.run[:]); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j.id = hex.EncodeToString(j.run[:])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if j.lock, err = os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	ok, err := lockFile(j.lock)
	if err == nil && !ok {
		return nil, errors.Join(ErrLocked, j.lock.Close())
	}
	if err == nil {
		err = j.load()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal: open %s: %w", dir, err), j.Close())
	}
	return j, nil
}

// ID names this run; the database keeps it beside the highest number that was released.
func (j *Journal) ID() string { return j.id }

// Dir is the folder.
func (j *Journal) Dir() string { return j.dir }

// Append makes a batch, given in parts that belong one after the other, durable and returns only then. After an error
// the batch may be read by a later run, and the next Append takes its place.
func (j *Journal) Append(parts ...[]byte) error {
	if j.broken != nil {
		return j.broken
	}
	j.frame = appendFrame(j.frame[:0], j.run, j.next, parts...)
	size := int64(len(j.frame))
	if j.current == nil || j.at+size > j.current.size {
		if err := j.begin(parts...); err != nil {
			return err
		}
	} else if err := writeDurably(j.current.file, j.frame, j.at); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	length := 0
	for _, p := range parts {
		length += len(p)
	}
	j.mu.Lock()
	j.pending = append(j.pending, Batch{Run: j.id, Seq: j.next, segment: j.current, offset: j.at, length: length})
	j.current.pending++
	j.mu.Unlock()
	j.at += frameSize(length)
	j.next++
	if cap(j.frame) > 1<<20 { // a rare giant must not stay for good
		j.frame = nil
	}
	return nil
}

// begin takes a free segment and writes its header and the first frame at once.
func (j *Journal) begin(parts ...[]byte) error {
	size := int64(segmentHeader + len(j.frame))
	s, number, err := j.take(size)
	if err != nil {
		return err
	}
	if s == nil {
		if s, err = j.create(j.path(number), max(size, j.opts.SegmentSize)); err != nil {
			return err
		}
	}
	s.header = header{run: j.run, number: number, first: j.next}
	j.frame = appendFrame(append(j.frame[:0], s.header.encode()...), j.run, j.next, parts...)
	if err := writeDurably(s.file, j.frame, 0); err != nil {
		err = fmt.Errorf("journal: begin a segment: %w", err)
		// Its header must not come back: it would say that the batch of this number is not the one written elsewhere.
		if gone := errors.Join(s.remove(), syncFolder(j.dir)); gone != nil {
			j.broken = errors.Join(err, gone)
		}
		return err
	}
	j.mu.Lock()
	old := j.current
	j.current, j.at = s, segmentHeader
	j.used = append(j.used, s)
	done := old != nil && old.pending == 0
	j.mu.Unlock()
	if done {
		j.recycle(old)
	}
	return nil
}

// take gives a free segment that holds size bytes, or nil when one is to be made, and its number.
func (j *Journal) take(size int64) (s *segment, number uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.used) >= j.opts.MaxSegments {
		return nil, 0, ErrFull
	}
	if n := len(j.spare); n > 0 && size <= j.opts.SegmentSize {
		s, j.spare = j.spare[n-1], j.spare[:n-1]
	}
	select {
	case j.wanted <- struct{}{}:
	default:
	}
	j.number++
	return s, j.number, nil
}

func (j *Journal) path(number uint64) string {
	return filepath.Join(j.dir, fmt.Sprintf("%012d%s", number, suffix))
}

// Pending lists up to n batches that are not released, oldest first, all of one run.
func (j *Journal) Pending(n int) []Batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	n = min(n, len(j.pending))
	for i := range n {
		if j.pending[i].Run != j.pending[0].Run {
			n = i
			break
		}
	}
	return slices.Clone(j.pending[:n])
}

// Len tells how many batches are not released.
func (j *Journal) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.pending)
}

// Read gives the data of a pending batch. Error: ErrDamaged when the disk gives back something else than was written.
func (j *Journal) Read(b Batch) ([]byte, error) {
	buf := make([]byte, frameSize(b.length))
	if _, err := b.segment.file.ReadAt(buf, b.offset); err != nil {
		return nil, fmt.Errorf("journal: read batch %d: %w", b.Seq, err)
	}
	seq, data, ok := readFrame(buf, b.segment.run)
	if !ok || seq != b.Seq {
		return nil, fmt.Errorf("%w %d in %s at %d", ErrDamaged, b.Seq, filepath.Base(b.segment.path), b.offset)
	}
	return data, nil
}

// Keep marks the segment of a batch, so that its file is put aside instead of overwritten: for one that cannot be read.
func (j *Journal) Keep(b Batch) {
	j.mu.Lock()
	b.segment.keep = true
	j.mu.Unlock()
}

// Release forgets the oldest n pending batches, which are kept elsewhere by now, and makes room.
func (j *Journal) Release(n int) {
	var empty []*segment
	j.mu.Lock()
	for _, b := range j.pending[:n] {
		if b.segment.pending--; b.segment.pending == 0 && b.segment != j.current {
			empty = append(empty, b.segment)
		}
	}
	j.pending = j.pending[n:]
	j.mu.Unlock()
	for _, s := range empty {
		j.recycle(s)
	}
}

// recycle marks a segment as free and keeps it as a spare, or removes it when there are enough. One that is not marked
// is read again by the next run and found released.
func (j *Journal) recycle(s *segment) {
	j.mu.Lock()
	j.used = slices.DeleteFunc(j.used, func(u *segment) bool { return u == s })
	keep := s.keep
	spare := len(j.spare) < j.opts.Spare+maxIdle && s.size == j.opts.SegmentSize
	j.mu.Unlock()
	var err error
	switch {
	case keep:
		err = s.setAside(damaged)
	case !spare:
		err = s.remove()
	default:
		if err = s.free(); err != nil {
			err = errors.Join(err, s.remove())
			break
		}
		j.mu.Lock()
		j.spare = append(j.spare, s)
		j.mu.Unlock()
	}
	if err != nil {
		j.opts.Report(fmt.Errorf("journal: recycle: %w", err))
	}
}

// Tend makes spare segments ahead of their use until ctx ends, so that no batch waits for one.
func (j *Journal) Tend(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-j.wanted:
		}
		for ctx.Err() == nil && j.addSpare() {
		}
	}
}

// addSpare makes one spare segment, unless there are enough. After a failure it waits to be asked again.
func (j *Journal) addSpare() bool {
	j.mu.Lock()
	if len(j.spare) >= j.opts.Spare {
		j.mu.Unlock()
		return false
	}
	j.number++
	path := j.path(j.number)
	j.mu.Unlock()
	s, err := j.create(path, j.opts.SegmentSize)
	if err != nil {
		j.opts.Report(err)
		return false
	}
	j.mu.Lock()
	j.spare = append(j.spare, s)
	j.mu.Unlock()
	return true
}

// Close closes every file and gives the lock back; Append, Tend and Read must have ended. A journal with nothing
// pending leaves no run behind, and its folder can be left behind too.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	var errs []error
	if j.current != nil && j.current.pending == 0 && !j.current.keep {
		errs = append(errs, j.current.free())
	}
	all := slices.Concat(j.used, j.spare)
	for _, list := range j.earlier {
		all = append(all, list...)
	}
	for _, s := range all {
		errs = append(errs, s.file.Close())
	}
	j.used, j.spare, j.pending, j.current, j.earlier = nil, nil, nil, nil, nil
	return errors.Join(append(errs, j.lock.Close())...)
}
