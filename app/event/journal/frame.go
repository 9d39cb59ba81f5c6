package journal

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame is: magic (4 bytes), length of the data (4), sequence number (8), CRC-32C (4), zero (4), data, zeros up to the
// next multiple of 8. The checksum covers the run's id, length, sequence number and data. All numbers are big endian.
const (
	frameMagic  = 0x4D46_4A31 // "MFJ1"
	frameHeader = 24
	frameAlign  = 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// runID names one run of one journal.
type runID [16]byte

// frameSize is what n bytes of data take in a segment.
func frameSize(n int) int64 {
	return (frameHeader + int64(n) + frameAlign - 1) &^ (frameAlign - 1)
}

// appendFrame adds the frame of the given data, which is the parts one after the other, to into.
func appendFrame(into []byte, run runID, seq uint64, parts ...[]byte) []byte {
	start := len(into)
	into = append(into, make([]byte, frameHeader)...)
	for _, p := range parts {
		into = append(into, p...)
	}
	head, data := into[start:start+frameHeader], into[start+frameHeader:]
	binary.BigEndian.PutUint32(head[0:], frameMagic)
	binary.BigEndian.PutUint32(head[4:], uint32(len(data)))
	binary.BigEndian.PutUint64(head[8:], seq)
	binary.BigEndian.PutUint32(head[16:], frameSum(run, head, data))
	for len(into)%frameAlign != start%frameAlign {
		into = append(into, 0)
	}
	return into
}

func frameSum(run runID, head, data []byte) uint32 {
	sum := crc32.Update(0, castagnoli, run[:])
	sum = crc32.Update(sum, castagnoli, head[4:16])
	return crc32.Update(sum, castagnoli, data)
}

// readFrame reads the frame at the front of in. ok is false when there is none of this run, or not all of it.
func readFrame(in []byte, run runID) (seq uint64, data []byte, ok bool) {
	if len(in) < frameHeader || binary.BigEndian.Uint32(in) != frameMagic {
		return 0, nil, false
	}
	n := int64(binary.BigEndian.Uint32(in[4:]))
	if n > int64(len(in)-frameHeader) {
		return 0, nil, false
	}
	head, data := in[:frameHeader], in[frameHeader:frameHeader+n:frameHeader+n]
	if binary.BigEndian.Uint32(head[16:]) != frameSum(run, head, data) {
		return 0, nil, false
	}
	return binary.BigEndian.Uint64(head[8:]), data, true
}

// found is a frame that a scan came upon.
type found struct {
	seq    uint64
	offset int64 // of the frame within the segment
	length int   // of its data
}

// scan lists the frames of a segment's content whose numbers rise from first. Where one is damaged it looks for the next
// whole one behind it: only a gap in the numbers tells that something is missing. What stands behind the last frame (a
// torn one that nobody was told about, or an older use of the segment) is left out.
func scan(content []byte, run runID, first uint64) []found {
	var list []found
	next := first
	for at := int64(segmentHeader); at+frameHeader <= int64(len(content)); {
		seq, data, ok := readFrame(content[at:], run)
		if !ok || seq < next {
			at += frameAlign
			continue
		}
		list = append(list, found{seq, at, len(data)})
		next = seq + 1
		at += frameSize(len(data))
	}
	return list
}
