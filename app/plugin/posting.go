package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
)

// A collection with columns flagged search has a posting table beside it: the grams of each row's text. A gram is two
// characters, or three when it begins with a letter or digit of ASCII, of which there are few; towards the end of a word it
// is shorter, so that whatever is shorter than a gram is the beginning of one. The text itself stands in the row once more,
// in small letters, so that what the grams find can be looked at on any database in the same way.
const (
	searchColumn = "_search"
	// searchedRunes is how much of a row's text is found: its first characters.
	searchedRunes = 4_000
	// searchWordsMost and searchTextMost bound what a person searches for.
	searchWordsMost = 8
	searchTextMost  = 200
)

// postings is whether a collection's posting table can be relied on yet.
type postings struct {
	table   string
	columns []string // flagged search
	ready   atomic.Bool
}

// searchable tells whether any column is flagged search.
func (c *collection) searchable() bool { return c.postings != nil }

// addSearch prepares the posting table of a collection that has columns to search.
func (c *collection) addSearch(plugin string) {
	var names []string
	for _, column := range c.columns {
		if column.GetSearch() && (column.GetType() == "text" || column.GetType() == "longtext") {
			names = append(names, column.GetName())
		}
	}
	if len(names) == 0 {
		return
	}
	c.postings = &postings{table: "pluginsearch_" + plugin + "_" + c.name, columns: names}
	c.hidden = append(c.hidden, &Column{Name: searchColumn, Type: "longtext"})
}

// searchText is what a search looks in: the flagged columns, one after the other, "" for a collection without.
func (c *collection) searchText(row map[string]any) string {
	if c.postings == nil {
		return ""
	}
	parts := make([]string, 0, len(c.postings.columns))
	for _, name := range c.postings.columns {
		text, _ := row[name].(string)
		parts = append(parts, text)
	}
	return searchForm(strings.Join(parts, " "))
}

// searchForm makes spellings that a person takes for the same the same: small letters, full-width forms as ASCII, one space
// between words. It ends after searchedRunes characters.
func searchForm(text string) string {
	var form strings.Builder
	taken, gap := 0, false
	for _, r := range text {
		if r >= 0xFF01 && r <= 0xFF5E {
			r -= 0xFEE0
		}
		if unicode.IsSpace(r) || unicode.IsControl(r) || r == unicode.ReplacementChar {
			gap = taken > 0
			continue
		}
		if taken == searchedRunes {
			break
		}
		if gap {
			form.WriteByte(' ')
			gap = false
		}
		form.WriteRune(unicode.ToLower(r))
		taken++
	}
	return form.String()
}

// gramSize is how many characters a gram has that begins with r.
func gramSize(r rune) int {
	if r < unicode.MaxASCII {
		return 3
	}
	return 2
}

// grams are those of a text in its search form, each once.
func grams(text string) []string {
	var found []string
	seen := map[string]bool{}
	for _, word := range strings.Fields(text) {
		runes := []rune(word)
		for i, r := range runes {
			gram := string(runes[i:min(i+gramSize(r), len(runes))])
			if !seen[gram] {
				seen[gram] = true
				found = append(found, gram)
			}
		}
	}
	return found
}

// post brings the posting table to what a row holds now, in the row's own transaction.
func (d data) post(ctx context.Context, c *collection, id int64, was, now []string) error {
	if c.postings == nil {
		return nil
	}
	gone, added := without(was, now), without(now, was)
	for part := range slices.Chunk(gone, 200) {
		args := []any{id}
		for _, gram := range part {
			args = append(args, gram)
		}
		query := "DELETE FROM `" + c.postings.table + "` WHERE `_row`=? AND `_gram` IN (" + marks("?", len(part)) + ")"
		if _, err := d.db.Exec(ctx, query, args...); err != nil {
			return fmt.Errorf("write %s: %w", c.postings.table, err)
		}
	}
	for part := range slices.Chunk(added, 200) {
		args := make([]any, 0, 2*len(part))
		for _, gram := range part {
			args = append(args, gram, id)
		}
		query := "INSERT INTO `" + c.postings.table + "` (`_gram`,`_row`) VALUES " + marks("(?,?)", len(part))
		if _, err := d.db.Exec(ctx, query, args...); err != nil {
			return fmt.Errorf("write %s: %w", c.postings.table, err)
		}
	}
	return nil
}

// without gives the grams of one text that another has not.
func without(some, others []string) []string {
	known := make(map[string]bool, len(others))
	for _, gram := range others {
		known[gram] = true
	}
	return slices.DeleteFunc(slices.Clone(some), func(gram string) bool { return known[gram] })
}

func marks(one string, n int) string {
	return strings.TrimSuffix(strings.Repeat(one+",", n), ",")
}

// Items of plugin_schema that tell how far a collection's search is.
func (p *postings) tableItem(c *collection) string { return c.name + "?grams" }
func (p *postings) readyItem(c *collection) string { return c.name + "?ready" }

// readySpec says which columns the postings are of.
func (p *postings) readySpec() string { return strings.Join(p.columns, ",") }

// searchSteps makes the posting table. That of a new collection can be relied on at once; the rows of an older one are
// posted afterwards (fill), and also again when other columns are flagged.
func (c *collection) searchSteps(done map[string]string, made bool) []step {
	if c.postings == nil {
		return nil
	}
	var steps []step
	if _, known := done[c.postings.tableItem(c)]; !known {
		steps = append(steps, step{item: c.postings.tableItem(c), sql: "CREATE TABLE IF NOT EXISTS `" + c.postings.table +
			"` (`_gram` VARCHAR(3) NOT NULL, `_row` BIGINT NOT NULL, PRIMARY KEY (`_gram`,`_row`))"})
	}
	if !made {
		steps = append(steps, step{item: c.postings.readyItem(c), spec: c.postings.readySpec()})
	}
	return steps
}
