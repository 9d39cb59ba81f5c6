package journal

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

var testRun = runID{1, 2, 3}

// filled is a segment's content with frames of the given numbers, and where each begins.
func filled(run runID, seqs ...uint64) (content []byte, offsets []int) {
	content = make([]byte, segmentHeader)
	for _, seq := range seqs {
		offsets = append(offsets, len(content))
		content = appendFrame(content, run, seq, []byte("batch "), fmt.Appendf(nil, "%d of a length that differs %s", seq, bytes.Repeat([]byte("x"), int(seq%13))))
	}
	return content, offsets
}

func numbers(list []found) []uint64 {
	var seqs []uint64
	for _, f := range list {
		seqs = append(seqs, f.seq)
	}
	return seqs
}

func TestAFrameComesBackAndNoOtherRunReadsIt(t *testing.T) {
	for _, data := range [][]byte{{}, []byte("x"), bytes.Repeat([]byte("0123456789"), 5000)} {
		frame := appendFrame(nil, testRun, 7, data[:len(data)/2], data[len(data)/2:])
		if int64(len(frame)) != frameSize(len(data)) || len(frame)%frameAlign != 0 {
			t.Errorf("%d bytes take %d, said %d", len(data), len(frame), frameSize(len(data)))
		}
		seq, got, ok := readFrame(frame, testRun)
		if !ok || seq != 7 || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %v, number %d", len(data), ok, seq)
		}
		if _, _, ok := readFrame(frame, runID{9}); ok {
			t.Error("another run reads it")
		}
	}
}

func TestATornEndIsDroppedWhereverItTears(t *testing.T) {
	whole, offsets := filled(testRun, 1, 2, 3)
	for cut := range len(whole) {
		torn := make([]byte, len(whole)+500)
		copy(torn, whole[:cut])
		var want []uint64
		for i, from := range offsets {
			to := len(whole)
			if i+1 < len(offsets) {
				to = offsets[i+1]
			}
			if bytes.Equal(torn[from:to], whole[from:to]) { // the zeros at a frame's end may be cut off unnoticed
				want = append(want, uint64(i+1))
			}
		}
		if got := numbers(scan(torn, testRun, 1)); !slices.Equal(got, want) {
			t.Fatalf("cut at %d: read %v, want %v", cut, got, want)
		}
	}
}

func TestADamagedFrameHidesNothingButItself(t *testing.T) {
	whole, offsets := filled(testRun, 5, 6, 7, 8)
	for at := offsets[1]; at < offsets[2]; at++ {
		content := bytes.Clone(whole)
		content[at] ^= 0x55
		want := []uint64{5, 7, 8}
		if end := offsets[1] + frameHeader + len("batch 6 of a length that differs xxxxxx"); at >= end || at >= offsets[1]+20 && at < offsets[1]+frameHeader {
			want = []uint64{5, 6, 7, 8} // nothing is kept there
		}
		if got := numbers(scan(content, testRun, 5)); !slices.Equal(got, want) {
			t.Errorf("damaged at %d: read %v, want %v", at, got, want)
		}
	}
}

func TestAnOlderUseOfTheSegmentIsNotRead(t *testing.T) {
	for name, older := range map[string]runID{"another run": {9}, "the same run": testRun} {
		content, _ := filled(older, 1, 2, 3, 4, 5, 6)
		fresh, _ := filled(testRun, 40, 41)
		copy(content, fresh)
		if got := numbers(scan(content, testRun, 40)); !slices.Equal(got, []uint64{40, 41}) {
			t.Errorf("%s: read %v", name, got)
		}
	}
}

func FuzzScan(f *testing.F) {
	content, _ := filled(testRun, 1, 2, 3)
	f.Add(content)
	f.Add(content[:len(content)-9])
	f.Add(bytes.Repeat([]byte{0x4D, 0x46, 0x4A, 0x31, 0xff, 0xff, 0xff, 0xff}, 20))
	f.Fuzz(func(t *testing.T, content []byte) {
		last := uint64(0)
		for _, found := range scan(content, testRun, 1) {
			seq, data, ok := readFrame(content[found.offset:], testRun)
			if !ok || seq != found.seq || len(data) != found.length || seq <= last {
				t.Fatalf("%+v after %d", found, last)
			}
			last = seq
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add(header{run: testRun, number: 3, first: 9}.encode())
	f.Add(make([]byte, segmentHeader))
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, used, err := decodeHeader(b); err == nil && used && !bytes.Equal(h.encode()[:headerSummed+4], b[:headerSummed+4]) {
			t.Errorf("%+v read from %x", h, b)
		}
	})
}
