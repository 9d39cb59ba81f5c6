package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func noise(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func blobRows(t *testing.T, db *store.DB) int64 {
	t.Helper()
	n, err := db.Int(t.Context(), "SELECT (SELECT COUNT(*) FROM blob_file) + (SELECT COUNT(*) FROM blob_chunk)")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBlobsComeOutAsTheyWentIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		for _, size := range []int{0, 1, store.BlobChunk - 1, store.BlobChunk, store.BlobChunk + 1, 3*store.BlobChunk + 77} {
			want := noise(t, size)
			sum := sha256.Sum256(want)
			in, err := db.PutBlob(ctx, store.BlobInfo{SpaceID: 7, Kind: "export", Name: "小程序.xlsx", ContentType: "a/b", ExpiresAt: 99}, bytes.NewReader(want), int64(size))
			if err != nil {
				t.Fatal(err)
			}
			info, r, err := db.OpenBlob(ctx, in.ID)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes in, %d out: %v", size, len(got), err)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if info != in || info.Size != int64(size) || info.SHA256 != hex.EncodeToString(sum[:]) || info.Name != "小程序.xlsx" || info.ExpiresAt != 99 {
				t.Fatalf("info %+v, put %+v", info, in)
			}
		}
		if n, err := db.BlobBytes(ctx, 7, "export"); err != nil || n != int64(6*store.BlobChunk+78) {
			t.Fatalf("counted %d bytes: %v", n, err)
		}
	})
}

func TestABlobOverItsLimitLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		_, err := db.PutBlob(t.Context(), store.BlobInfo{Kind: "x"}, bytes.NewReader(noise(t, store.BlobChunk+2)), store.BlobChunk+1)
		if !errors.Is(err, store.ErrBlobTooLarge) || fault.KindOf(err) != fault.Invalid {
			t.Fatalf("got %v", err)
		}
		if n := blobRows(t, db); n != 0 {
			t.Fatalf("%d rows left", n)
		}
	})
}

// halfway gives one chunk and then tells what to do before the next.
type halfway struct {
	first io.Reader
	then  func() error
}

func (h *halfway) Read(p []byte) (int, error) {
	if n, err := h.first.Read(p); err == nil {
		return n, nil
	}
	return 0, h.then()
}

func TestAHalfWrittenBlobIsNeverReadable(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		broken := errors.New("the client went away")
		id := db.NewID()
		_, err := db.PutBlob(ctx, store.BlobInfo{ID: id}, &halfway{bytes.NewReader(noise(t, 2*store.BlobChunk)), func() error {
			if _, _, err := db.OpenBlob(ctx, id); !errors.Is(err, store.ErrNoBlob) {
				t.Errorf("open while it is written: %v", err)
			}
			return broken
		}}, 1<<30)
		if !errors.Is(err, broken) {
			t.Fatalf("got %v", err)
		}
		if n := blobRows(t, db); n != 0 {
			t.Fatalf("%d rows left", n)
		}
	})
}

func TestABlobDeletedWhileItIsWrittenStaysDeleted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		id := db.NewID()
		_, err := db.PutBlob(ctx, store.BlobInfo{ID: id}, &halfway{bytes.NewReader(noise(t, store.BlobChunk)), func() error {
			if err := db.DeleteBlob(ctx, id); err != nil {
				t.Error(err)
			}
			return io.EOF
		}}, 1<<30)
		if err == nil {
			t.Fatal("the writer was not told")
		}
		if _, err := db.Blob(ctx, id); !errors.Is(err, store.ErrNoBlob) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestADamagedBlobEndsInAnError(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for name, damage := range map[string]string{"changed": "UPDATE blob_chunk SET data='not the same' WHERE no=1", "missing": "DELETE FROM blob_chunk WHERE no=1"} {
			ctx := t.Context()
			info, err := db.PutBlob(ctx, store.BlobInfo{Name: name}, bytes.NewReader(noise(t, store.BlobChunk+12)), 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(ctx, damage); err != nil {
				t.Fatal(err)
			}
			_, r, err := db.OpenBlob(ctx, info.ID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err == nil {
				t.Errorf("%s: read without an error", name)
			}
		}
	})
}

func TestPruneTakesWhatExpiredAndWhatACrashLeft(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		put := func(expires int64) int64 {
			info, err := db.PutBlob(ctx, store.BlobInfo{ExpiresAt: expires}, bytes.NewReader(noise(t, 20*store.BlobChunk)), 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			return info.ID
		}
		kept, later, expired, crashed, writing := put(0), put(1001), put(1000), put(0), put(0)
		for id, touched := range map[int64]int64{crashed: time.Now().Add(-2 * time.Hour).UnixMilli(), writing: time.Now().UnixMilli()} {
			if _, err := db.Exec(ctx, "UPDATE blob_file SET ready=0, touched_at=? WHERE id=?", touched, id); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := db.PruneBlobs(ctx, 1000); err != nil || n != 2 {
			t.Fatalf("pruned %d: %v", n, err)
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM blob_chunk WHERE blob_id IN (?,?)", expired, crashed); err != nil || n != 0 {
			t.Fatalf("%d chunks left: %v", n, err)
		}
		for _, id := range []int64{kept, later} {
			if _, err := db.Blob(ctx, id); err != nil {
				t.Errorf("a blob that is in use went: %v", err)
			}
		}
		if n, err := db.Int(ctx, "SELECT COUNT(*) FROM blob_chunk WHERE blob_id=?", writing); err != nil || n != 20 {
			t.Fatalf("a blob that is being written lost chunks: %d, %v", n, err)
		}
	})
}

func TestAnEndedContextEndsAnUpload(t *testing.T) {
	db := storetest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := db.PutBlob(ctx, store.BlobInfo{}, &halfway{bytes.NewReader(noise(t, store.BlobChunk)), func() error {
		cancel()
		return io.EOF
	}}, 1<<30)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if n := blobRows(t, db); n != 0 {
		t.Fatalf("%d rows left", n)
	}
}
