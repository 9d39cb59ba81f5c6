package plugin

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// fewRows is how many rows are looked at one by one without another thought.
	fewRows = 2_000
	// gramsAsked bounds for how many grams of a search the database is asked how often they occur.
	gramsAsked = 6
)

// key is a gram that a row must have, or the beginning of one where the word is shorter than a gram.
type key struct {
	gram  string
	begin bool
	rows  int64 // how many have it; fewRows+1: more
}

func (k key) where() predicate {
	if k.begin {
		return predicate{"`_gram`>=? AND `_gram`<?", []any{k.gram, behind(k.gram)}}
	}
	return predicate{"`_gram`=?", []any{k.gram}}
}

// behind is the first text that does not begin with prefix any more.
func behind(prefix string) string {
	last, size := utf8.DecodeLastRuneInString(prefix)
	head := prefix[:len(prefix)-size]
	switch {
	case last == unicode.MaxRune && head == "":
		return prefix + string(unicode.MaxRune)
	case last == unicode.MaxRune:
		return behind(head)
	case last+1 == 0xD800: // no character stands where surrogates are
		return head + "\uE000"
	default:
		return head + string(last+1)
	}
}

// searchWords are the words of a search box, in their search form.
func searchWords(text string) []string {
	if utf8.RuneCountInString(text) > searchTextMost {
		text = string([]rune(text)[:searchTextMost])
	}
	words := strings.Fields(searchForm(text))
	return words[:min(len(words), searchWordsMost)]
}

// keysOf gives what a row must have in its postings to hold the word, and whether having it is enough.
func keysOf(word string) (keys []key, enough bool) {
	runes := []rune(word)
	for i, r := range runes {
		if size := gramSize(r); i+size <= len(runes) {
			keys = append(keys, key{gram: string(runes[i : i+size])})
		}
	}
	if len(keys) == 0 {
		return []key{{gram: word, begin: true}}, true
	}
	return keys, len(keys) == 1 && keys[0].gram == word
}

// searched narrows where to the rows that hold every word of the text in one of the columns flagged search. A word is any
// part of a text, in small or capital letters. The rows come from the rarest gram's postings where it is rare; otherwise in
// the order of ids along the postings, or, where few rows are seen at all or another order is wanted, from the rows
// themselves. It costs as much as its rarest gram occurs, and never more than looking at all rows that are seen.
func (d data) searched(ctx context.Context, c *collection, where predicate, text string, byID bool) (source, error) {
	words := searchWords(text)
	plain := source{from: "`" + c.table + "`", where: where}
	if c.postings == nil {
		plain.where = nothing
		return plain, nil
	}
	if len(words) == 0 {
		return plain, nil
	}
	ready, err := d.posted(ctx, c)
	if err != nil {
		return plain, err
	}
	if !ready {
		plain.where = where.and(c.inColumns(words))
		return plain, nil
	}
	var keys []key
	looked := everything // at the rows' text, where having the grams is not enough
	for _, word := range words {
		own, enough := keysOf(word)
		keys = append(keys, own...)
		if !enough || len(words) > 1 { // of several words not every gram is asked for
			looked = looked.and(contains(searchColumn, word))
		}
	}
	keys, err = d.rarest(ctx, c, keys)
	if err != nil {
		return plain, err
	}
	if keys[0].rows > fewRows {
		few, err := d.atMost(ctx, c, where, fewRows)
		if err != nil {
			return plain, err
		}
		if few || !byID || keys[0].begin {
			for _, word := range words {
				plain.where = plain.where.and(contains(searchColumn, word))
			}
			return plain, nil
		}
	}
	return c.along(keys, where.and(looked)), nil
}

// along reads rows by the postings of the first key. The other keys are asked for each of them: that costs less than
// reading its row.
func (c *collection) along(keys []key, where predicate) source {
	first := keys[0].where()
	from := "(SELECT `_row` FROM `" + c.postings.table + "` WHERE " + first.sql + ") hit CROSS JOIN `" + c.table + "`"
	if keys[0].begin { // several grams of one row may begin so
		from = strings.Replace(from, "SELECT", "SELECT DISTINCT", 1)
	}
	joined := predicate{sql: "`id`=hit.`_row`"}
	for _, other := range keys[1:] {
		own := other.where()
		joined = joined.and(predicate{"EXISTS (SELECT 1 FROM `" + c.postings.table + "` other WHERE " + own.sql + " AND other.`_row`=hit.`_row`)", own.args})
	}
	joined = joined.and(where)
	joined.args = append(slices.Clone(first.args), joined.args...)
	return source{from: from, where: joined, id: "hit.`_row`"}
}

// rarest asks how often keys occur and gives those that were asked for, the rarest first. Of many it asks for a few that lie
// apart.
func (d data) rarest(ctx context.Context, c *collection, keys []key) ([]key, error) {
	asked := keys
	if n := len(keys); n > gramsAsked {
		asked = nil
		for i := range gramsAsked {
			asked = append(asked, keys[i*n/gramsAsked])
		}
	}
	asked = slices.Clone(asked)
	for i := range asked {
		own := asked[i].where()
		from := "`" + c.postings.table + "` WHERE " + own.sql
		rows, err := d.db.Int(ctx, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM "+from+" LIMIT "+strconv.Itoa(fewRows+1)+") counted", own.args...)
		if err != nil {
			return nil, fmt.Errorf("search %s: %w", c.table, err)
		}
		asked[i].rows = rows
		if rows < fewRows/100 { // rare enough
			asked[0], asked[i] = asked[i], asked[0]
			return asked[:min(len(asked), i+2)], nil
		}
	}
	slices.SortStableFunc(asked, func(x, y key) int { return int(x.rows - y.rows) })
	return asked[:min(len(asked), 3)], nil
}

// atMost tells whether the authority sees no more rows than n.
func (d data) atMost(ctx context.Context, c *collection, where predicate, n int) (bool, error) {
	rows, err := d.db.Int(ctx, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM `"+c.table+"` WHERE "+where.sql+" LIMIT "+strconv.Itoa(n+1)+") counted", where.args...)
	if err != nil {
		return false, fmt.Errorf("search %s: %w", c.table, err)
	}
	return rows <= int64(n), nil
}

// inColumns looks into the columns themselves, while the rows are not all posted yet.
func (c *collection) inColumns(words []string) predicate {
	all := everything
	for _, word := range words {
		some := nothing
		for _, name := range c.postings.columns {
			some = some.or(contains(name, word))
		}
		all = all.and(some)
	}
	return all
}

// posted tells whether every row is in the postings. Once it is so, it stays so for this build.
func (d data) posted(ctx context.Context, c *collection) (bool, error) {
	if c.postings.ready.Load() {
		return true, nil
	}
	plugin, _, _ := strings.Cut(strings.TrimPrefix(c.table, "plugin_"), "_") // ids have no underscore
	n, err := d.db.Int(ctx, "SELECT COUNT(*) FROM plugin_schema WHERE plugin=? AND item=? AND spec=?", plugin, c.postings.readyItem(c), c.postings.readySpec())
	if err != nil {
		return false, fmt.Errorf("search %s: %w", c.table, err)
	}
	if n > 0 {
		c.postings.ready.Store(true)
	}
	return n > 0, nil
}
