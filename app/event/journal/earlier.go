package journal

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// load opens every segment: free ones become spares, those in use are sorted by run.
func (j *Journal) load() error {
	entries, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(name, 10, 64); err == nil {
			j.number = max(j.number, n)
		}
		s, err := open(filepath.Join(j.dir, e.Name()))
		if err != nil {
			return err
		}
		if err := j.file(s); err != nil {
			return err
		}
	}
	for _, list := range j.earlier {
		slices.SortFunc(list, func(a, b *segment) int { return cmp.Compare(a.number, b.number) })
	}
	return nil
}

// file puts a segment where it belongs by its header.
func (j *Journal) file(s *segment) error {
	head := make([]byte, min(segmentHeader, s.size))
	if _, err := s.file.ReadAt(head, 0); err != nil {
		return err
	}
	h, used, err := decodeHeader(head)
	switch {
	case !used && (err == nil || s.size < segmentHeader):
		if s.size != j.opts.SegmentSize { // a crash while it was made, or another build's size
			return s.remove()
		}
		j.spare = append(j.spare, s)
	case err != nil:
		j.opts.Report(fmt.Errorf("%w of %s, put aside", err, filepath.Base(s.path)))
		return s.setAside(damaged)
	default:
		s.header = h
		id := hex.EncodeToString(h.run[:])
		j.earlier[id] = append(j.earlier[id], s)
		j.number = max(j.number, h.number)
	}
	return nil
}

// Earlier names the runs that left segments behind, oldest first. Each is to be adopted or set aside before the first
// Append.
func (j *Journal) Earlier() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	runs := make([]string, 0, len(j.earlier))
	for id := range j.earlier {
		runs = append(runs, id)
	}
	slices.SortFunc(runs, func(a, b string) int { return cmp.Compare(j.earlier[a][0].number, j.earlier[b][0].number) })
	return runs
}

// Adopt makes the batches of an earlier run pending whose numbers are above after, the highest that was released. It
// tells how many are missing: damaged ones, whose segment is kept, or ones that were released into another state of the
// database. A torn last batch, which nobody was told about, does not count. Adopt runs oldest first.
func (j *Journal) Adopt(run string, after uint64) (missing uint64) {
	segments := j.forget(run)
	next := after + 1
	var adopted []Batch
	for i, s := range segments {
		content, err := s.content()
		if err != nil {
			j.opts.Report(fmt.Errorf("journal: read %s: %w", filepath.Base(s.path), err))
			s.keep = true
		}
		if s.first > next {
			missing += s.first - next
			next = s.first
			if i > 0 {
				segments[i-1].keep = true
			}
		}
		for _, f := range scan(content, s.run, s.first) {
			if i+1 < len(segments) && f.seq >= segments[i+1].first {
				break // its sender was told that it failed, and the next segment holds another of this number
			}
			if f.seq < next {
				continue
			}
			if f.seq > next {
				missing += f.seq - next
				s.keep = true
			}
			next = f.seq + 1
			adopted = append(adopted, Batch{Run: run, Seq: f.seq, segment: s, offset: f.offset, length: f.length})
			s.pending++
		}
	}
	j.mu.Lock()
	j.used = append(j.used, segments...)
	j.pending = append(j.pending, adopted...)
	j.mu.Unlock()
	for _, s := range segments {
		if s.pending == 0 {
			j.recycle(s)
		}
	}
	return missing
}

// SetAside renames the segments of a run that this database knows nothing of, so that none of its batches is read. It
// tells how many batches they hold, released ones among them.
func (j *Journal) SetAside(run string) (batches int, err error) {
	for _, s := range j.forget(run) {
		content, err := s.content()
		if err != nil {
			j.opts.Report(fmt.Errorf("journal: read %s: %w", filepath.Base(s.path), err))
		}
		batches += len(scan(content, s.run, s.first))
		if err := s.setAside(foreign); err != nil {
			return batches, fmt.Errorf("journal: set aside: %w", err)
		}
	}
	return batches, nil
}

func (j *Journal) forget(run string) []*segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	segments := j.earlier[run]
	delete(j.earlier, run)
	return segments
}
