package hostsuite

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/plugins/sdk"
)

func tokens(t *testing.T, s stage) {
	s.must(t, s.Ada, Command{Do: "keep"})
	_, err := s.Do(t, s.Ada, Command{Do: "usekept"})
	refused(t, "the token of a call that is over", err, sdk.KindUnauthenticated, "plugin.token")
}

func delegations(t *testing.T, s stage) {
	s.insert(t, s.Ada, "own", Thing{Title: "ada's"})
	given := s.must(t, s.Ada, Command{Do: "delegate", AppID: s.Own}).ID
	under := Command{Do: "find", Collection: "own", Under: given}
	if got := s.must(t, s.Bob, under).titles(); !slices.Equal(got, []string{"ada's"}) {
		t.Errorf("under ada's delegation bob's call sees %v", got)
	}
	limited := Command{Do: "commit", Collection: "apps", Under: given, Ops: []Change{{Kind: "insert", Row: Thing{Title: "x", AppID: s.Foreign}}}}
	_, err := s.Do(t, s.Bob, limited)
	refused(t, "a mini program that the delegation is not about", err, sdk.KindForbidden, "")
	_, err = s.Do(t, s.Bob, Command{Do: "delegate", AppID: s.Own, Under: given})
	refused(t, "a delegation made under a delegation", err, sdk.KindForbidden, "plugin.needs_person")
	_, err = s.Do(t, sdk.ActorInfo{}, Command{Do: "delegate", AppID: s.Own})
	refused(t, "a visitor's delegation", err, sdk.KindUnauthenticated, "plugin.login")
	_, err = s.Do(t, s.Eve, Command{Do: "delegate", AppID: s.Own})
	refused(t, "a delegation of what one may not do", err, sdk.KindForbidden, "plugin.scope")

	s.must(t, s.Ada, Command{Do: "undelegate", Under: given})
	_, err = s.Do(t, s.Bob, under)
	refused(t, "a delegation that was ended", err, sdk.KindForbidden, "plugin.delegation")
	under.Under = s.must(t, s.Ada, Command{Do: "delegate", AppID: s.Own}).ID
	s.must(t, s.Bob, under)
	s.Advance(2 * time.Hour)
	_, err = s.Do(t, s.Bob, under)
	refused(t, "a delegation that has run out", err, sdk.KindForbidden, "plugin.delegation")
}

// heard waits for what the plugin saw when it heard an event.
func (s stage) heard(t testing.TB, plugin, subject string) (titles []string, failure string) {
	t.Helper()
	for range 300 {
		for _, event := range s.Published(t) {
			if event.Type != plugin+".heard" || event.Subject != subject {
				continue
			}
			var answer struct {
				Titles []string `json:"titles"`
				Error  string   `json:"error"`
			}
			raw, _ := event.Data.(json.RawMessage)
			if err := json.Unmarshal(raw, &answer); err != nil {
				t.Fatal(err)
			}
			return answer.Titles, answer.Error
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s was not heard", subject)
	return nil, ""
}

func system(t *testing.T, s stage) {
	s.insert(t, s.Ada, "apps", Thing{Title: "a1", AppID: s.Own})
	s.insert(t, s.Bob, "apps", Thing{Title: "b1", AppID: s.Foreign})
	s.insert(t, s.Ada, "own", Thing{Title: "o1"}, Thing{Title: "o2", AppID: s.Own})
	s.insert(t, s.Bob, "own", Thing{Title: "o3"})
	s.insert(t, s.Bob, "public", Thing{Title: "p1", State: "listed"})
	for name, c := range map[string]struct {
		event sdk.Event
		in    Command
		want  []string
	}{
		"its mini program's":      {sdk.Event{AppID: s.Own}, Command{Do: "find", Collection: "apps"}, []string{"a1"}},
		"its space's":             {sdk.Event{SpaceID: s.Ada.SpaceID}, Command{Do: "find", Collection: "own"}, []string{"o2", "o1"}},
		"its app's in a space":    {sdk.Event{AppID: s.Own}, Command{Do: "find", Collection: "own"}, []string{"o2"}},
		"nobody's":                {sdk.Event{}, Command{Do: "find", Collection: "own"}, []string{}},
		"what is listed, neither": {sdk.Event{AppID: s.Own}, Command{Do: "find", Collection: "public"}, []string{}},
	} {
		c.event.Type, c.event.Subject, c.event.Data = "peer.suite", name+s.Own, c.in
		s.Event(t, c.event)
		if got, failure := s.heard(t, ID, c.event.Subject); !slices.Equal(got, c.want) || failure != "" {
			t.Errorf("an event of %+v sees %s rows: %q %s, want %q", c.event, name, got, failure, c.want)
		}
	}
	note := s.Job(t, "count")
	for _, title := range jobTitles() {
		if !strings.Contains(note, title) {
			t.Errorf("the job does not see %s: %s", title, note)
		}
	}
}

// endless has the plugin answer its own event with the same one: what a person begins goes as deep as it may, and every
// beginning anew.
func endless(t *testing.T, s stage) {
	for round := 1; round <= 2; round++ {
		s.must(t, s.Ada, Command{Do: "commit", Events: []string{"again"}, AppID: s.Own})
		stopped := s.must(t, s.Ada, Command{Do: "stopped"}).Groups
		for range 300 {
			if stopped = s.must(t, s.Ada, Command{Do: "stopped"}).Groups; len(stopped) >= round {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		want := slices.Repeat([]string{string(sdk.KindConflict) + " plugin.event_depth"}, round)
		if !slices.Equal(stopped, want) {
			t.Fatalf("in round %d the handler was refused with %q, want %q", round, stopped, want)
		}
		events := slices.DeleteFunc(s.events(t, "again"), func(e sdk.Event) bool { return e.SpaceID != s.Ada.SpaceID })
		if most := round * (sdk.MaxHops + 1); len(events) != most {
			t.Errorf("after round %d there are %d events, want %d", round, len(events), most)
		}
		rows := s.must(t, s.Ada, Command{Do: "find", Collection: "apps", Where: []Cond{{Column: "title", Op: "eq", Value: "again"}}, Limit: 100}).Rows
		if most := round * sdk.MaxHops; len(rows) != most {
			t.Errorf("after round %d there are %d rows, want %d: a refused commit leaves none", round, len(rows), most)
		}
	}
}
