package hostsuite

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"minifleet/plugins/sdk"
)

// walk reads all pages.
func (s stage) walk(t testing.TB, actor sdk.ActorInfo, in Command) []string {
	t.Helper()
	var seen []string
	for range 50 {
		page := s.must(t, actor, in)
		seen = append(seen, page.titles()...)
		if in.Cursor = page.Next; in.Cursor == "" {
			return seen
		}
	}
	t.Fatalf("%s does not end", in.Sort)
	return nil
}

func cursors(t *testing.T, s stage) {
	for _, title := range []string{"c", "a", "b", "a", "d"} { // one by one: an id is later than those before
		s.insert(t, s.Ada, "own", Thing{Title: title, Price: int64(len(title)), Body: "every one"})
	}
	for sort, want := range map[string]string{
		"": "d a b a c", "id": "c a b a d", "title": "a a b c d", "-title": "d c b a a", "-created_at": "d a b a c", "price": "c a b a d", "-price": "d a b a c",
	} {
		for _, search := range []string{"", "every"} {
			for limit := 1; limit <= 3; limit++ {
				in := Command{Do: "find", Collection: "own", Sort: sort, Limit: limit, Count: true, Search: search}
				if got := strings.Join(s.walk(t, s.Ada, in), " "); got != want {
					t.Errorf("sort %q by %d, searching %q: %q, want %q", sort, limit, search, got, want)
				}
				if total := s.must(t, s.Ada, in).Total; total != 5 {
					t.Errorf("sort %q: total %d", sort, total)
				}
			}
		}
	}
	page := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Sort: "title", Limit: 2})
	if page.Total != -1 {
		t.Errorf("a total of %d that nobody asked for", page.Total)
	}
	// What comes and goes between two pages moves nothing else.
	s.insert(t, s.Ada, "own", Thing{Title: "a", Price: 1}, Thing{Title: "aa", Price: 1})
	rest := s.walk(t, s.Ada, Command{Do: "find", Collection: "own", Sort: "title", Limit: 2, Cursor: page.Next})
	if got := strings.Join(rest, " "); got != "a aa b c d" {
		t.Errorf("behind the first page: %q", got)
	}
}

func senseless(t *testing.T, s stage) {
	first := s.insert(t, s.Ada, "own", Thing{Title: "a"}, Thing{Title: "b"})[0]
	next := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Sort: "title", Limit: 1}).Next
	for what, in := range map[string]Command{
		"an order without an index": {Do: "find", Sort: "stock"}, "an order by nothing": {Do: "find", Sort: "nothing"},
		"a broken cursor": {Do: "find", Cursor: "garbage"}, "a cursor of another order": {Do: "find", Sort: "-title", Cursor: next},
	} {
		in.Collection = "own"
		_, err := s.Do(t, s.Ada, in)
		refused(t, what, err, sdk.KindInvalid, "")
	}
	for what, in := range map[string]Command{
		"a condition on nothing": {Do: "find", Where: []Cond{{"nothing", "eq", 1}}}, "a condition on JSON": {Do: "find", Where: []Cond{{"tags", "eq", "a"}}},
		"a number in a text": {Do: "find", Where: []Cond{{"title", "eq", 1}}}, "a text in a number": {Do: "find", Where: []Cond{{"price", "eq", "1"}}},
		"part of a number": {Do: "find", Where: []Cond{{"price", "like", "1"}}}, "columns that are not there": {Do: "find", Columns: []string{"nothing"}},
		"groups by JSON": {Do: "aggregate", By: []string{"tags"}}, "groups by long text": {Do: "aggregate", By: []string{"body"}},
		"a sum of texts": {Do: "aggregate", Measures: []string{"sum:title"}}, "a sum of times": {Do: "aggregate", Measures: []string{"sum:due"}},
		"four columns": {Do: "aggregate", By: []string{"title", "state", "price", "code"}},
	} {
		in.Collection = "own"
		_, err := s.Do(t, s.Ada, in)
		refused(t, what, err, sdk.KindInternal, "sdk.query") // found before it goes to the host
	}
	out := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Columns: []string{"title"}, Where: []Cond{{"id", "eq", first}}})
	if row := out.Rows[0]; row.Title != "a" || row.ID != first || row.SpaceID != 0 || row.CreatedAt != 0 {
		t.Errorf("one column reads %+v", row)
	}
}

func search(t *testing.T, s stage) {
	s.insert(t, s.Ada, "own",
		Thing{Title: "奶茶店小程序", Body: "朝阳区 第12号店 wx1234ABCD", Price: 3}, Thing{Title: "奶粉与茶叶", Body: "海淀区 wx99", Price: 1},
		Thing{Title: "Coffee 100%", Body: "朝阳 Espresso_bar!", Price: 2}, Thing{Title: "茶", Body: "a", Price: 4})
	s.insert(t, s.Bob, "own", Thing{Title: "奶茶", Body: "朝阳"})
	for text, want := range map[string][]string{
		"奶茶": {"奶茶店小程序"}, "茶": {"茶", "奶粉与茶叶", "奶茶店小程序"}, "茶 奶": {"奶粉与茶叶", "奶茶店小程序"}, "朝阳 奶": {"奶茶店小程序"}, "朝阳": {"Coffee 100%", "奶茶店小程序"},
		"COFFEE": {"Coffee 100%"}, "offe": {"Coffee 100%"}, "wx1234abcd": {"奶茶店小程序"}, "234A": {"奶茶店小程序"}, "wx": {"奶粉与茶叶", "奶茶店小程序"}, "9": {"奶粉与茶叶"},
		"12号": {"奶茶店小程序"}, "2号店": {"奶茶店小程序"}, "%": {"Coffee 100%"}, "o_b": {"Coffee 100%"}, "_": {"Coffee 100%"}, "r!": {"Coffee 100%"}, "ＷＸ９９": {"奶粉与茶叶"},
		"奶 咖啡": {}, "茶奶": {}, "店 小": {"奶茶店小程序"}, "coffee tea": {}, "": {"茶", "Coffee 100%", "奶粉与茶叶", "奶茶店小程序"}, "  ": {"茶", "Coffee 100%", "奶粉与茶叶", "奶茶店小程序"},
	} {
		out := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Search: text, Count: true})
		if got := out.titles(); !reflect.DeepEqual(got, want) || out.Total != int64(len(want)) {
			t.Errorf("%q finds %q of %d, want %q", text, got, out.Total, want)
		}
	}
	if got := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Search: "茶", Sort: "price", Where: []Cond{{"price", "lt", 4}}}).titles(); !slices.Equal(got, []string{"奶粉与茶叶", "奶茶店小程序"}) {
		t.Errorf("with a condition and an order: %q", got)
	}
	row := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Search: "海淀"}).Rows[0]
	s.must(t, s.Ada, Command{Do: "commit", Collection: "own", Ops: []Change{{Kind: "update", ID: row.ID, Set: map[string]any{"body": "西城区"}}}})
	if found := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Search: "海淀"}).Rows; len(found) != 0 {
		t.Errorf("what a row held before is found: %+v", found)
	}
	if found := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Search: "西城 茶叶"}).Rows; len(found) != 1 {
		t.Errorf("what a row holds now is not found: %+v", found)
	}
	s.must(t, s.Ada, Command{Do: "commit", Collection: "own", Ops: []Change{{Kind: "delete", ID: row.ID}}})
	if found := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Search: "西城"}).Rows; len(found) != 0 {
		t.Errorf("a deleted row is found: %+v", found)
	}
}

func figures(t *testing.T, s stage) {
	s.insert(t, s.Ada, "own",
		Thing{Title: "a", State: "open", Price: 3, Done: true, Due: 7, Body: "tea"}, Thing{Title: "b", State: "open", Price: 5, Due: 9, Body: "tea"},
		Thing{Title: "a", State: "done", Price: -2, Done: true, Body: "milk"}, Thing{Title: "c", State: "done", Price: 0}, Thing{Title: "a", State: "open", Price: 1})
	s.insert(t, s.Bob, "own", Thing{Title: "a", State: "open", Price: 100})
	for name, c := range map[string]struct {
		in     Command
		want   []string
		others int64
	}{
		"all":                    {Command{}, []string{"{}[5]"}, 0},
		"every measure":          {Command{Measures: []string{"count", "sum:price", "min:price", "max:price", "min:title", "max:title", "max:due"}}, []string{`{}[5,7,-2,5,"a","c",9]`}, 0},
		"by a column":            {Command{By: []string{"state"}}, []string{`{"state":"open"}[3]`, `{"state":"done"}[2]`}, 0},
		"by two":                 {Command{By: []string{"state", "done"}, Measures: []string{"sum:price"}}, []string{`{"done":false,"state":"open"}[6]`, `{"done":true,"state":"open"}[3]`, `{"done":false,"state":"done"}[0]`, `{"done":true,"state":"done"}[-2]`}, 0},
		"largest first":          {Command{By: []string{"title"}, Measures: []string{"max:price", "count"}}, []string{`{"title":"b"}[5,1]`, `{"title":"a"}[3,3]`, `{"title":"c"}[0,1]`}, 0},
		"beyond the limit":       {Command{By: []string{"title"}, Limit: 1}, []string{`{"title":"a"}[3]`}, 2},
		"with a condition":       {Command{By: []string{"state"}, Where: []Cond{{"price", "gt", 0}}}, []string{`{"state":"open"}[3]`}, 0},
		"with a search":          {Command{Search: "tea", Measures: []string{"sum:price"}}, []string{"{}[8]"}, 0},
		"of nothing":             {Command{Where: []Cond{{"price", "gt", 1000}}, Measures: []string{"count", "sum:price", "min:price", "max:title"}}, []string{"{}[0,0,null,null]"}, 0},
		"of nothing by a column": {Command{Where: []Cond{{"price", "gt", 1000}}, By: []string{"title"}}, []string{}, 0},
	} {
		c.in.Do, c.in.Collection = "aggregate", "own"
		out := s.must(t, s.Ada, c.in)
		if !reflect.DeepEqual(out.Groups, c.want) || out.Others != c.others {
			t.Errorf("%s: %v and %d others, want %v and %d", name, out.Groups, out.Others, c.want, c.others)
		}
	}
}
