package simulator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
)

const (
	hexDigits = "0123456789abcdef"
	base62    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	decimals  = "0123456789"
)

// idSource makes every id and token of the simulated platform from a seed and a counter. Both are stored, so that a
// restarted simulator goes on where it stopped and never hands out an id twice.
type idSource struct {
	Seed string `json:"seed"` // hex
	Next uint64 `json:"next"`
}

// newIDSource takes the seed of the options; 0 asks for a random one.
func newIDSource(seed int64) (*idSource, error) {
	raw := make([]byte, 16)
	if seed != 0 {
		binary.BigEndian.PutUint64(raw, uint64(seed))
	} else if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("read random seed: %w", err)
	}
	return &idSource{Seed: hex.EncodeToString(raw), Next: 1}, nil
}

// text returns n characters of the alphabet.
func (s *idSource) text(alphabet string, n int) string {
	s.Next++
	out := make([]byte, 0, n)
	for block := 0; len(out) < n; block++ {
		sum := sha256.Sum256(fmt.Appendf(nil, "%s/%d/%d", s.Seed, s.Next, block))
		for _, b := range sum {
			// bytes beyond the largest multiple of the alphabet would favour its first characters
			if limit := 256 - 256%len(alphabet); int(b) < limit && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}

// percent returns a number from 0 to 99 as a fair die would.
func (s *idSource) percent() int {
	n, err := strconv.Atoi(s.text(decimals, 2))
	if err != nil {
		panic("simulator: two decimals are no number: " + err.Error()) // cannot happen
	}
	return n
}

// number returns a new integer above base; later numbers are larger.
func (s *idSource) number(base int64) int64 {
	s.Next++
	return base + int64(s.Next)
}

// rid is the request id WeChat appends to an errmsg.
func (s *idSource) rid() string {
	h := s.text(hexDigits, 24)
	return h[:8] + "-" + h[8:16] + "-" + h[16:]
}
