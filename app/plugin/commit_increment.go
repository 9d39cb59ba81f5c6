package plugin

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// codeBounds says that an increment would leave its bounds, or what an integer holds.
const codeBounds = "plugin.bounds"

// increment adds to columns of a row in one statement, so that two at the same time both count. The bounds are part of it:
// nothing is read first.
func (w *writing) increment(ctx context.Context, target *collection, op *pluginpb.Op, cells map[string]json.RawMessage) error {
	if len(cells) == 0 {
		return mistake("an increment of %s adds to nothing", target.name)
	}
	where := w.target(target, op)
	var sets strings.Builder
	var args []any
	for _, name := range slices.Sorted(maps.Keys(cells)) {
		if err := target.mayChange(name, "increment"); err != nil {
			return err
		}
		add, err := strconv.ParseInt(strings.Trim(string(cells[name]), `"`), 10, 64)
		if err != nil || target.byName[name].GetType() != "int" {
			return mistake("cannot add %s to column %s of %s", cells[name], name, target.name)
		}
		sets.WriteString("`" + name + "`=`" + name + "`+?,")
		args = append(args, add)
		low, high, err := boundsOf(name, op.GetBounds())
		if err != nil {
			return err
		}
		where = where.and(stays(name, add, low, high))
	}
	for _, bound := range op.GetBounds() {
		if _, added := cells[bound.GetColumn()]; !added {
			return mistake("a bound of %q, which is not added to", bound.GetColumn())
		}
	}
	query := "UPDATE `" + target.table + "` SET " + sets.String() + "`version`=`version`+1,`updated_at`=? WHERE " + where.sql
	args = append(append(args, w.clock.Now().UnixMilli()), where.args...)
	changed, err := w.db.Exec(ctx, query, args...)
	if err != nil {
		return taken(target, err)
	}
	if changed == 0 {
		return w.whyUntouched(ctx, target, op)
	}
	return nil
}

// boundsOf is what a column may become: what the op says, and otherwise what an integer holds.
func boundsOf(name string, bounds []*pluginpb.Bound) (low, high int64, err error) {
	low, high = math.MinInt64, math.MaxInt64
	for _, bound := range bounds {
		if bound.GetColumn() != name {
			continue
		}
		if bound.Min != nil {
			low = max(low, bound.GetMin())
		}
		if bound.Max != nil {
			high = min(high, bound.GetMax())
		}
	}
	if low > high {
		return low, high, mistake("bounds %d…%d of %s", low, high, name)
	}
	return low, high, nil
}

// stays holds when the column plus add lies between low and high. The sum itself is never made: it might be more than an
// integer holds.
func stays(name string, add, low, high int64) predicate {
	column := "`" + name + "`"
	least, leastFits := minus(low, add)
	most, mostFits := minus(high, add)
	switch {
	case !leastFits && add < 0, !mostFits && add > 0: // no integer is so great, or so small
		return nothing
	case !leastFits: // every integer is
		return predicate{column + "<=?", []any{most}}
	case !mostFits:
		return predicate{column + ">=?", []any{least}}
	default:
		return predicate{column + ">=? AND " + column + "<=?", []any{least, most}}
	}
}

// minus subtracts, and tells whether an integer holds the difference.
func minus(x, y int64) (int64, bool) {
	d := x - y
	return d, (d < x) == (y > 0) || y == 0
}
