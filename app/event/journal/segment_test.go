package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestAHeaderComesBackAndEveryDamageIsSeen(t *testing.T) {
	want := header{run: testRun, number: 12, first: 345}
	b := want.encode()
	if got, used, err := decodeHeader(b); err != nil || !used || got != want {
		t.Fatalf("%+v %v %v", got, used, err)
	}
	for i := range headerSummed + 4 {
		b[i] ^= 1
		if _, _, err := decodeHeader(b); !errors.Is(err, errHeader) {
			t.Errorf("damaged at %d: %v", i, err)
		}
		b[i] ^= 1
	}
	if _, used, err := decodeHeader(make([]byte, segmentHeader)); used || err != nil {
		t.Errorf("zeros: %v %v", used, err)
	}
	if _, _, err := decodeHeader(b[:30]); !errors.Is(err, errHeader) {
		t.Errorf("cut: %v", err)
	}
}

func TestAHalfMadeSegmentIsRemovedAtTheNextOpening(t *testing.T) {
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "000000000007"+suffix), make([]byte, 100), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "000000000008"+suffix), nil, 0o600))
	j := begin(t, dir, small)
	if left := files(t, dir, suffix); len(left) != 0 {
		t.Errorf("%v", left)
	}
	fill(t, j, 1, 1)
	if j.current.number <= 8 {
		t.Errorf("number %d was used before", j.current.number)
	}
	must(t, j.Close())
}

func TestASegmentThatCannotBeMadeLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "gone", "1"+suffix)
	if _, err := create(path, 1024); err == nil {
		t.Fatal("made in a folder that is not there")
	}
	s, err := create(filepath.Join(dir, "1"+suffix), 1000)
	must(t, err)
	must(t, s.remove())
	if left := files(t, dir, suffix); len(left) != 0 {
		t.Errorf("%v", left)
	}
}
