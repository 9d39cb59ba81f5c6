package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"minifleet/app/fault"
)

// BlobChunk is how much of a blob lies in one row and is held in memory at a time: 256 KiB.
const BlobChunk = 256 << 10

// blobAbandoned is how long (wall time) a blob may stand half-written before PruneBlobs takes it for the rest of a crash.
const blobAbandoned = time.Hour

// blobSweep is how many chunks (4 MiB) one statement deletes at most.
const blobSweep = 16

// BlobInfo tells about a file that is kept in the database. The caller of PutBlob fills in what it knows; ID, Size,
// SHA256 and CreatedAt are filled in by PutBlob.
type BlobInfo struct {
	// ID is drawn by PutBlob unless it is set.
	ID int64
	// SpaceID is the space that the file is counted for; whoever serves it checks the reader's right.
	SpaceID int64
	// Kind says what the file is for ("export", "qualification"), at most 32 bytes.
	Kind string
	// Name is the file's name for people, at most 255 characters.
	Name string
	// ContentType is what it is served as, never taken from a client unchecked.
	ContentType string
	// Size is in bytes.
	Size int64
	// SHA256 is the hex digest of the content.
	SHA256 string
	// CreatedAt and ExpiresAt are Unix milliseconds; ExpiresAt 0 keeps the blob until it is deleted. An expired blob can
	// be opened until PruneBlobs comes by: whoever serves it compares with its own clock.
	CreatedAt int64
	ExpiresAt int64
}

// ErrBlobTooLarge says that the content went over the caller's limit; nothing of it is kept.
var ErrBlobTooLarge = fault.New(fault.Invalid, "file_too_large", "文件太大，请缩小后重试")

// PutBlob reads r to its end into a new blob, a chunk at a time, and makes it readable only when all of it is there.
// More than limit bytes give ErrBlobTooLarge. After an error or a crash nothing is readable and PruneBlobs takes the rest
// away. Each chunk is a statement of its own, so call it outside Tx when r may wait for a network.
func (d *DB) PutBlob(ctx context.Context, info BlobInfo, r io.Reader, limit int64) (BlobInfo, error) {
	if info.ID == 0 {
		info.ID = d.NewID()
	}
	info.CreatedAt = time.Now().UnixMilli()
	err := d.Insert(ctx, "blob_file", map[string]any{"id": info.ID, "space_id": info.SpaceID, "kind": info.Kind, "name": info.Name,
		"content_type": info.ContentType, "size": 0, "sha256": "", "ready": 0, "created_at": info.CreatedAt, "touched_at": info.CreatedAt, "expires_at": info.ExpiresAt})
	if err != nil {
		return info, err
	}
	if err := d.fillBlob(ctx, &info, r, limit); err != nil {
		return info, errors.Join(err, d.DeleteBlob(context.WithoutCancel(ctx), info.ID))
	}
	return info, nil
}

func (d *DB) fillBlob(ctx context.Context, info *BlobInfo, r io.Reader, limit int64) error {
	sum, buf, touched := sha256.New(), make([]byte, BlobChunk), time.Now()
	for no := 0; ; no++ {
		n, err := io.ReadFull(r, buf)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return fmt.Errorf("store: read content of blob: %w", err)
		}
		if info.Size += int64(n); info.Size > limit {
			return ErrBlobTooLarge
		}
		if n > 0 {
			sum.Write(buf[:n])
			if e := d.Insert(ctx, "blob_chunk", map[string]any{"blob_id": info.ID, "no": no, "data": buf[:n]}); e != nil {
				return e
			}
		}
		if err != nil {
			break
		}
		if time.Since(touched) > blobAbandoned/10 {
			touched = time.Now()
			if _, e := d.Exec(ctx, "UPDATE blob_file SET touched_at=? WHERE id=?", touched.UnixMilli(), info.ID); e != nil {
				return e
			}
		}
	}
	info.SHA256 = hex.EncodeToString(sum.Sum(nil))
	n, err := d.Exec(ctx, "UPDATE blob_file SET size=?, sha256=?, ready=1 WHERE id=? AND ready=0 AND touched_at>0", info.Size, info.SHA256, info.ID)
	if err == nil && n == 0 {
		err = fmt.Errorf("store: blob %d was deleted while it was written", info.ID)
	}
	return err
}

// ErrNoBlob says that there is no such blob, or that it is not complete.
var ErrNoBlob = fault.New(fault.NotFound, "not_found", "文件不存在或已过期")

// Blob tells about a complete blob; ErrNoBlob for any other.
func (d *DB) Blob(ctx context.Context, id int64) (BlobInfo, error) {
	var info BlobInfo
	ok, err := d.One(ctx, &info, "SELECT id, space_id, kind, name, content_type, size, sha256, created_at, expires_at FROM blob_file WHERE id=? AND ready=1", id)
	if err == nil && !ok {
		err = ErrNoBlob
	}
	return info, err
}

// OpenBlob opens a complete blob for reading, one chunk in memory at a time; ErrNoBlob for any other. Content that
// differs from what was written, or is deleted meanwhile, ends in an error instead of io.EOF.
func (d *DB) OpenBlob(ctx context.Context, id int64) (BlobInfo, io.ReadCloser, error) {
	info, err := d.Blob(ctx, id)
	if err != nil {
		return info, nil, err
	}
	return info, &blobReader{ctx: ctx, db: d, info: info, sum: sha256.New()}, nil
}

type blobReader struct {
	ctx  context.Context
	db   *DB
	info BlobInfo
	no   int
	read int64
	rest []byte
	sum  hash.Hash
}

func (b *blobReader) Read(p []byte) (int, error) {
	if b.sum == nil {
		return 0, errors.New("store: read of a closed blob")
	}
	if len(b.rest) == 0 {
		if b.read == b.info.Size {
			if hex.EncodeToString(b.sum.Sum(nil)) != b.info.SHA256 {
				return 0, fmt.Errorf("store: blob %d differs from what was written", b.info.ID)
			}
			return 0, io.EOF
		}
		v, err := b.db.g.GetValue(b.ctx, "SELECT data FROM blob_chunk WHERE blob_id=? AND no=?", b.info.ID, b.no)
		if err != nil {
			return 0, fmt.Errorf("store: %w", err)
		}
		if b.rest = v.Bytes(); len(b.rest) == 0 {
			return 0, fmt.Errorf("store: blob %d ends early: %w", b.info.ID, io.ErrUnexpectedEOF)
		}
		b.no++
		b.read += int64(len(b.rest))
		b.sum.Write(b.rest)
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// Close lets go of the chunk in memory.
func (b *blobReader) Close() error {
	b.sum, b.rest = nil, nil
	return nil
}

// DeleteBlob makes a blob unreadable at once and takes its content away; one that is not there is no error.
func (d *DB) DeleteBlob(ctx context.Context, id int64) error {
	// touched_at=0 marks it as going, so that a deletion that is cut short is ended by PruneBlobs.
	if n, err := d.Exec(ctx, "UPDATE blob_file SET ready=0, touched_at=0 WHERE id=?", id); err != nil || n == 0 {
		return err
	}
	last, err := d.Int(ctx, "SELECT COALESCE(MAX(no),-1) FROM blob_chunk WHERE blob_id=?", id)
	if err != nil {
		return err
	}
	for no := int64(0); no <= last; no += blobSweep {
		if _, err := d.Exec(ctx, "DELETE FROM blob_chunk WHERE blob_id=? AND no>=? AND no<?", id, no, no+blobSweep); err != nil {
			return err
		}
	}
	// Chunks that a writer put in meanwhile: it fails on the row that is not there, after this.
	return d.Tx(ctx, func(ctx context.Context) error {
		if _, err := d.Exec(ctx, "DELETE FROM blob_file WHERE id=?", id); err != nil {
			return err
		}
		_, err := d.Exec(ctx, "DELETE FROM blob_chunk WHERE blob_id=?", id)
		return err
	})
}

// BlobBytes is how much a space's complete blobs of a kind take up, in bytes: what a quota is held against.
func (d *DB) BlobBytes(ctx context.Context, spaceID int64, kind string) (int64, error) {
	return d.Int(ctx, "SELECT COALESCE(SUM(size),0) FROM blob_file WHERE space_id=? AND kind=? AND ready=1", spaceID, kind)
}

// PruneBlobs takes away what expired by now (Unix milliseconds of the platform's clock) and what a crash left behind, and
// tells how many blobs that were.
func (d *DB) PruneBlobs(ctx context.Context, now int64) (int, error) {
	pruned := 0
	for {
		var gone []struct{ ID int64 }
		err := d.All(ctx, &gone, "SELECT id FROM blob_file WHERE (ready=1 AND expires_at>0 AND expires_at<=?) OR (ready=0 AND touched_at<?) ORDER BY id LIMIT 100",
			now, time.Now().Add(-blobAbandoned).UnixMilli())
		if err != nil || len(gone) == 0 {
			return pruned, err
		}
		for _, g := range gone {
			if err := d.DeleteBlob(ctx, g.ID); err != nil {
				return pruned, err
			}
			pruned++
		}
	}
}
