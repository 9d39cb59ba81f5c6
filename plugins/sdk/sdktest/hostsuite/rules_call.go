package hostsuite

import (
	"errors"
	"slices"
	"testing"
	"time"

	"minifleet/plugins/sdk"
)

// counts are the mate's.
func (s stage) counts(t testing.TB) Counts {
	out := s.must(t, s.Ada, Command{Do: "call", Route: []string{"mate.counts"}, Input: []byte("{}")})
	return Counts{out.Total, out.Others}
}

func schemas(t *testing.T, s stage) {
	before := s.counts(t)
	for input, field := range map[string]string{
		`{"route":"x"}`: "route", `{"route":["a",5]}`: "route.1", `{"label":"x"}`: "route", `{"route":[],"extra":1}`: "extra",
		`{"route":[],"deep":{"N":"x"}}`: "deep.N", `[1]`: "",
	} {
		_, err := s.Do(t, s.Ada, Command{Do: "call", Route: []string{"mate.noted"}, Input: []byte(input)})
		refused(t, input, err, sdk.KindInvalid, "plugin.input")
		var failure *sdk.Error
		if errors.As(err, &failure) && (len(failure.Fields) != 1 || failure.Fields[0].Name != field || failure.Fields[0].Message == "") {
			t.Errorf("%s blames %+v, want %q", input, failure.Fields, field)
		}
	}
	if after := s.counts(t); after.Began != before.Began {
		t.Errorf("the callee was asked %d times", after.Began-before.Began)
	}
	s.must(t, s.Ada, Command{Do: "call", Route: []string{"mate.noted"}, Input: []byte(`{"route":[],"more":null,"deep":{"N":1}}`)})
	_, err := s.Do(t, s.Ada, Command{Do: "call", Route: []string{"mate.lie"}, Input: []byte("{}")})
	refused(t, "an answer against its schema", err, sdk.KindInternal, "plugin.output")
	for operation, code := range map[string]string{"mate.nothing": "plugin.operation", "nobody.pass": "plugin.unknown"} {
		_, err := s.Do(t, s.Ada, Command{Do: "call", Route: []string{operation}, Input: []byte(`{"route":[]}`)})
		refused(t, operation, err, sdk.KindNotFound, code)
	}
}

func cycles(t *testing.T, s stage) {
	out := s.must(t, s.Ada, Command{Do: "walk", Route: []string{"mate.pass", "suite.pass", "mate.pass2"}})
	if !slices.Equal(out.Path, []string{"ada", MateID, ID, MateID}) || out.Total <= 0 || out.Total > 30_000 {
		t.Errorf("around: %v with %d ms left", out.Path, out.Total)
	}
	for code, route := range map[string][]string{
		"plugin.cycle": {"mate.pass", "suite.pass", "mate.pass"},
		"plugin.depth": {"mate.pass", "suite.pass", "mate.pass2", "suite.pass2", "mate.pass3", "suite.pass3", "mate.noted"},
	} {
		_, err := s.Do(t, s.Ada, Command{Do: "walk", Route: route})
		refused(t, "a walk to "+route[len(route)-1], err, sdk.KindConflict, code)
	}
	_, err := s.Do(t, s.Ada, Command{Do: "walk", Route: []string{"suite.pass", "suite.pass"}})
	refused(t, "a plugin that calls itself twice", err, sdk.KindConflict, "plugin.cycle")
}

func callers(t *testing.T, s stage) {
	who := Command{Do: "call", Route: []string{"mate.who"}, Input: []byte("{}")}
	out := s.must(t, s.Ada, who)
	if !slices.Equal(out.Path, []string{"ada", ID, "", "/"}) || out.ID != s.Ada.SpaceID {
		t.Errorf("called by %q of %d", out.Path, out.ID)
	}
	who.Under = s.must(t, s.Ada, Command{Do: "delegate", AppID: s.Own}).ID
	if out = s.must(t, s.Bob, who); out.ID != s.Ada.SpaceID {
		t.Errorf("under ada's delegation the callee acts for %d", out.ID)
	}
}

func deadlines(t *testing.T, s stage) {
	before := s.counts(t)
	ended := func(n int64) {
		t.Helper()
		for range 300 {
			if s.counts(t).Ended == before.Ended+n {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Errorf("%d of %d nested calls ended", s.counts(t).Ended-before.Ended, n)
	}
	_, err := s.DoWithin(t, 500*time.Millisecond, s.Ada, Command{Do: "call", Route: []string{"mate.wait"}, Input: []byte("{}")})
	refused(t, "a call whose time is over", err, sdk.KindUnavailable, "plugin.timeout")
	ended(1)
	s.must(t, s.Ada, Command{Do: "detach"})
	ended(2)
}
