package plugin

import "context"

// searched narrows where to the rows that hold every word of the text, in any of the columns flagged search.
func (d data) searched(_ context.Context, c *collection, where predicate, text string, _ bool) (source, error) {
	some := nothing
	for _, column := range c.columns {
		if column.GetSearch() && (column.GetType() == "text" || column.GetType() == "longtext") {
			some = some.or(contains(column.GetName(), text))
		}
	}
	return source{"`" + c.table + "`", where.and(some)}, nil
}
