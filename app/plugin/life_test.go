package plugin

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"minifleet/app/fault"
)

// Every state can be left, none is a dead end but the last, and no cue leads two ways.
func TestTheTableOfALifeIsWhole(t *testing.T) {
	type key struct {
		from State
		on   cue
	}
	seen := map[key]bool{}
	reached := map[State]bool{Stopped: true}
	for _, m := range moves() {
		k := key{m.from, m.on}
		if seen[k] {
			t.Errorf("%s knows %s twice", m.from, m.on)
		}
		seen[k] = true
		reached[m.to] = true
		if got, err := next(m.from, m.on); err != nil || got != m {
			t.Errorf("%s on %s: %v %v", m.from, m.on, got, err)
		}
	}
	for _, s := range States() {
		if !reached[s] {
			t.Errorf("nothing leads to %s", s)
		}
		if s.Title() == "" || s != Stopped && s.Title() == Stopped.Title() {
			t.Errorf("%s has no word of its own", s)
		}
		if s != Stopped && s != Stopping && !seen[key{s, cueStop}] {
			t.Errorf("%s cannot be stopped", s)
		}
	}
	if _, err := next(Serving, cueEnded); err == nil {
		t.Error("a step that is not in the table is taken")
	}
	if slices.Contains(States(), "") || len(States()) != len(reached) {
		t.Errorf("%d states, %d reached", len(States()), len(reached))
	}
}

// A plugin that never starts is left alone after six tries, tried once after its rest, and tried at once when an operator
// asks for it.
func TestAPluginThatNeverStartsIsLeftAloneForAWhile(t *testing.T) {
	u := newUnit("x", false, program{argv: []string{"nothing"}}, slog.New(slog.DiscardHandler))
	tries := make(chan []string, 100)
	u.open = func(run program) (*process, error) {
		tries <- run.argv
		return nil, errors.New("no such file")
	}
	u.gone = func(*unit) {}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		u.run(ctx)
		close(ended)
	}()
	for range failuresMost {
		<-tries
	}
	for begin := time.Now(); u.current() != Broken; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			t.Fatalf("after %d failures it is %s", failuresMost, u.current())
		}
	}
	if s := u.status(); time.Until(s.NextTry) < firstRest/2 || s.Restarts != failuresMost || s.LastError != "no such file" {
		t.Errorf("%+v", s)
	}
	if _, _, err := u.acquire(); fault.From(err).Code != "plugin.broken" || !strings.Contains(fault.From(err).Message, "请联系平台运营方") {
		t.Errorf("a call of a broken plugin hears %v", err)
	}
	if err := u.hand(t.Context(), ended, program{argv: []string{"another"}}); err != nil {
		t.Fatal(err)
	}
	if argv := <-tries; argv[0] != "another" {
		t.Errorf("tried %v", argv)
	}
	for begin := time.Now(); u.current() != Broken; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			t.Fatalf("after a failed probe it is %s", u.current())
		}
	}
	if s := u.status(); time.Until(s.NextTry) < firstRest {
		t.Errorf("the second rest is no longer than the first: %s", time.Until(s.NextTry))
	}
	stop()
	<-ended
	if u.current() != Stopped {
		t.Errorf("ended as %s", u.current())
	}
	if err := u.hand(t.Context(), ctx.Done(), program{}); !errors.Is(err, errStopping) {
		t.Errorf("an upgrade of a stopped plugin: %v", err)
	}
}
