package plugin_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/plugins/sdk"
)

// lines is a log that many write.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func TestTwoPluginsThatAnswerEachOtherAreStopped(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := &house{core: newCore(t, db), db: db}
		h.core.right("wxa", ada.SpaceID, "*")
		reg, log := prometheus.NewRegistry(), &lines{}
		options := h.hostOptions()
		options.Plugins = []plugin.First{{ID: "ping", Argv: argv("ping")}, {ID: "pong", Argv: argv("pong")}}
		options.Registry, options.Log = reg, slog.New(slog.NewTextHandler(log, nil))
		var err error
		if h.Host, err = plugin.New(options); err != nil {
			t.Fatal(err)
		}
		h.run(t).ready(t)
		if _, err := h.Serve(t.Context(), ada, plugin.Request{Plugin: "ping", Frame: plugin.FrameAPI, Method: "POST", Path: "/say", Body: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		count := func(query string) int64 {
			n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM "+query)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		dead := "event_delivery WHERE state=2 AND last_error LIKE '%互相触发超过 8 层%'"
		for range 300 { // the handler that may not go on is tried to its end
			if count(dead) > 0 {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := count(dead); n != 1 {
			t.Errorf("%d events ended as dead letters that say why, want the last one", n)
		}
		if n := count("event_log WHERE type IN ('ping.said', 'ping.told', 'pong.answered')"); n != sdk.MaxHops+1 {
			t.Errorf("%d events, want %d", n, sdk.MaxHops+1)
		}
		if n := count("event_log WHERE type='ping.told'"); n != 3 {
			t.Errorf("%d of them were published in a call between the two, want 3", n)
		}
		if n := count("(SELECT DISTINCT hops FROM event_log WHERE type LIKE 'p%ng.%') AS depths"); n != sdk.MaxHops+1 {
			t.Errorf("they have %d depths, want each its own", n)
		}
		if n := series(t, reg, "minifleet_plugin_event_depth_total", map[string]string{"plugin": "ping"}); n < 1 {
			t.Errorf("%v refusals were counted", n)
		}
		if n := log.count("cause each other without end"); n != 1 {
			t.Errorf("the log says it %d times", n)
		}
	})
}
