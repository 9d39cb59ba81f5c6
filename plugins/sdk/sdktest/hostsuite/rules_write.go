package hostsuite

import (
	"encoding/json"
	"math"
	"strings"
	"sync"
	"testing"

	"minifleet/plugins/sdk"
)

func versions(t *testing.T, s stage) {
	id := s.insert(t, s.Ada, "own", Thing{Title: "one"})[0]
	if err := s.change(t, s.Ada, "own", Change{Kind: "update", ID: id, Version: 1, Set: map[string]any{"title": "two"}}); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"update", "delete", "increment"} {
		op := Change{Kind: kind, ID: id, Version: 1, Set: map[string]any{"title": "late"}, Add: map[string]int64{"stock": 1}}
		refused(t, kind+" on an old version", s.change(t, s.Ada, "own", op), sdk.KindAborted, "plugin.aborted")
	}
	row, err := s.get(t, s.Ada, "own", id)
	if err != nil || row.Title != "two" || row.Version != 2 || row.Stock != 0 {
		t.Errorf("row reads %+v, %v", row, err)
	}
	if err := s.change(t, s.Ada, "own", Change{Kind: "delete", ID: id, Version: 2}); err != nil {
		t.Error(err)
	}
	_, err = s.get(t, s.Ada, "own", id)
	refused(t, "a deleted row", err, sdk.KindNotFound, "")
	refused(t, "changing a deleted row", s.change(t, s.Ada, "own", Change{Kind: "update", ID: id, Set: map[string]any{"title": "x"}}), sdk.KindNotFound, "plugin.row")
}

func increments(t *testing.T, s stage) {
	id := s.insert(t, s.Ada, "own", Thing{Title: "stock", Stock: 5, Price: math.MaxInt64 - 1})[0]
	least, most := int64(0), int64(10)
	add := func(n int64) Change {
		return Change{Kind: "increment", ID: id, Add: map[string]int64{"stock": n}, Least: &least, Most: &most}
	}
	for _, c := range []struct {
		add  int64
		fits bool
	}{{-6, false}, {6, false}, {-5, true}, {-1, false}, {10, true}, {1, false}, {math.MaxInt64, false}, {math.MinInt64, false}, {0, true}, {-3, true}} {
		err := s.change(t, s.Ada, "own", add(c.add))
		if !c.fits {
			refused(t, "leaving the bounds", err, sdk.KindConflict, sdk.CodeBounds)
		} else if err != nil {
			t.Errorf("adding %d: %v", c.add, err)
		}
	}
	over := Change{Kind: "increment", ID: id, Add: map[string]int64{"price": 2, "stock": 1}}
	refused(t, "more than an integer holds", s.change(t, s.Ada, "own", over), sdk.KindConflict, sdk.CodeBounds)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := s.change(t, s.Ada, "own", Change{Kind: "increment", ID: id, Add: map[string]int64{"stock": 3, "price": -1}}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	row, err := s.get(t, s.Ada, "own", id)
	if err != nil || row.Stock != 7+24 || row.Price != math.MaxInt64-9 || row.Version != 1+4+8 {
		t.Errorf("row reads %+v, %v", row, err)
	}
	for what, op := range map[string]Change{
		"a time":          {Kind: "increment", ID: id, Add: map[string]int64{"due": 1}},
		"text":            {Kind: "increment", ID: id, Add: map[string]int64{"title": 1}},
		"no column":       {Kind: "increment", ID: id, Add: map[string]int64{"nothing": 1}},
		"nothing":         {Kind: "increment", ID: id},
		"another's bound": {Kind: "increment", ID: id, Add: map[string]int64{"price": 1}, Least: &least},
	} {
		if err := s.change(t, s.Ada, "own", op); err == nil {
			t.Errorf("adding to %s succeeded", what)
		}
	}
}

func unique(t *testing.T, s stage) {
	s.insert(t, s.Ada, "apps", Thing{Title: "a", AppID: s.Own, Code: "1"})
	second := s.insert(t, s.Ada, "apps", Thing{Title: "b", AppID: s.Own, Code: "2"})[0]
	refused(t, "a second row", s.change(t, s.Ada, "apps", Change{Kind: "insert", Row: Thing{Title: "c", AppID: s.Own, Code: "1"}}), sdk.KindConflict, "plugin.duplicate")
	refused(t, "a change to the first's key", s.change(t, s.Ada, "apps", Change{Kind: "update", ID: second, Set: map[string]any{"code": "1"}}), sdk.KindConflict, "plugin.duplicate")
	if row, err := s.get(t, s.Ada, "apps", second); err != nil || row.Code != "2" || row.Version != 1 {
		t.Errorf("the row reads %+v, %v", row, err)
	}
	// The refusal tells nothing about a row of somebody else but that the key is taken: it comes before nothing is written.
	s.insert(t, s.Bob, "apps", Thing{Title: "d", AppID: s.Foreign, Code: "1"})
}

func once(t *testing.T, s stage) {
	in := Command{Do: "commit", Collection: "own", Key: "once-" + s.Own, Ops: []Change{{Kind: "insert", Row: Thing{Title: "once"}}}, Events: []string{"once"}}
	before := len(s.events(t, "once"))
	var mu sync.Mutex
	ids, fresh := map[int64]bool{}, 0
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			out, err := s.Do(t, s.Ada, in)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("a repeated commit: %v", err)
				return
			}
			ids[out.IDs[0]] = true
			if !out.Repeated {
				fresh++
			}
		})
	}
	group.Wait()
	if len(ids) != 1 || fresh != 1 {
		t.Errorf("8 commits with one key gave ids %v, %d of them fresh", ids, fresh)
	}
	if total := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Count: true}).Total; total != 1 {
		t.Errorf("%d rows", total)
	}
	if after := len(s.events(t, "once")); after != before+1 {
		t.Errorf("%d events", after-before)
	}
}

// events are the published ones of a type.
func (s stage) events(t testing.TB, kind string) []sdk.Event {
	var list []sdk.Event
	for _, event := range s.Published(t) {
		if event.Type == ID+"."+kind {
			list = append(list, event)
		}
	}
	return list
}

func whole(t *testing.T, s stage) {
	before := len(s.events(t, "whole"))
	id := s.insert(t, s.Ada, "own", Thing{Title: "kept", Stock: 1})[0]
	in := Command{Do: "commit", Events: []string{"whole"}, Ops: []Change{
		{Kind: "insert", Collection: "own", Row: Thing{Title: "lost", Body: "lost"}}, {Kind: "increment", Collection: "own", ID: id, Add: map[string]int64{"stock": 5}},
		{Kind: "update", Collection: "own", ID: id, Set: map[string]any{"title": "lost"}}, {Kind: "delete", Collection: "deals", ID: 1},
	}}
	_, err := s.Do(t, s.Ada, in)
	refused(t, "a commit whose last op fails", err, sdk.KindNotFound, "")
	row, err := s.get(t, s.Ada, "own", id)
	if err != nil || row.Title != "kept" || row.Stock != 1 || row.Version != 1 {
		t.Errorf("after it the row reads %+v, %v", row, err)
	}
	if found := s.must(t, s.Ada, Command{Do: "find", Collection: "own", Search: "lost"}).titles(); len(found) != 0 {
		t.Errorf("a search finds %v", found)
	}
	in.Ops = in.Ops[:3]
	ids := s.must(t, s.Ada, in).IDs
	if len(ids) != 3 || ids[1] != id {
		t.Errorf("ids %v", ids)
	}
	if row, err = s.get(t, s.Ada, "own", id); err != nil || row.Title != "lost" || row.Stock != 6 || row.Version != 3 {
		t.Errorf("the row reads %+v, %v", row, err)
	}
	events := s.events(t, "whole")
	if len(events) != before+1 || events[len(events)-1].SpaceID != s.Ada.SpaceID {
		t.Errorf("%d events, the last %+v", len(events)-before, events[len(events)-1])
	}
	in = Command{Do: "commit", Events: []string{"whole"}, AppID: s.Foreign}
	_, err = s.Do(t, s.Ada, in)
	refused(t, "an event of a mini program of somebody else", err, sdk.KindForbidden, "plugin.not_yours")
}

func columns(t *testing.T, s stage) {
	for what, row := range map[string]Thing{
		"required": {}, "20 characters": {Title: strings.Repeat("字", 21)},
	} {
		err := s.change(t, s.Ada, "own", Change{Kind: "insert", Row: row})
		refused(t, what, err, sdk.KindInvalid, "invalid_input")
		if sdk.FieldErrors(err)["title"] == "" {
			t.Errorf("%s does not blame the field: %v", what, err)
		}
	}
	full := Thing{
		Title: strings.Repeat("😀", 20), Body: strings.Repeat("长", 3000), Price: math.MinInt64, Done: true, Due: 1, Tags: []string{"甲", `"`}, State: `a"b\`, Code: "<b>",
	}
	id := s.insert(t, s.Ada, "own", full)[0]
	row, err := s.get(t, s.Ada, "own", id)
	if err != nil {
		t.Fatal(err)
	}
	full.Row = row.Row
	want, wantErr := json.Marshal(full)
	got, gotErr := json.Marshal(row)
	if wantErr != nil || gotErr != nil || string(got) != string(want) || row.SpaceID != s.Ada.SpaceID || row.Version != 1 || row.CreatedAt == 0 {
		t.Errorf("reads %s, wrote %s", got, want)
	}
	for what, set := range map[string]map[string]any{"text": {"title": 1}, "number": {"price": "many"}, "truth": {"done": "yes"}} {
		refused(t, "a wrong "+what, s.change(t, s.Ada, "own", Change{Kind: "update", ID: id, Set: set}), sdk.KindInvalid, "invalid_input")
	}
}

func quotas(t *testing.T, s stage) {
	many := func(n int) []Thing {
		rows := make([]Thing, n)
		for i := range rows {
			rows[i].Title = "row"
		}
		return rows
	}
	ids := append(s.insert(t, s.Ada, "own", many(RowsPerSpace-2)...), s.insert(t, s.Ada, "public", many(2)...)...)
	err := s.change(t, s.Ada, "deals", Change{Kind: "insert", Row: Thing{Title: "one too many", Other: s.Bob.SpaceID}})
	refused(t, "a row too many", err, sdk.KindTooMany, sdk.CodeQuota)
	if total := s.must(t, s.Ada, Command{Do: "find", Collection: "deals", Count: true}).Total; total != 0 {
		t.Errorf("%d rows were written nevertheless", total)
	}
	s.insert(t, s.Bob, "own", Thing{Title: "another's"})
	swap := Command{Do: "commit", Collection: "own", Ops: []Change{{Kind: "delete", ID: ids[0]}, {Kind: "insert", Row: Thing{Title: "instead"}}}}
	s.must(t, s.Ada, swap)
	if err := s.change(t, s.Ada, "own", Change{Kind: "delete", ID: ids[1]}); err != nil {
		t.Fatal(err)
	}
	s.insert(t, s.Ada, "own", Thing{Title: "in its place"})

	id := s.insert(t, s.Eve, "own", Thing{Title: "large", Body: strings.Repeat("x", BytesPerSpace-1000)})[0]
	grow := Change{Kind: "update", ID: id, Set: map[string]any{"body": strings.Repeat("x", BytesPerSpace)}}
	refused(t, "a row that grows too large", s.change(t, s.Eve, "own", grow), sdk.KindTooMany, sdk.CodeQuota)
	shrink := Change{Kind: "update", ID: id, Set: map[string]any{"body": strings.Repeat("x", 100)}}
	if err := s.change(t, s.Eve, "own", shrink); err != nil {
		t.Error(err)
	}
	s.insert(t, s.Eve, "own", Thing{Title: "room again", Body: strings.Repeat("y", BytesPerSpace-2000)})
}
