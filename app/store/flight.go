package store

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"
)

// Flight lets one caller at a time, in this process and across replicas, do a named piece of work, while the
// others wait for its result instead of failing. The zero Flight is not ready; use NewFlight.
type Flight struct {
	db    *DB
	group singleflight.Group
}

// NewFlight makes a Flight whose leases live in db.
func NewFlight(db *DB) *Flight { return &Flight{db: db} }

// flightLease outlives the longest WeChat call, so that nobody starts a second one beside it.
const flightLease = 45 * time.Second

// Do returns what ready finds, or, holding the lease of name, what work brings. ready is asked again after the lease
// was taken, since another replica may have just finished. A caller that gives up does not stop the others.
func (f *Flight) Do(ctx context.Context, name string, ready func(context.Context) (string, bool, error), work func(context.Context) (string, error)) (string, error) {
	result := f.group.DoChan(name, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flightLease)
		defer cancel()
		return f.fly(ctx, name, ready, work)
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-result:
		if r.Err != nil {
			return "", r.Err
		}
		return r.Val.(string), nil
	}
}

func (f *Flight) fly(ctx context.Context, name string, ready func(context.Context) (string, bool, error), work func(context.Context) (string, error)) (string, error) {
	for wait := 25 * time.Millisecond; ; wait = min(2*wait, 400*time.Millisecond) {
		if value, ok, err := ready(ctx); err != nil || ok {
			return value, err
		}
		lease, ok, err := f.db.Lease(ctx, name, flightLease)
		if err != nil {
			return "", err
		}
		if ok {
			return f.lead(ctx, lease, ready, work)
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (f *Flight) lead(ctx context.Context, lease Lease, ready func(context.Context) (string, bool, error), work func(context.Context) (string, error)) (value string, err error) {
	defer func() {
		if e := f.db.Release(context.WithoutCancel(ctx), lease); err == nil {
			err = e
		}
	}()
	if value, ok, err := ready(ctx); err != nil || ok {
		return value, err
	}
	return work(ctx)
}
