package hostsuite

import (
	"slices"
	"testing"

	"minifleet/plugins/sdk"
)

// visibility holds the four kinds to reading, writing, counting, searching: what one may not see does not show anywhere.
func visibility(t *testing.T, s stage) {
	s.Grant(t, s.Own, s.Bob.SpaceID, "data.read")
	visitor := sdk.ActorInfo{}
	for name, c := range map[string]struct {
		collection             string
		row                    Thing
		reads, writes, refuses []sdk.ActorInfo
		blind                  []sdk.ActorInfo
	}{
		"space": {
			"own", Thing{}, []sdk.ActorInfo{s.Ada}, []sdk.ActorInfo{s.Ada}, []sdk.ActorInfo{s.Bob, s.Eve}, []sdk.ActorInfo{s.Bob, s.Eve, visitor},
		},
		"parties": {
			"deals", Thing{Other: s.Bob.SpaceID}, []sdk.ActorInfo{s.Ada, s.Bob}, []sdk.ActorInfo{s.Ada, s.Bob}, []sdk.ActorInfo{s.Eve},
			[]sdk.ActorInfo{s.Eve, s.Olga, visitor},
		},
		"mini program, which a grant to read does not open for writing": {
			"apps", Thing{AppID: s.Own}, []sdk.ActorInfo{s.Ada, s.Bob}, []sdk.ActorInfo{s.Ada}, []sdk.ActorInfo{s.Bob, s.Eve},
			[]sdk.ActorInfo{s.Eve, s.Olga, visitor},
		},
		"public while listed": {
			"public", Thing{State: "listed"}, []sdk.ActorInfo{s.Ada, s.Bob, s.Eve, visitor}, []sdk.ActorInfo{s.Ada}, []sdk.ActorInfo{s.Bob, s.Eve}, nil,
		},
		"public while a draft": {
			"public", Thing{State: "draft"}, []sdk.ActorInfo{s.Ada}, []sdk.ActorInfo{s.Ada}, []sdk.ActorInfo{s.Bob, s.Eve}, []sdk.ActorInfo{s.Bob, s.Eve, visitor},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.row.Title, c.row.Body = "看得见吗", "秘密secret"+string(rune('a'+len(name)%26))
			id := s.insert(t, s.Ada, c.collection, c.row)[0]
			for _, actor := range c.reads {
				if got := s.looks(t, actor, c.collection, id); got != (looks{true, true, true, true}) {
					t.Errorf("%q sees %+v", actor.Name, got)
				}
			}
			for _, actor := range c.blind {
				if got := s.looks(t, actor, c.collection, id); got != (looks{}) {
					t.Errorf("%q sees %+v", actor.Name, got)
				}
			}
			for _, actor := range c.refuses {
				for _, kind := range []string{"update", "increment", "delete"} {
					op := Change{Kind: kind, ID: id, Set: map[string]any{"title": "x"}, Add: map[string]int64{"stock": 1}}
					refused(t, actor.Name+" at "+kind, s.change(t, actor, c.collection, op), sdk.KindNotFound, "plugin.row")
				}
			}
			for _, actor := range c.writes {
				if err := s.change(t, actor, c.collection, Change{Kind: "increment", ID: id, Add: map[string]int64{"stock": 1}}); err != nil {
					t.Errorf("%q adds: %v", actor.Name, err)
				}
			}
			refused(t, "a visitor", s.change(t, visitor, c.collection, Change{Kind: "insert", Row: c.row}), sdk.KindUnauthenticated, "plugin.login")
		})
	}
	refused(t, "a row of a mini program that one may only read", s.change(t, s.Bob, "apps", Change{Kind: "insert", Row: Thing{Title: "x", AppID: s.Own, Code: "new"}}), sdk.KindForbidden, "plugin.not_yours")
	refused(t, "a row of a mini program of somebody else", s.change(t, s.Eve, "apps", Change{Kind: "insert", Row: Thing{Title: "x", AppID: s.Own, Code: "new"}}), sdk.KindForbidden, "plugin.not_yours")
}

// looks is by which ways a row shows.
type looks struct{ get, list, search, counted bool }

func (s stage) looks(t testing.TB, actor sdk.ActorInfo, collection string, id int64) looks {
	t.Helper()
	row, err := s.get(t, actor, collection, id)
	if err != nil {
		refused(t, "a row that "+actor.Name+" may not see", err, sdk.KindNotFound, "")
	}
	seen := looks{get: err == nil}
	holds := func(out Outcome) bool {
		return slices.ContainsFunc(out.Rows, func(r Thing) bool { return r.ID == id })
	}
	seen.list = holds(s.must(t, actor, Command{Do: "find", Collection: collection, Limit: 200}))
	seen.search = holds(s.must(t, actor, Command{Do: "find", Collection: collection, Search: "secret", Limit: 200}))
	where := []Cond{{"id", "eq", id}}
	counted := s.must(t, actor, Command{Do: "aggregate", Collection: collection, Where: where})
	found := s.must(t, actor, Command{Do: "aggregate", Collection: collection, Where: where, Search: "secret", Measures: []string{"max:title"}})
	seen.counted = counted.Groups[0] == "{}[1]"
	if summed := found.Groups[0] == `{}["看得见吗"]`; summed != seen.counted {
		t.Errorf("%q: counted %s, greatest title %s", actor.Name, counted.Groups[0], found.Groups[0])
	}
	if total := s.must(t, actor, Command{Do: "find", Collection: collection, Where: where, Count: true}).Total; (total == 1) != seen.counted {
		t.Errorf("%q: the list counts %d of %q", actor.Name, total, row.Title)
	}
	return seen
}

func revoked(t *testing.T, s stage) {
	s.Grant(t, s.Own, s.Bob.SpaceID, "data.read", "code.commit")
	id := s.insert(t, s.Bob, "apps", Thing{Title: "a", AppID: s.Own})[0]
	if _, err := s.get(t, s.Bob, "apps", id); err != nil {
		t.Fatal(err)
	}
	s.Grant(t, s.Own, s.Bob.SpaceID)
	if got := s.looks(t, s.Bob, "apps", id); got != (looks{}) {
		t.Errorf("without the grant: %+v", got)
	}
	refused(t, "a change without the grant", s.change(t, s.Bob, "apps", Change{Kind: "delete", ID: id}), sdk.KindNotFound, "")
}

func operators(t *testing.T, s stage) {
	id := s.insert(t, s.Ada, "own", Thing{Title: "看得见吗", Body: "secret"})[0]
	if got := s.looks(t, s.Olga, "own", id); got != (looks{true, true, true, true}) {
		t.Errorf("an operator sees %+v", got)
	}
	if err := s.change(t, s.Olga, "own", Change{Kind: "update", ID: id, Set: map[string]any{"state": "closed"}}); err != nil {
		t.Errorf("an operator's change: %v", err)
	}
	deal := s.insert(t, s.Ada, "deals", Thing{Title: "看得见吗", Other: s.Bob.SpaceID})[0]
	refused(t, "an operator where the collection does not name them", s.change(t, s.Olga, "deals", Change{Kind: "delete", ID: deal}), sdk.KindNotFound, "")
}

func bound(t *testing.T, s stage) {
	app := s.insert(t, s.Ada, "apps", Thing{Title: "a", AppID: s.Own})[0]
	deal := s.insert(t, s.Ada, "deals", Thing{Title: "a", Other: s.Bob.SpaceID})[0]
	own := s.insert(t, s.Ada, "own", Thing{Title: "a"})[0]
	for what, c := range map[string]struct {
		collection string
		op         Change
	}{
		"AppID":           {"apps", Change{Kind: "update", ID: app, Set: map[string]any{"appid": s.Foreign}}},
		"party":           {"deals", Change{Kind: "update", ID: deal, Set: map[string]any{"other": s.Eve.SpaceID}}},
		"tenant":          {"own", Change{Kind: "update", ID: own, Set: map[string]any{"space_id": s.Bob.SpaceID}}},
		"id":              {"own", Change{Kind: "update", ID: own, Set: map[string]any{"id": 5}}},
		"version":         {"own", Change{Kind: "update", ID: own, Set: map[string]any{"version": 5}}},
		"party by adding": {"deals", Change{Kind: "increment", ID: deal, Add: map[string]int64{"other": 1}}},
	} {
		refused(t, "a change of the "+what, s.change(t, s.Ada, c.collection, c.op), sdk.KindInvalid, "plugin.query")
	}
}

func joins(t *testing.T, s stage) {
	s.insert(t, s.Ada, "public", Thing{Title: "mine", AppID: s.Own, State: "listed"}, Thing{Title: "none", State: "listed"}, Thing{Title: "strange", AppID: "wxnobody", State: "listed"})
	in := Command{Do: "find", Collection: "public", Where: []Cond{{"space_id", "eq", s.Ada.SpaceID}}, With: true, Sort: "title"}
	rows := s.must(t, s.Ada, in).Rows
	if len(rows) != 3 || rows[0].AppName != "名"+s.Own || rows[0].SpaceName != "空间" || rows[1].AppName != "" || rows[2].AppName != "" {
		t.Fatalf("ada reads %+v", rows)
	}
	for name, actor := range map[string]sdk.ActorInfo{"bob": s.Bob, "a visitor": {}} {
		for _, row := range s.must(t, actor, in).Rows {
			if row.AppName != "" || row.AppOwner != 0 {
				t.Errorf("%s reads the name %q and the owner %d of a mini program of somebody else", name, row.AppName, row.AppOwner)
			}
		}
	}
	s.Grant(t, s.Own, s.Bob.SpaceID, "data.read")
	if rows = s.must(t, s.Bob, in).Rows; rows[0].AppName != "名"+s.Own {
		t.Errorf("with a grant bob reads %+v", rows[0])
	}
	in.Columns = []string{"title"}
	if rows = s.must(t, s.Ada, in).Rows; rows[0].Title != "mine" || rows[0].AppName == "" || rows[0].State != "" || rows[0].ID == 0 {
		t.Errorf("some columns with a join: %+v", rows[0])
	}
}
