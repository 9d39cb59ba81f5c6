package lane

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// frame is plugin.proto's Frame. It is read and written here because a generated
// one would copy the message inside once more, in both directions.
type frame struct {
	answers  bool // set before it is read: one with what only begins a call is refused
	id       uint64
	method   string
	timeout  time.Duration // in whole microseconds
	metadata []string
	cancel   bool
	status   []byte
	message  []byte  // of a frame that was read: a part of held, like status
	held     *[]byte // of a frame that was read
}

// Fields of a Frame.
const (
	fieldID       protowire.Number = 1
	fieldMethod   protowire.Number = 2
	fieldTimeout  protowire.Number = 3
	fieldMetadata protowire.Number = 4
	fieldCancel   protowire.Number = 5
	fieldStatus   protowire.Number = 6
	fieldMessage  protowire.Number = 7
)

// length is how many bytes tell a frame's length.
const length = 4

// statusMost bounds what a call may fail with: details are many small messages.
const statusMost = 64 << 10

// head is more than a frame's length, numbers and tags take, and those of the
// frame that gives it up; perText is more than those of one more text.
const (
	head    = 64
	perText = 8
)

// weight is at least what a frame with a message of so many bytes takes.
func (f *frame) weight(message int) int {
	n := head + len(f.method) + len(f.status) + message
	for _, text := range f.metadata {
		n += perText + len(text)
	}
	return n
}

// sealed is a frame as it goes over the wire, with its length. It is the one's
// who holds it, until put.
type sealed struct{ bytes *[]byte }

// pool has room for frames.
func pool() mem.BufferPool { return mem.DefaultBufferPool() }

func (s sealed) put() { pool().Put(s.bytes) }

// seal writes a frame around a message whose proto.Size was just taken.
func (f *frame) seal(message proto.Message, size int) (sealed, error) {
	room := pool().Get(f.weight(size))
	b := f.appendHead((*room)[:length])
	b = protowire.AppendVarint(protowire.AppendTag(b, fieldMessage, protowire.BytesType), uint64(size))
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, message)
	if err != nil {
		pool().Put(room)
		return sealed{}, err
	}
	return measured(room, b), nil
}

// bare writes a frame without a message.
func (f *frame) bare() sealed {
	room := pool().Get(f.weight(0))
	return measured(room, f.appendHead((*room)[:length]))
}

// measured is what was written into room, with its length before it.
func measured(room *[]byte, b []byte) sealed {
	binary.BigEndian.PutUint32(b, uint32(len(b)-length))
	*room = b
	return sealed{room}
}

func (f *frame) appendHead(b []byte) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, fieldID, protowire.VarintType), f.id)
	if f.method != "" {
		b = protowire.AppendString(protowire.AppendTag(b, fieldMethod, protowire.BytesType), f.method)
	}
	if f.timeout != 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, fieldTimeout, protowire.VarintType), uint64(f.timeout.Microseconds()))
	}
	for _, text := range f.metadata {
		b = protowire.AppendString(protowire.AppendTag(b, fieldMetadata, protowire.BytesType), text)
	}
	if f.cancel {
		b = protowire.AppendVarint(protowire.AppendTag(b, fieldCancel, protowire.VarintType), 1)
	}
	if len(f.status) > 0 {
		b = protowire.AppendBytes(protowire.AppendTag(b, fieldStatus, protowire.BytesType), f.status)
	}
	return b
}

var errFrame = errors.New("lane: what came is no frame")

// open reads a frame, whose texts but not whose bytes outlive b.
func (f *frame) open(b []byte) error {
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return errFrame
		}
		b = b[n:]
		if n = f.take(field, kind, b); n < 0 {
			return errFrame
		}
		b = b[n:]
	}
	return nil
}

// take reads one field and tells how long it was, less than 0 for one that is
// not whole or has no business there. What it does not know it passes over.
func (f *frame) take(field protowire.Number, kind protowire.Type, b []byte) int {
	if f.answers && field > fieldID && field < fieldStatus {
		return -1
	}
	switch kind {
	case protowire.VarintType:
		number, n := protowire.ConsumeVarint(b)
		switch field {
		case fieldID:
			f.id = number
		case fieldTimeout:
			f.timeout = time.Duration(number) * time.Microsecond
		case fieldCancel:
			f.cancel = number != 0
		}
		return n
	case protowire.BytesType:
		bytes, n := protowire.ConsumeBytes(b)
		if f.answers && field == fieldStatus && len(bytes) > statusMost {
			return -1
		}
		switch field {
		case fieldMethod:
			f.method = string(bytes)
		case fieldMetadata:
			f.metadata = append(f.metadata, string(bytes))
		case fieldStatus:
			f.status = bytes
		case fieldMessage:
			f.message = bytes
		}
		return n
	default:
		return protowire.ConsumeFieldValue(field, kind, b)
	}
}

// free gives back what a frame was read from; its bytes are gone with it.
func (f *frame) free() {
	f.message, f.status = nil, nil
	if f.held != nil {
		pool().Put(f.held)
		f.held = nil
	}
}

// read takes the next frame, of at most most bytes.
func (f *frame) read(from *bufio.Reader, most int) error {
	var measure [length]byte
	if _, err := io.ReadFull(from, measure[:]); err != nil {
		return err
	}
	n := binary.BigEndian.Uint32(measure[:])
	if int64(n) > int64(most) {
		return fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	f.held = pool().Get(int(n))
	if _, err := io.ReadFull(from, *f.held); err != nil {
		return err
	}
	return f.open(*f.held)
}
