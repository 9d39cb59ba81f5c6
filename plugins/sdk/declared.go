package sdk

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

var baseColumns = []string{ColumnID, ColumnVersion, ColumnSpace, ColumnCreatedAt, ColumnUpdatedAt}

func hasColumn(c *pluginpb.Collection, name, kind string) bool {
	if slices.Contains(baseColumns, name) {
		return kind == "" || kind == "int"
	}
	return slices.ContainsFunc(c.GetColumns(), func(column *pluginpb.Column) bool {
		return column.GetName() == name && (kind == "" || column.GetType() == kind)
	})
}

// checkCollection looks at a collection's name, visibility and indexes; columns are known when its tags were read.
func (p *Plugin) checkCollection(c *pluginpb.Collection, columns bool) {
	where := fmt.Sprintf("collection %q", c.GetName())
	if !nameShape.MatchString(c.GetName()) || len(c.GetName()) < 2 || len(c.GetName()) > 30 {
		p.mistaken(where, "the name is not [a-z][a-z0-9_]{1,29}")
	}
	for _, other := range p.manifest.GetCollections() {
		if other.GetName() == c.GetName() {
			p.mistaken(where, "declared twice")
		}
	}
	v := c.GetVisibility()
	need := func(what, column, kind string) {
		if columns && !hasColumn(c, column, kind) {
			p.mistaken(where, "visibility %s: %s %q is no column of type %s", v.GetKind(), what, column, kind)
		}
	}
	switch VisibleKind(v.GetKind()) {
	case Space:
	case Parties:
		need("Column", v.GetColumn(), "int")
		need("Other", v.GetOther(), "int")
	case MiniProgram:
		need("Column", v.GetColumn(), "text")
	case Public:
		need("When", v.GetWhen(), "text")
	default:
		p.mistaken(where, "visibility %q is none of sdk.Space, sdk.Parties, sdk.MiniProgram, sdk.Public", v.GetKind())
	}
	for _, index := range c.GetIndexes() {
		if n := len(index.GetColumns()); n == 0 || n > 4 {
			p.mistaken(where, "an index has %d columns, not 1…4", n)
		}
		for _, name := range index.GetColumns() {
			if columns && !hasColumn(c, name, "") {
				p.mistaken(where, "index on %q: there is no such column", name)
			} else if columns && (hasColumn(c, name, "longtext") || hasColumn(c, name, "json")) {
				p.mistaken(where, "index on %q: longtext and json cannot be indexed", name)
			}
		}
	}
}

// checkTable looks at a table before it is declared; false when it is of no use.
func (p *Plugin) checkTable(table Table) bool {
	where := fmt.Sprintf("table %q", table.Name)
	before := len(p.mistakes)
	if !nameShape.MatchString(table.Name) {
		p.mistaken(where, "the name is not [a-z][a-z0-9_]{0,39}")
	}
	if p.tables[table.Name] != nil {
		p.mistaken(where, "declared twice")
	}
	if (table.Collection == nil) == (table.Rows == nil) {
		p.mistaken(where, "needs either Collection or Rows")
	}
	if table.Rows != nil {
		for _, lack := range []struct {
			missing bool
			what    string
		}{
			{table.CanEdit && (table.Row == nil || table.Save == nil), "CanEdit needs Row and Save"},
			{table.CanCreate && table.Save == nil, "CanCreate needs Save"},
			{table.CanRemove && table.Remove == nil, "CanRemove needs Remove"},
		} {
			if lack.missing {
				p.mistaken(where, "rows are computed: %s", lack.what)
			}
		}
	}
	if reason := badKinds(table.Kinds); reason != "" {
		p.mistaken(where, "%s", reason)
	}
	return len(p.mistakes) == before
}

// checkDeclared looks at the names inside a table.
func (p *Plugin) checkDeclared(declared *pluginpb.Table, table Table) {
	where := fmt.Sprintf("table %q", table.Name)
	var kept *pluginpb.Collection
	if table.Collection != nil {
		kept = table.Collection.declaration()
	}
	for _, column := range append(slices.Clone(declared.GetColumns()), declared.GetForm()...) {
		if kept != nil && !hasColumn(kept, column.GetName(), "") {
			p.mistaken(where, "column %q is not in collection %q", column.GetName(), kept.GetName())
		} else if !nameShape.MatchString(column.GetName()) {
			p.mistaken(where, "column name %q is not [a-z][a-z0-9_]{0,39}", column.GetName())
		}
	}
	if len(declared.GetForm()) == 0 && (table.CanCreate || table.CanEdit) {
		p.mistaken(where, "can create or edit, but no column is in the form")
	}
	if name := strings.TrimPrefix(table.Sort, "-"); name != "" && !listed(declared, table, name) {
		p.mistaken(where, "is sorted by %q, which is no column", name)
	} else if name != "" && kept != nil && !sortable(kept, name) {
		p.mistaken(where, "is sorted by %q, which has neither the flag sort nor an index", name)
	}
	for i, action := range table.Actions {
		p.checkAction(declared, table, table.Actions[:i], action)
	}
}

// sortable tells whether the host keeps a collection in an order by this column.
func sortable(c *pluginpb.Collection, name string) bool {
	return slices.Contains([]string{ColumnID, ColumnCreatedAt, ColumnSpace, c.GetVisibility().GetColumn(), c.GetVisibility().GetOther()}, name) ||
		slices.ContainsFunc(c.GetColumns(), func(column *pluginpb.Column) bool { return column.GetName() == name && column.GetSort() }) ||
		slices.ContainsFunc(c.GetIndexes(), func(i *pluginpb.Index) bool { return len(i.GetColumns()) > 0 && i.GetColumns()[0] == name })
}

// listed tells whether a name is a column that the rows of a table have.
func listed(declared *pluginpb.Table, table Table, name string) bool {
	return slices.Contains(baseColumns, name) || table.Collection != nil && hasColumn(table.Collection.declaration(), name, "") ||
		slices.ContainsFunc(declared.GetColumns(), func(c *pluginpb.Column) bool { return c.GetName() == name })
}

// checkAction looks at one action beside those declared before it.
func (p *Plugin) checkAction(declared *pluginpb.Table, table Table, before []Action, action Action) {
	where := fmt.Sprintf("table %q action %q", table.Name, action.Name)
	if !nameShape.MatchString(action.Name) || action.Title == "" || action.Run == nil {
		p.mistaken(where, "needs a name ([a-z][a-z0-9_]*), a title and a function to run")
	}
	if slices.ContainsFunc(before, func(other Action) bool { return other.Name == action.Name }) {
		p.mistaken(where, "declared twice")
	}
	if action.WhenColumn != "" && !listed(declared, table, action.WhenColumn) {
		p.mistaken(where, "is shown when %q …, which is no column", action.WhenColumn)
	}
}

// badSpec reads a five-field cron expression and says what is wrong with it.
func badSpec(spec string) string {
	fields := strings.Fields(spec)
	if len(fields) != 5 {
		return fmt.Sprintf("spec %q has %d fields, a cron expression has five: minute hour day month weekday", spec, len(fields))
	}
	bounds := []struct {
		name        string
		least, most int
	}{{"minute", 0, 59}, {"hour", 0, 23}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 6}}
	for i, field := range fields {
		for _, part := range strings.Split(cronNumbers(i, field), ",") {
			if !cronPart(part, bounds[i].least, bounds[i].most) {
				return fmt.Sprintf("spec %q: %s %q is not within %d…%d", spec, bounds[i].name, field, bounds[i].least, bounds[i].most)
			}
		}
	}
	return ""
}

// cronNumbers replaces the names of months and weekdays.
func cronNumbers(place int, field string) string {
	var names []string
	switch place {
	case 3:
		names = []string{"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	case 4:
		names = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	}
	field = strings.ToLower(field)
	for n, name := range names {
		if name != "" {
			field = strings.ReplaceAll(field, name, strconv.Itoa(n))
		}
	}
	if field == "?" {
		return "*"
	}
	return field
}

// cronPart reads * or N or N-M, each with an optional /STEP.
func cronPart(part string, least, most int) bool {
	span, step, stepped := strings.Cut(part, "/")
	if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1) {
		return false
	}
	if span == "*" {
		return true
	}
	from, to, ranged := strings.Cut(span, "-")
	first, err := strconv.Atoi(from)
	if err != nil || first < least || first > most {
		return false
	}
	if !ranged {
		return true
	}
	last, err := strconv.Atoi(to)
	return err == nil && last >= first && last <= most
}
