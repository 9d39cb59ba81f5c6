package lane

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"minifleet/plugins/sdk/pluginpb"
)

// frames are shapes a frame can have, small and large.
func frames() map[string]struct {
	frame   frame
	message *pluginpb.SaveRequest
} {
	type one = struct {
		frame   frame
		message *pluginpb.SaveRequest
	}
	return map[string]one{
		"a call":          {frame{id: 1, method: "/minifleet.plugin.v1.Plugin/Save", timeout: 1500 * time.Microsecond, metadata: []string{"traceparent", "00-1-2-01", "empty", ""}}, &pluginpb.SaveRequest{Table: "优惠券"}},
		"an empty one":    {frame{id: 2, method: "/m"}, &pluginpb.SaveRequest{}},
		"a large one":     {frame{id: math.MaxUint64, method: "/m"}, &pluginpb.SaveRequest{Table: string(make([]byte, 40_000))}},
		"one given up":    {frame{id: 3, cancel: true}, nil},
		"one that failed": {frame{id: 4, status: []byte{8, 5}}, nil},
	}
}

// after is a frame without its length, which is looked at.
func (s sealed) after(t *testing.T) []byte {
	t.Helper()
	whole := *s.bytes
	if n := binary.BigEndian.Uint32(whole); int(n) != len(whole)-length {
		t.Fatalf("%d bytes are said to be %d", len(whole)-length, n)
	}
	return whole[length:]
}

func TestAFrameIsWhatTheSchemaSays(t *testing.T) {
	for name, c := range frames() {
		t.Run(name, func(t *testing.T) {
			whole := c.frame.bare()
			if c.message != nil {
				var err error
				if whole, err = c.frame.seal(c.message, proto.Size(c.message)); err != nil {
					t.Fatal(err)
				}
			}
			var generated pluginpb.Frame
			if err := proto.Unmarshal(whole.after(t), &generated); err != nil {
				t.Fatal(err)
			}
			message, err := proto.Marshal(c.message)
			if err != nil {
				t.Fatal(err)
			}
			want := &pluginpb.Frame{Id: c.frame.id, Method: c.frame.method, TimeoutUs: c.frame.timeout.Microseconds(), Metadata: c.frame.metadata, Cancel: c.frame.cancel, Status: c.frame.status, Message: message}
			if !proto.Equal(&generated, want) {
				t.Errorf("written %v, meant %v", &generated, want)
			}
			if most := c.frame.weight(len(message)); len(*whole.bytes)+len(*(&frame{id: c.frame.id, cancel: true}).bare().bytes) > most {
				t.Errorf("%d bytes weigh %d", len(*whole.bytes), most)
			}
			var back frame
			if err := back.open(whole.after(t)); err != nil {
				t.Fatal(err)
			}
			same(t, &back, &generated)
		})
	}
}

func same(t *testing.T, got *frame, want *pluginpb.Frame) {
	t.Helper()
	if got.id != want.GetId() || got.method != want.GetMethod() || got.timeout != time.Duration(want.GetTimeoutUs())*time.Microsecond ||
		!slices.Equal(got.metadata, want.GetMetadata()) || got.cancel != want.GetCancel() || string(got.status) != string(want.GetStatus()) || string(got.message) != string(want.GetMessage()) {
		t.Errorf("read %+v, the generated one %v", got, want)
	}
}

func TestFramesAreReadOneAfterAnother(t *testing.T) {
	var wire bytes.Buffer
	for id := range uint64(3) {
		whole, err := (&frame{id: id}).seal(&pluginpb.SaveRequest{Table: "x"}, 3)
		if err != nil {
			t.Fatal(err)
		}
		wire.Write(*whole.bytes)
		whole.put()
	}
	wire.Write([]byte{0, 0, 4, 1})
	from := bufio.NewReader(&wire)
	for id := range uint64(3) {
		var got frame
		if err := got.read(from, 1<<10); err != nil || got.id != id || len(got.message) != 3 {
			t.Errorf("%+v, %v", got, err)
		}
		got.free()
	}
	var large frame
	if err := large.read(from, 1<<10); !errors.Is(err, errFrame) {
		t.Errorf("a frame beyond the bound: %v", err)
	}
}

// What the generated reader takes, ours reads as the same; what ours refuses, so does it. Only texts that are no UTF-8 pass here
// and not there: names of methods are compared, metadata are bytes.
func FuzzFrame(f *testing.F) {
	for _, c := range frames() {
		f.Add((*c.frame.bare().bytes)[length:])
	}
	whole, err := proto.Marshal(&pluginpb.Frame{Id: 7, Method: "/m", TimeoutUs: 9, Metadata: []string{"a", "b"}, Status: []byte{1}, Message: []byte("x")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(append(whole, 0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8)) // a field of later days
	f.Add([]byte{0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var ours frame
		var theirs pluginpb.Frame
		refused, generated := ours.open(raw), proto.Unmarshal(raw, &theirs)
		if generated == nil {
			if refused != nil {
				t.Fatalf("%x is a frame: %v", raw, refused)
			}
			same(t, &ours, &theirs)
		}
	})
}
