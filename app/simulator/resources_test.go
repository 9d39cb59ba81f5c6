package simulator

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// playGolden sends every golden request to one rig and gives the answers.
func playGolden(t *testing.T, g *goldenRig) []string {
	t.Helper()
	out := []string{}
	for _, e := range allGolden(t) {
		g.seedMedia(t, e)
		rec := httptest.NewRecorder()
		g.handler.ServeHTTP(rec, e.request(t, g.token(e)))
		out = append(out, e.name()+": "+rec.Body.String())
	}
	return out
}

// reads are the entries that change nothing.
func reads(t *testing.T) []golden {
	return slices.DeleteFunc(slices.Clone(allGolden(t)), func(e golden) bool {
		action := ""
		if strings.Contains(string(e.Request), `"get"`) || strings.Contains(string(e.Request), `"list"`) {
			action = "get"
		}
		asks := strings.Contains(e.Path, "get") || strings.Contains(e.Path, "query")
		return e.Method != http.MethodGet && action == "" && (!asks || strings.Contains(e.Path, "quota") || strings.Contains(e.Path, "code"))
	})
}

var ridInAnswer = regexp.MustCompile(` rid: [0-9a-f-]+`)

func (g *goldenRig) answer(t *testing.T, e golden) string {
	rec := httptest.NewRecorder()
	g.handler.ServeHTTP(rec, e.request(t, g.token(e)))
	return ridInAnswer.ReplaceAllString(rec.Body.String(), "")
}

func TestWhatEveryInterfaceKeepsSurvivesARestart(t *testing.T) {
	opt := Options{Seed: 5, PublicURL: "http://sim.example.test", Start: time.Date(2026, 3, 2, 9, 0, 0, 0, shanghai), StateFile: t.TempDir() + "/simulator.db"}
	first := newGoldenRigWith(t, opt)
	playGolden(t, first)
	sim, err := New(opt) // the first one still holds the file, as if it had been killed
	if err != nil {
		t.Fatal(err)
	}
	second := &goldenRig{sim: sim, handler: sim.Handler(), ct: first.ct, at: first.at}
	for _, e := range reads(t) {
		if before, after := first.answer(t, e), second.answer(t, e); before != after {
			t.Errorf("%s\nbefore %.400q\nafter  %.400q", e.name(), before, after)
		}
	}
	for _, s := range []*Simulator{first.sim, sim} {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryResourceIsStoredUnderAKindOfItsOwn(t *testing.T) {
	r := newResources(&journal{})
	value, kinds := reflect.ValueOf(r), r.kinds()
	collections := 0
	for i := range value.NumField() {
		if value.Field(i).Kind() == reflect.Pointer {
			collections++
			if value.Field(i).IsNil() {
				t.Errorf("%s is not made", value.Type().Field(i).Name)
			}
		}
	}
	if collections != len(kinds) {
		t.Errorf("%d collections, but %d kinds are loaded", collections, len(kinds))
	}
	for name := range newWorld().kinds() {
		delete(kinds, name)
	}
	if len(kinds) != 0 {
		t.Errorf("not loaded: %v", kinds)
	}
}

func TestTheSameSeedGivesTheSameAnswers(t *testing.T) {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, shanghai)
	first, second := newGoldenRigWith(t, Options{Seed: 3, Start: start}), newGoldenRigWith(t, Options{Seed: 3, Start: start})
	one, two := playGolden(t, first), playGolden(t, second)
	for i := range one {
		if one[i] != two[i] {
			t.Errorf("answers differ:\n%.400q\n%.400q", one[i], two[i])
		}
	}
}
