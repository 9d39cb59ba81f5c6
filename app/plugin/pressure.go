package plugin

import (
	"context"
	"path"
	"time"

	"golang.org/x/time/rate"
	"google.golang.org/grpc"

	"minifleet/app/fault"
)

// Bounds of what one plugin process may ask of the host at once, so that a flood drowns nobody else. An extension's pace is
// bounded as well.
const (
	callsAtOnce     = 64               // host calls of one process that run; more wait for their turn
	streamsAtOnce   = 256              // and so many are taken in at all, 64 of an extension
	thirdStreams    = 64               // each may hold a message in memory while it waits
	thirdPerSecond  = 2_000            // host calls of one extension's process, in the mean
	thirdBurst      = 4_000            // and at once
	longestTurnWait = 20 * time.Second // for a turn; the call's own deadline may be shorter
	callMethod      = "Call"           // waits for another plugin, which asks the host in its turn: it holds no place
)

// pressure keeps one process' host calls within bounds.
type pressure struct {
	places chan struct{}
	pace   *rate.Limiter // nil: none
}

func newPressure(third bool) *pressure {
	p := &pressure{places: make(chan struct{}, callsAtOnce)}
	if third {
		p.pace = rate.NewLimiter(thirdPerSecond, thirdBurst)
	}
	return p
}

// streams is how many calls the transport takes in at once.
func (p *pressure) streams() uint32 {
	if p.pace != nil {
		return thirdStreams
	}
	return streamsAtOnce
}

// enter waits for a turn; leave gives it back.
func (p *pressure) enter(ctx context.Context, method string) (leave func(), err error) {
	wait, cancel := context.WithTimeout(ctx, longestTurnWait)
	defer cancel()
	crowded := func(cause error) error {
		return toWire(fault.New(fault.TooMany, "plugin.pressure", "插件同时发起的请求太多，请稍后重试").Because(cause))
	}
	if p.pace != nil {
		if err := p.pace.Wait(wait); err != nil {
			return nil, crowded(err)
		}
	}
	if method == callMethod {
		return func() {}, nil
	}
	select {
	case p.places <- struct{}{}:
		return func() { <-p.places }, nil
	case <-wait.Done():
		return nil, crowded(wait.Err())
	}
}

func (p *pressure) intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	leave, err := p.enter(ctx, path.Base(info.FullMethod))
	if err != nil {
		return nil, err
	}
	defer leave()
	return next(ctx, request)
}
