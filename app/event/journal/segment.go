package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A segment begins with: magic (8 bytes), run id (16), its number among all segments ever begun (8), the sequence number
// of its first frame (8), CRC-32C of these (4), zeros up to 64 bytes. A header of zeros is a free segment.
const (
	segmentMagic  = "MFINTAK1"
	segmentHeader = 64
	headerSummed  = 40
)

// What a segment's file is called: with another ending than the first it is never read again.
const (
	suffix  = ".seg"
	damaged = ".damaged" // something in it could not be read
	foreign = ".foreign" // of a run that the database does not know
)

// header is what stands at the front of a segment in use.
type header struct {
	run    runID
	number uint64
	first  uint64
}

func (h header) encode() []byte {
	b := make([]byte, segmentHeader)
	copy(b, segmentMagic)
	copy(b[8:], h.run[:])
	binary.BigEndian.PutUint64(b[24:], h.number)
	binary.BigEndian.PutUint64(b[32:], h.first)
	binary.BigEndian.PutUint32(b[headerSummed:], crc32.Checksum(b[:headerSummed], castagnoli))
	return b
}

var errHeader = errors.New("journal: damaged header")

// decodeHeader reads a header; used is false for a free segment.
func decodeHeader(b []byte) (h header, used bool, err error) {
	if len(b) < segmentHeader {
		return h, false, errHeader
	}
	b = b[:segmentHeader]
	if len(strings.TrimLeft(string(b), "\x00")) == 0 {
		return h, false, nil
	}
	if string(b[:8]) != segmentMagic || binary.BigEndian.Uint32(b[headerSummed:]) != crc32.Checksum(b[:headerSummed], castagnoli) {
		return h, false, errHeader
	}
	copy(h.run[:], b[8:])
	h.number, h.first = binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[32:])
	return h, true, nil
}

// segment is one open file. Everything written to it is on the disk when the write returns.
type segment struct {
	header
	file    *os.File
	path    string
	size    int64
	pending int  // batches in it that are not released
	keep    bool // put aside instead of used again
}

// create makes a file of zeros, on the disk as a whole, so that every later write only overwrites. A failure leaves none.
func create(path string, size int64) (s *segment, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("journal: new segment: %w", err)
	}
	zeros := make([]byte, 256<<10)
	for left := size; left > 0 && err == nil; left -= int64(len(zeros)) {
		_, err = f.Write(zeros[:min(left, int64(len(zeros)))])
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err == nil {
		s, err = open(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal: new segment: %w", err), os.Remove(path))
	}
	return s, nil
}

// open opens a segment that is there, without reading it.
func open(path string) (*segment, error) {
	f, err := openDurable(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &segment{file: f, path: path, size: info.Size()}, nil
}

// content reads the whole segment.
func (s *segment) content() ([]byte, error) {
	return io.ReadAll(io.NewSectionReader(s.file, 0, s.size))
}

// free marks the segment as free; from then on nothing of it is ever read again.
func (s *segment) free() error {
	if err := writeDurably(s.file, make([]byte, segmentHeader), 0); err != nil {
		return fmt.Errorf("journal: free a segment: %w", err)
	}
	s.header = header{}
	return nil
}

// setAside renames the file, so that nobody reads or overwrites it and a person can look at it.
func (s *segment) setAside(ending string) error {
	return errors.Join(s.file.Close(), os.Rename(s.path, s.path+ending))
}

// remove deletes the file.
func (s *segment) remove() error {
	return errors.Join(s.file.Close(), os.Remove(s.path))
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
