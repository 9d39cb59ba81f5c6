package market

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"minifleet/plugins/sdk"
)

// meanwhile lets something happen once inside the next start: its mini program is chosen, its rights are being given,
// and it has not been set going.
func (f *fixture) meanwhile(happen func() error) {
	var happened atomic.Bool // what happens may come here again
	f.Stub("core.grant.create", func(sdk.ActorInfo, json.RawMessage) (any, error) {
		if !happened.Swap(true) {
			if err := happen(); err != nil {
				return nil, err
			}
		}
		return map[string]string{"id": "9001"}, nil
	})
}

// authorizedAt delivers the event of an authorisation of the mini program that is ready.
func (f *fixture) authorizedAt(at int64) error {
	return f.Event(sdk.Event{Type: "miniprogram.authorized", AppID: appReady, Component: platformApp, SpaceID: user.SpaceID, At: at, Data: map[string]string{}})
}

func (f *fixture) startsOf(id int64) (starts int) {
	for _, event := range f.Published() {
		if event.Type == "market."+eventStarted && event.Subject == fmt.Sprint(id) {
			starts++
		}
	}
	return starts
}

func code(err error) string {
	var failure *sdk.Error
	if errors.As(err, &failure) {
		return failure.Code
	}
	return ""
}

var noon = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC).UnixMilli()

func TestStartGoesOnWhenTheRowChangesUnderIt(t *testing.T) {
	for name, happen := range map[string]func(f *fixture, home string) error{
		"the event of the authorisation": func(f *fixture, _ string) error { return f.authorizedAt(noon) },
		"a new ticket":                   func(f *fixture, home string) error { return f.API("POST", home+"/authorize", nil, nil) },
		"both": func(f *fixture, home string) error {
			return errors.Join(f.authorizedAt(noon), f.API("POST", home+"/authorize", nil, nil), f.authorizedAt(noon+1))
		},
		"the same click again": func(f *fixture, home string) error { return f.API("POST", home+"/start", startBody(appReady), nil) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			made := f.try(f.list().Slug)
			home := fmt.Sprintf("/installations/%d", made.ID)
			f.meanwhile(func() error { return happen(f, home) })
			var started installationView
			f.must(f.API("POST", home+"/start", startBody(appReady), &started))
			if started.State != Installing || f.startsOf(made.ID) != 1 {
				t.Fatalf("answered %s after %d starts", started.State, f.startsOf(made.ID))
			}
			f.must(f.deliver())
			if found := f.read(made.ID); found.State != Done || len(f.calls) != 4 {
				t.Errorf("it ended as %s after %d calls", found.State, len(f.calls))
			}
		})
	}
}

func TestStartThatCannotGoOnSaysWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		happen     func(f *fixture, home string) error
		code, says string
		state      State
		starts     int
		revoked    int
	}{
		"given up": {func(f *fixture, home string) error { return f.API("POST", home+"/abandon", nil, nil) },
			"market.abandoned", "请回到模板页重新试用", Abandoned, 0, 1},
		"another configuration": {func(f *fixture, home string) error {
			return f.API("POST", home+"/start", map[string]any{"appid": appReady, "config": map[string]string{"shop": "另一家"}}, nil)
		}, "market.other_choice", "请刷新后核对", Installing, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			made := f.try(f.list().Slug)
			home := fmt.Sprintf("/installations/%d", made.ID)
			f.meanwhile(func() error { return test.happen(f, home) })
			err := f.API("POST", home+"/start", startBody(appReady), nil)
			if code(err) != test.code || !errors.Is(err, sdk.ErrConflict) || !strings.Contains(sdk.Message(err), test.says) {
				t.Errorf("answered %v", err)
			}
			if found := f.read(made.ID); found.State != test.state || f.startsOf(made.ID) != test.starts || len(f.revoked) != test.revoked {
				t.Errorf("it is %s after %d starts, revoked %v", found.State, f.startsOf(made.ID), f.revoked)
			}
		})
	}
}

func TestTheFormGoesOnToo(t *testing.T) {
	f := newFixture(t)
	made := f.try(f.list().Slug)
	home := fmt.Sprintf("/installations/%d", made.ID)
	f.meanwhile(func() error { return f.authorizedAt(noon) })
	answer, err := f.PostForm(home+"/start", url.Values{"appid": {appReady}, "config.shop": {"小张奶茶"}})
	if err != nil || answer.View.GetRedirect() != "/p/market"+home || f.read(made.ID).State != Installing {
		t.Errorf("answered %+v, %v; it is %s", answer, err, f.read(made.ID).State)
	}
}

func TestRetryGoesOnWhenTheRowChangesUnderIt(t *testing.T) {
	f := newFixture(t)
	began := f.begin()
	f.must(f.Event(sdk.Event{Type: "miniprogram.unauthorized", AppID: appReady, Component: platformApp, SpaceID: user.SpaceID, At: noon, Data: map[string]string{}}))
	f.Stub("core.delegate", func(sdk.ActorInfo, json.RawMessage) (any, error) {
		return map[string]string{"id": "9002"}, f.authorizedAt(noon + 1)
	})
	var again installationView
	f.must(f.API("POST", fmt.Sprintf("/installations/%d/retry", began.ID), nil, &again))
	if again.State != Installing || again.LostAt != 0 || f.startsOf(began.ID) != 2 {
		t.Errorf("retry answered %s, lost %d, after %d starts", again.State, again.LostAt, f.startsOf(began.ID))
	}
}

// TestAnAcceptedStartStarts: the row changes for as long as the starts try. Whatever is answered without an error has
// been set going; a refusal is a conflict that says what to do, and the next click starts.
func TestAnAcceptedStartStarts(t *testing.T) {
	f := newFixture(t)
	slug := f.list().Slug
	accepted, busy := 0, 0
	for round := range 30 {
		made := f.try(slug)
		home := fmt.Sprintf("/installations/%d", made.ID)
		stop := make(chan struct{})
		var storm sync.WaitGroup
		for change := range 2 {
			storm.Go(func() {
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					if change == 0 { // its own commit may be refused: then the event log delivers it again
						_ = f.Event(sdk.Event{Type: "miniprogram.authorized", AppID: appReady, Component: platformApp, SpaceID: user.SpaceID, At: noon + int64(round*1_000_000+n), Data: map[string]string{}})
					} else {
						_ = f.API("POST", home+"/authorize", nil, nil)
					}
				}
			})
		}
		var started installationView
		err := f.API("POST", home+"/start", startBody(appReady), &started)
		close(stop)
		storm.Wait()
		switch {
		case err == nil:
			accepted++
			if started.State != Installing {
				t.Fatalf("round %d: accepted as %s", round, started.State)
			}
		case code(err) == "market.busy" && strings.Contains(sdk.Message(err), "请刷新后再点一次"):
			busy++
			f.must(f.API("POST", home+"/start", startBody(appReady), &started))
		default:
			t.Fatalf("round %d: %v", round, err)
		}
		if found := f.read(made.ID); found.State != Installing || f.startsOf(made.ID) != 1 {
			t.Fatalf("round %d: it is %s after %d starts", round, found.State, f.startsOf(made.ID))
		}
	}
	if accepted == 0 {
		t.Errorf("none of %d starts was accepted", busy)
	}
	t.Logf("%d accepted, %d refused as busy", accepted, busy)
}
