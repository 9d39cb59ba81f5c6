package plugin

import (
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

var comparisons = map[string]string{"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}

func (c *collection) condition(w *pluginpb.Where) (predicate, error) {
	column := c.byName[w.GetColumn()]
	if column == nil || column.GetType() == "json" {
		return nothing, mistake("no comparable column %q in %s", w.GetColumn(), c.name)
	}
	if len(w.GetValues()) > maxIn {
		return nothing, mistake("more than %d values for %s", maxIn, w.GetColumn())
	}
	free := &Column{Name: column.GetName(), Type: column.GetType(), Size: 1024}
	values := make([]any, len(w.GetValues()))
	for i, raw := range w.GetValues() {
		converted, err := value(free, raw)
		if err != nil {
			return nothing, mistake("value for %s: %v", w.GetColumn(), err)
		}
		values[i] = converted
	}
	name := "`" + column.GetName() + "`"
	if w.GetOp() == "in" {
		if len(values) == 0 {
			return nothing, nil
		}
		return predicate{name + " IN (" + strings.TrimSuffix(strings.Repeat("?,", len(values)), ",") + ")", values}, nil
	}
	if len(values) != 1 {
		return nothing, mistake("%s takes one value, got %d", w.GetOp(), len(values))
	}
	if sign, ok := comparisons[w.GetOp()]; ok {
		return predicate{name + sign + "?", values}, nil
	}
	if text, isText := values[0].(string); w.GetOp() == "like" && isText {
		return contains(column.GetName(), text), nil
	}
	return nothing, mistake("unknown comparison %q of %s", w.GetOp(), w.GetColumn())
}

// contains searches a part, with LIKE's wildcards taken literally.
func contains(column, part string) predicate {
	literal := strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(part)
	return predicate{"`" + column + "` LIKE ? ESCAPE '!'", []any{"%" + literal + "%"}}
}
