package sdk

import (
	"encoding/json"
	"errors"
	"fmt"

	"minifleet/plugins/sdk/pluginpb"
)

// Codes of refusals that a plugin may want to know by name.
const (
	CodeBounds = "plugin.bounds" // an increment would leave its bounds, or what an integer holds; a conflict
	CodeQuota  = "plugin.quota"  // the space keeps as much as it may
)

// Refused tells whether err is a refusal with this code.
func Refused(err error, code string) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Code == code
}

// IncrementOption limits an increment.
type IncrementOption func(*pluginpb.Op)

// AtLeast refuses the commit (CodeBounds) when the column would become less.
func AtLeast(column string, least int64) IncrementOption {
	return func(op *pluginpb.Op) {
		op.Bounds = append(op.Bounds, &pluginpb.Bound{Column: column, Min: &least})
	}
}

// AtMost refuses the commit (CodeBounds) when the column would become more.
func AtMost(column string, most int64) IncrementOption {
	return func(op *pluginpb.Op) {
		op.Bounds = append(op.Bounds, &pluginpb.Bound{Column: column, Max: &most})
	}
}

// AtVersion refuses the commit (ErrAborted) when the row is at another version by then.
func AtVersion(version int64) IncrementOption {
	return func(op *pluginpb.Op) { op.IfVersion = version }
}

// Increment is the op that adds to int columns of a row, inside the database: two at the same time both count. A negative
// number takes away.
func (c *Collection[T]) Increment(id int64, add map[string]int64, options ...IncrementOption) Op {
	if len(add) == 0 {
		return Op{err: fmt.Errorf("increment %s: nothing to add", c.name)}
	}
	for name := range add {
		if c.shape.kind(name) != "int" || name == ColumnID || name == ColumnVersion || name == ColumnSpace {
			return Op{err: authorMistake("increment %s: no int column %q", c.name, name)}
		}
	}
	encoded, err := json.Marshal(add)
	op := &pluginpb.Op{Kind: "increment", Collection: c.name, Id: id, Row: encoded}
	for _, option := range options {
		option(op)
	}
	for _, bound := range op.Bounds {
		if _, added := add[bound.GetColumn()]; !added && err == nil {
			err = authorMistake("increment %s: a bound of %q, which is not added to", c.name, bound.GetColumn())
		}
	}
	return Op{wire: op, err: err}
}
