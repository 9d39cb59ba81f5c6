package archive

import (
	"bytes"
	"os"
	"testing"

	"minifleet/app/fault"
)

// FuzzOpen: no bytes make the reader panic, and whatever it lets through unpacks inside its folder and verifies.
func FuzzOpen(f *testing.F) {
	var whole bytes.Buffer
	if _, err := Pack(&whole, coupon(), files()); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add(whole.Bytes()[:len(whole.Bytes())/2])
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("bytes of a stranger are the stranger's fault: %v", err)
			}
			return
		}
		parent := t.TempDir()
		dir := parent + "/cache"
		path, err := a.Unpack(dir)
		if err != nil {
			t.Fatalf("opened but not unpacked: %v", err)
		}
		if err := Verify(path, a.Files); err != nil {
			t.Fatal(err)
		}
		if entries, err := os.ReadDir(parent); err != nil || len(entries) != 1 {
			t.Fatalf("something was written outside: %v %v", entries, err)
		}
		if err := Remove(path); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzParseSpec: what is accepted is written and read again the same.
func FuzzParseSpec(f *testing.F) {
	raw, err := coupon().YAML()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte("id: a1\ntitle: x\nversion: 1.0.0\nprotocol: 1\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		spec, err := ParseSpec(raw)
		if err != nil {
			return
		}
		written, err := spec.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseSpec(written)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if second, err := again.YAML(); err != nil || !bytes.Equal(written, second) {
			t.Fatalf("%s became %s (%v)", written, second, err)
		}
	})
}
