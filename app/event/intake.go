package event

import (
	"encoding/binary"
	"errors"
)

// The first byte of a packed batch, so that a later build may pack differently and still read what an earlier one took in.
const (
	intakeVersion = 2
	intakeNoRaw   = 1 // as 2, without Raw
)

var errIntake = errors.New("event: damaged batch")

// packHead begins a packed batch: version and count. The rows follow.
func packHead(count int) []byte {
	return binary.AppendUvarint([]byte{intakeVersion}, uint64(count))
}

// packRow adds a row of a batch field by field.
func packRow(into []byte, r *row) []byte {
	for _, n := range [...]int64{r.ID, r.SpaceID, r.CreateTime, r.ReceivedAt, r.fan()} {
		into = binary.AppendVarint(into, n)
	}
	for _, s := range [...]string{r.Type, r.Source, r.Component, r.AppID, r.Subject, r.URLKind} {
		into = binary.AppendUvarint(into, uint64(len(s)))
		into = append(into, s...)
	}
	for _, b := range [...][]byte{r.Dedupe, r.sealed, r.Raw} {
		into = binary.AppendUvarint(into, uint64(len(b)))
		into = append(into, b...)
	}
	return into
}

// unpack reads a packed batch. The rows' payloads alias data.
func unpack(data []byte) ([]row, error) {
	if len(data) == 0 || data[0] != intakeVersion && data[0] != intakeNoRaw {
		return nil, errIntake
	}
	u := unpacker{in: data[1:]}
	count := u.size()
	rows := make([]row, 0, min(count, maxBatch))
	for range count {
		var r row
		var fan int64
		for _, n := range [...]*int64{&r.ID, &r.SpaceID, &r.CreateTime, &r.ReceivedAt, &fan} {
			*n = u.int()
		}
		for _, s := range [...]*string{&r.Type, &r.Source, &r.Component, &r.AppID, &r.Subject, &r.URLKind} {
			*s = string(u.bytes())
		}
		r.Dedupe, r.sealed, r.Inert = u.bytes(), u.bytes(), fan == fanNever
		if data[0] != intakeNoRaw {
			r.Raw = u.bytes()
		}
		if u.broken {
			return nil, errIntake
		}
		rows = append(rows, r)
	}
	if u.broken || len(u.in) != 0 {
		return nil, errIntake
	}
	return rows, nil
}

// unpacker reads fields off the front of in; broken stays set once something did not fit.
type unpacker struct {
	in     []byte
	broken bool
}

func (u *unpacker) int() int64 {
	n, size := binary.Varint(u.in)
	if size <= 0 {
		u.broken, u.in = true, nil
		return 0
	}
	u.in = u.in[size:]
	return n
}

// size reads a length and holds it against what is left: no field, and no count of rows, can be larger than that.
func (u *unpacker) size() int {
	n, size := binary.Uvarint(u.in)
	if size <= 0 || n > uint64(len(u.in)-size) {
		u.broken, u.in = true, nil
		return 0
	}
	u.in = u.in[size:]
	return int(n)
}

func (u *unpacker) bytes() []byte {
	n := u.size()
	b := u.in[:n:n]
	u.in = u.in[n:]
	return b
}
