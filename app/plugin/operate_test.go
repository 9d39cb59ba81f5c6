package plugin_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store/storetest"
)

func (h *house) ring(t *testing.T, id, path string, in any, out any) error {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	method := "POST"
	if in == nil {
		method, body = "GET", nil
	}
	answer, err := h.Serve(t.Context(), ada, plugin.Request{Plugin: id, Frame: plugin.FrameAPI, Method: method, Path: path, Body: body})
	if err != nil {
		return err
	}
	if out != nil {
		if err := json.Unmarshal(answer.Body, out); err != nil {
			t.Fatalf("%s: %v", answer.Body, err)
		}
	}
	return nil
}

type ringCounts struct {
	Ran, Ended int64
	Last       *string
}

func (h *house) ringCounts(t *testing.T, id string) (counts ringCounts) {
	t.Helper()
	if err := h.ring(t, id, "/counts", nil, &counts); err != nil {
		t.Fatal(err)
	}
	return counts
}

func newRing(t *testing.T) *house {
	t.Helper()
	return newHouse(t, storetest.Open(t), "ringa", "ringb", "ringc", "rogue", "notes").run(t).ready(t)
}

func TestCallsAcrossThreePluginsAreBoundedInCyclesAndDepth(t *testing.T) {
	h := newRing(t)
	var out walked
	if err := h.ring(t, "ringa", "/walk", walk{Route: []string{"ringb.pass", "ringc.pass"}}, &out); err != nil || !slices.Equal(out.Path, []string{"ringa", "ringb", "ringc"}) {
		t.Errorf("around: %v, %v", out.Path, err)
	}
	if out.Left <= 0 || out.Left > 30_000 {
		t.Errorf("the last call had %d ms, the first one 30 s", out.Left)
	}
	for name, c := range map[string]struct {
		route []string
		code  string
	}{
		"back to the first":  {[]string{"ringb.pass", "ringc.pass", "ringb.pass"}, "plugin.cycle"},
		"to itself":          {[]string{"ringa.pass", "ringa.pass"}, "plugin.cycle"},
		"around and around":  {[]string{"ringb.pass", "ringc.pass", "ringa.pass", "ringb.pass2", "ringc.pass2", "ringa.pass2", "ringb.pass3"}, "plugin.depth"},
		"a host's operation": {[]string{"notes.check_checked"}, "plugin.operation"},
		"nothing":            {[]string{"ringb.nothing"}, "plugin.operation"},
		"nobody":             {[]string{"ringz.pass"}, "plugin.unknown"},
	} {
		err := h.ring(t, "ringa", "/walk", walk{Route: c.route}, nil)
		if err == nil || fault.From(err).Code != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	// An event begins a chain of its own, with the same bounds.
	for _, c := range []struct {
		route []string
		want  string
	}{
		{[]string{"ringc.pass", "ringa.pass"}, "fine"},
		{[]string{"ringc.pass", "ringa.pass", "ringc.pass"}, "plugin.cycle"},
	} {
		if err := h.ring(t, "ringa", "/emit", walk{Route: c.route}, nil); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the event's walk ends as "+c.want, time.Minute, func() bool {
			last := h.ringCounts(t, "ringb").Last
			return last != nil && strings.Contains(*last, c.want)
		})
	}
}

func TestACallsInputIsCheckedBeforeTheCalleeIsAsked(t *testing.T) {
	h := newRing(t)
	type raw struct {
		Operation string          `json:"operation"`
		Input     json.RawMessage `json:"input"`
	}
	for name, c := range map[string]struct{ input, field, says string }{
		"a wrong type":         {`{"route":"x"}`, "route", "类型不正确"},
		"a wrong type inside":  {`{"route":["a",5]}`, "route.1", "类型不正确"},
		"one that is missing":  {`{"label":"x"}`, "route", "必填"},
		"one too many":         {`{"route":[],"extra":1}`, "extra", "没有这个字段"},
		"a number in words":    {`{"route":[],"id":"many"}`, "id", ""},
		"a field of a field":   {`{"route":[],"deep":{"N":"x"}}`, "deep.N", "类型不正确"},
		"not an object at all": {`[1]`, "", "类型不正确"},
	} {
		err := h.ring(t, "ringa", "/raw", raw{"ringb.pass", json.RawMessage(c.input)}, nil)
		failure := wantKind(t, err, fault.Invalid)
		if failure.Code != "plugin.input" || len(failure.Fields) != 1 || failure.Fields[0].Name != c.field || !strings.Contains(failure.Fields[0].Message, c.says) {
			t.Errorf("%s: %+v", name, failure)
		}
	}
	if ran := h.ringCounts(t, "ringb").Ran; ran != 0 {
		t.Errorf("the callee was asked %d times", ran)
	}
	// What Go writes of its own values fits: nil slices, maps and pointers, numbers as text, times.
	if err := h.ring(t, "ringa", "/raw", raw{"ringb.pass", json.RawMessage(`{"route":[],"more":null,"at":null,"raw":{"x":[1]},"id":"9007199254740993","deep":{"N":1}}`)}, nil); err != nil {
		t.Error(err)
	}
}

func TestAnAnswerAgainstItsSchemaNeverReachesTheCaller(t *testing.T) {
	h := newRing(t)
	for _, name := range []string{"liar", "babble", "giant"} {
		err := h.ring(t, "ringa", "/walk", walk{Route: []string{"rogue." + name}}, nil)
		if failure := wantKind(t, err, fault.Internal); failure.Code != "plugin.output" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := h.ring(t, "ringa", "/walk", walk{Route: []string{"rogue.honest"}}, nil); err != nil {
		t.Error(err)
	}
}

func TestACallNeverOutlivesTheCallItWasMadeIn(t *testing.T) {
	h := newRing(t)
	if err := h.ring(t, "ringa", "/detached", struct{}{}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the nested call has ended", 30*time.Second, func() bool { return h.ringCounts(t, "ringb").Ended == 1 })
}

func TestOperationsAreListedForTheOperator(t *testing.T) {
	h := newRing(t)
	var names, internal []string
	for _, o := range h.Operations() {
		if o.Internal {
			internal = append(internal, o.Plugin+"."+o.Name)
			continue
		}
		names = append(names, o.Plugin+"."+o.Name)
		if !json.Valid(o.Input) || !json.Valid(o.Output) || strings.HasPrefix(o.Plugin, "ring") && o.Name != "wait" && o.Title != "传递" {
			t.Errorf("%+v", o)
		}
	}
	if !slices.Contains(names, "ringa.pass") || !slices.Contains(names, "notes.do") || !slices.Contains(internal, "notes.check_checked") {
		t.Errorf("listed are %v, and %v of the host", names, internal)
	}
}
