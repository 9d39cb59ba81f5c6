package store

import (
	"context"
	"fmt"
	"time"
)

// Lease is the right to do one named thing alone until it ends. Fence grows with every new holder, so that a write
// can be refused that comes from a holder who lost the lease meanwhile.
type Lease struct {
	Name  string
	Fence int64
	owner string
}

// Lease takes the named lease for ttl (wall time) and reports false while another holder's is still running.
// Two callers in one process are two holders.
func (d *DB) Lease(ctx context.Context, name string, ttl time.Duration) (Lease, bool, error) {
	now := time.Now().UnixMilli()
	l := Lease{Name: name, owner: fmt.Sprintf("%s-%d", d.owner, d.NewID())}
	until := now + ttl.Milliseconds()
	n, err := d.Exec(ctx, "UPDATE lease SET owner=?, lease_until=?, fence=fence+1 WHERE name=? AND lease_until<?", l.owner, until, name, now)
	if err != nil {
		return l, false, err
	}
	if n == 0 {
		added, err := d.InsertIgnore(ctx, "lease", map[string]any{"name": name, "owner": l.owner, "lease_until": until, "fence": 1})
		if err != nil || !added {
			return l, false, err
		}
	}
	l.Fence, err = d.Int(ctx, "SELECT fence FROM lease WHERE name=? AND owner=?", name, l.owner)
	return l, err == nil && l.Fence > 0, err
}

// Extend moves the end of a lease that is still held to ttl from now; false means that it was lost.
func (d *DB) Extend(ctx context.Context, l Lease, ttl time.Duration) (bool, error) {
	n, err := d.Exec(ctx, "UPDATE lease SET lease_until=? WHERE name=? AND owner=?", time.Now().Add(ttl).UnixMilli(), l.Name, l.owner)
	return n > 0, err
}

// Release ends a lease early; one that was already lost stays with its new holder.
func (d *DB) Release(ctx context.Context, l Lease) error {
	_, err := d.Exec(ctx, "UPDATE lease SET lease_until=0 WHERE name=? AND owner=?", l.Name, l.owner)
	return err
}
