package plugin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/wechat"
)

// tell has a hostile plugin do something in a call of an actor.
func tell(t *testing.T, h *house, id string, actor account.Actor, o order) report {
	t.Helper()
	got, err := told(t.Context(), h, id, actor, o)
	if err != nil {
		t.Fatalf("%s: %v", o.Do, err)
	}
	return got
}

func told(ctx context.Context, h *house, id string, actor account.Actor, o order) (out report, err error) {
	body, err := json.Marshal(o)
	if err != nil {
		return out, err
	}
	answer, err := h.Serve(ctx, actor, plugin.Request{Plugin: id, Frame: plugin.FrameAPI, Method: "POST", Path: "/do", Body: body})
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal(answer.Body, &out)
}

// TestAPluginReachesOnlyWhatItsCallMay lets a plugin that speaks the wire by itself try everything that is not its own.
func TestAPluginReachesOnlyWhatItsCallMay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		h := newHouse(t, db, "hostile", "hostile2", "notes", "peer").run(t).ready(t)
		h.core.right("wxa", ada.SpaceID, "*")
		h.core.right("wxbob", bob.SpaceID, "*")
		mine := save(t, h, ada, "mine")
		his := save(t, h, bob, "his secret")

		t.Run("rows of another space", func(t *testing.T) {
			if got := tell(t, h, "hostile", ada, order{Do: "find"}); got.Rows != 1 || got.Total != 1 || !strings.Contains(got.Text, "mine") {
				t.Errorf("own rows: %+v", got)
			}
			if got := tell(t, h, "hostile", ada, order{Do: "find of space", Space: bob.SpaceID}); got.Rows != 0 || got.Total != 0 {
				t.Errorf("rows of the other space: %+v", got)
			}
			for _, what := range []string{"update", "delete", "increment"} {
				if got := tell(t, h, "hostile", ada, order{Do: "write", Text: what, ID: his}); got.Code == "" {
					t.Errorf("%s of the other's row: %+v", what, got)
				}
			}
			if got := tell(t, h, "hostile", bob, order{Do: "find"}); got.Rows != 1 || !strings.Contains(got.Text, "his secret") {
				t.Errorf("bob's row after it: %+v", got)
			}
		})
		t.Run("rows put or moved into another space", func(t *testing.T) {
			tell(t, h, "hostile", ada, order{Do: "write", Text: "insert", Space: bob.SpaceID})
			tell(t, h, "hostile", ada, order{Do: "write", Text: "move", Space: bob.SpaceID, ID: mine})
			if got := tell(t, h, "hostile", bob, order{Do: "find"}); got.Rows != 1 {
				t.Errorf("bob has %+v", got)
			}
			if n, err := db.Int(t.Context(), "SELECT COUNT(*) FROM plugin_hostile_notes WHERE id=4711 OR space_id NOT IN (?,?)", ada.SpaceID, bob.SpaceID); err != nil || n != 0 {
				t.Errorf("%d rows have a space or an id of the plugin's choice, %v", n, err)
			}
		})
		t.Run("tables and columns that are not its own", func(t *testing.T) {
			for _, table := range []string{"", "account", "plugin_notes_notes", "notes.notes", "core.accounts", "core.", "notes` UNION SELECT * FROM account --", "../notes"} {
				if got := tell(t, h, "hostile", ada, order{Do: "find elsewhere", Text: table}); got.Code == "" {
					t.Errorf("find in %q: %+v", table, got)
				}
			}
			for _, column := range []string{"password", "id` OR 1=1 --", "tags"} {
				if got := tell(t, h, "hostile", ada, order{Do: "find column", Text: column}); got.Code == "" {
					t.Errorf("condition on %q: %+v", column, got)
				}
				if got := tell(t, h, "hostile", ada, order{Do: "sort", Text: column}); got.Code == "" {
					t.Errorf("order by %q: %+v", column, got)
				}
			}
		})
		t.Run("a mini program of another", func(t *testing.T) {
			for _, endpoint := range []string{wechat.EndpointBasicInfo, wechat.EndpointRelease, "no.such", ""} {
				if got := tell(t, h, "hostile", ada, order{Do: "wechat", Text: endpoint}); got.Code == "" {
					t.Errorf("%q on bob's mini program: %+v", endpoint, got)
				}
			}
			if sent := h.core.sent(); len(sent) != 0 {
				t.Errorf("reached WeChat: %v", sent)
			}
		})
		t.Run("a visitor's call", func(t *testing.T) {
			if _, err := told(t.Context(), h, "hostile", account.Actor{}, order{Do: "find"}); fault.From(err).Kind != fault.Unauthenticated {
				t.Errorf("a visitor came in: %v", err)
			}
		})
		tokensOfOthers(t, h)
	})
}

// save makes a row of hostile's own table as a person in the back office would.
func save(t *testing.T, h *house, actor account.Actor, text string) int64 {
	t.Helper()
	id, err := h.Save(t.Context(), actor, "hostile", "notes", 0, 0, map[string]string{"text": text, "state": "open", "count": "1"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func tokensOfOthers(t *testing.T, h *house) {
	t.Run("tokens", func(t *testing.T) {
		for _, o := range []order{{Do: "no token"}, {Do: "two tokens"}, {Do: "forged", Text: strings.Repeat("0", 32)}, {Do: "forged", Text: ""}} {
			if got := tell(t, h, "hostile", ada, o); got.Code != "plugin.token" {
				t.Errorf("%s: %+v", o.Do, got)
			}
		}
		tell(t, h, "hostile", bob, order{Do: "keep"})
		if got := tell(t, h, "hostile", ada, order{Do: "kept"}); got.Code != "plugin.token" {
			t.Errorf("a token outlives its call: %+v", got)
		}
		for _, id := range []string{"1", "0", "-1", "x", "99999999999999999999"} {
			if got := tell(t, h, "hostile", ada, order{Do: "delegation", Text: id}); got.Code == "" {
				t.Errorf("delegation %s: %+v", id, got)
			}
		}
	})
	t.Run("the live token of another plugin", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "token")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = told(ctx, h, "hostile2", bob, order{Do: "show", Text: file}) // ends with its context
		}()
		token := ""
		for deadline := time.Now().Add(30 * time.Second); token == "" && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			raw, err := os.ReadFile(file)
			if err == nil {
				token = string(raw)
			}
		}
		if token == "" {
			t.Fatal("no token was shown")
		}
		if got := tell(t, h, "hostile", ada, order{Do: "forged", Text: token}); got.Code != "plugin.token" {
			t.Errorf("a stolen token works: %+v", got)
		}
		cancel()
		<-ended
	})
}

// TestWhatAPluginAnswersIsHeldToBounds: nothing a plugin says takes the host's page down or reaches a person as it is.
func TestWhatAPluginAnswersIsHeldToBounds(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "hostile", "peer").run(t).ready(t)
	for _, search := range []string{"giant row", "short text", "long text", "no columns", "wide row", "half a row", "many"} {
		page, err := h.Rows(t.Context(), ada, "hostile", "computed", plugin.TableQuery{Search: search})
		if err == nil {
			t.Errorf("%s: %d rows, total %d, next %q", search, len(page.Rows), page.Total, page.Next)
			continue
		}
		if f := fault.From(err); f.Message == "" || strings.ContainsAny(f.Message, "\x00<") {
			t.Errorf("%s: says %q", search, f.Message)
		}
	}
	if got := tell(t, h, "hostile", ada, order{Do: "giant ask"}); got.Code == "" {
		t.Errorf("30 MiB were taken: %+v", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := h.Rows(ctx, ada, "hostile", "computed", plugin.TableQuery{Search: "deaf"}); err == nil {
		t.Error("an answer came from a plugin that sleeps")
	}
	if took := time.Since(began); took > 15*time.Second { // it sleeps for twenty
		t.Errorf("the caller waited %v for a plugin that does not listen", took)
	}
	if page, err := h.Rows(t.Context(), ada, "hostile", "computed", plugin.TableQuery{}); err != nil || len(page.Rows) != 1 {
		t.Errorf("afterwards: %d rows, %v", len(page.Rows), err)
	}
}

func TestAFloodOfHostCallsWaitsForItsTurn(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "hostile", "notes").run(t).ready(t)
	h.core.right("wxa", ada.SpaceID, "*")
	ended := make(chan report, 1)
	go func() {
		got, err := told(t.Context(), h, "hostile", ada, order{Do: "flood", N: 5000})
		if err != nil {
			got.Code = err.Error()
		}
		ended <- got
	}()
	others := 0
	for {
		select {
		case got := <-ended:
			if got.Done != 5000 {
				t.Errorf("of 5,000 calls %d came through: %s", got.Done, got.Code)
			}
			if most := h.core.most.Load(); most > 64 {
				t.Errorf("%d of them ran at once", most)
			}
			if others == 0 {
				t.Error("nobody else was served meanwhile")
			}
			return
		default:
			if _, err := h.Serve(t.Context(), ada, plugin.Request{Plugin: "notes", Frame: plugin.FramePortal, Method: "GET", Path: "/hello/x"}); err != nil {
				t.Fatalf("another plugin's page: %v", err)
			}
			others++
		}
	}
}

func TestWhatAPluginForkedEndsWithIt(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "hostile").run(t).ready(t)
	got := tell(t, h, "hostile", ada, order{Do: "fork"})
	if got.Code != "" {
		t.Fatal(got.Code)
	}
	near := got.PID
	open, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", near))
	if err != nil || len(open) == 0 {
		t.Fatalf("the child's descriptors: %v, %v", open, err)
	}
	for _, name := range open {
		if what, err := os.Readlink(name); err == nil && strings.HasPrefix(what, "socket:") {
			t.Errorf("the child inherited %s: %s", filepath.Base(name), what)
		}
	}
	if err := h.Restart(t.Context(), "hostile"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); running(near); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the child in the plugin's own group outlives it")
		}
	}
	// One that took a session of its own is reached through its user, which an extension has and this plugin has not; the
	// test ends it.
	if process, err := os.FindProcess(got.Done); err == nil {
		_ = process.Kill()
	}
}

func TestAPluginThatHangsUpIsStartedAnew(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "hostile").run(t).ready(t)
	tell(t, h, "hostile", ada, order{Do: "find"}) // a call makes the connection
	deaf := tell(t, h, "hostile", ada, order{Do: "hang up"})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if s := h.Status()[0]; s.PID != deaf.PID && s.State == plugin.Serving {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("a minute after it closed its way back: %+v", h.Status())
		}
	}
	if got := tell(t, h, "hostile", ada, order{Do: "find"}); got.Code != "" {
		t.Errorf("the new process calls the host: %+v", got)
	}
}

func TestARefusalOfAHostCallTellsNothing(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "hostile").run(t).ready(t)
	_, err := h.Rows(t.Context(), ada, "hostile", "computed", plugin.TableQuery{Search: "short text"})
	if text := fmt.Sprint(fault.From(err).Message); strings.Contains(text, "<html>") || strings.Contains(text, "bytes") {
		t.Errorf("a person reads %q", text)
	}
}
