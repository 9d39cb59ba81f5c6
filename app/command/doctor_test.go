package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minifleet/app/clock"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// examined runs the doctor on a data folder beside a WeChat whose clock is off by some time.
func examined(t *testing.T, data string, off time.Duration, args ...string) (code int, out string, found []finding) {
	t.Helper()
	wechat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
	}))
	defer wechat.Close()
	var stdout, stderr bytes.Buffer
	code = Main(Env{Args: append([]string{"doctor", "--data", data}, args...), Environ: []string{"MINIFLEET_WECHAT_BASEURL=" + wechat.URL}, Stdout: &stdout, Stderr: &stderr})
	if strings.Contains(strings.Join(args, " "), "--json") {
		if err := json.Unmarshal(stdout.Bytes(), &found); err != nil {
			t.Fatalf("%v: %s %s", err, stdout.String(), stderr.String())
		}
	}
	return code, stdout.String(), found
}

// installed makes a data folder with n sealed entries.
func installed(t *testing.T, n int) (string, *store.DB) {
	t.Helper()
	data := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(data, "minifleet.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	vault, err := secret.OpenFile(filepath.Join(data, "key.json"))
	if err != nil {
		t.Fatal(err)
	}
	l := trail.New(db, clock.System())
	for i := range n {
		if err := l.Record(t.Context(), trail.Entry{Act: "account.login", Object: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := trail.NewChain(l, vault, slog.Default()).Seal(t.Context()); err != nil || got != n {
		t.Fatalf("sealed %d, %v", got, err)
	}
	return data, db
}

func TestDoctorFindsAHealthyHouseHealthy(t *testing.T) {
	data, _ := installed(t, 30)
	code, out, _ := examined(t, data, 0)
	if code != 0 || !strings.Contains(out, "30 条") || !strings.Contains(out, "链头 30:") || strings.Contains(out, "失败") {
		t.Fatalf("%d\n%s", code, out)
	}
	_, head, _ := strings.Cut(out, "链头 ")
	head = strings.Fields(head)[0]
	code, _, found := examined(t, data, 0, "--trail", "--json", "--head", head)
	if code != 0 || len(found) != 3 || found[2].Report == nil || !found[2].Report.OK || !found[2].Report.WitnessChecked || found[2].Report.EntriesPerSec <= 0 {
		t.Fatalf("%d %+v", code, found)
	}
}

func TestDoctorTrailNamesTheFirstBadEntry(t *testing.T) {
	data, db := installed(t, 30)
	if _, err := db.Exec(t.Context(), "UPDATE trail SET object='别的' WHERE seq=17"); err != nil {
		t.Fatal(err)
	}
	code, out, _ := examined(t, data, 0, "--trail")
	if code != 1 || !strings.Contains(out, "失败  操作日志  第一处不符：第 17 条") {
		t.Fatalf("%d\n%s", code, out)
	}
	code, _, found := examined(t, data, 0, "--trail", "--json")
	if code != 1 || found[2].Report.Bad == nil || found[2].Report.Bad.Seq != 17 || found[2].Report.Bad.Kind != trail.Edited {
		t.Fatalf("%d %+v", code, found)
	}
}

func TestDoctorFindsWhatIsMissing(t *testing.T) {
	data, db := installed(t, 1)
	if code, out, _ := examined(t, data, 2*time.Hour); code != 1 || !strings.Contains(out, "失败  时钟（微信）") {
		t.Errorf("a clock two hours off: %d\n%s", code, out)
	}
	if code, out, _ := examined(t, data, 20*time.Second); code != 0 || !strings.Contains(out, "注意  时钟（微信）") {
		t.Errorf("a clock twenty seconds off: %d\n%s", code, out)
	}
	if code, out, _ := examined(t, t.TempDir(), 0); code != 1 || strings.Count(out, "失败") != 2 || !strings.Contains(out, "跳过  操作日志") {
		t.Errorf("an empty folder: %d\n%s", code, out)
	}
	if err := db.Insert(t.Context(), "event_intake_damaged", map[string]any{"id": 1, "found_at": 1, "reason": "sum", "data": []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := examined(t, data, 0); code != 0 || !strings.Contains(out, "注意  推送接收  有 1 批推送读不出来") {
		t.Errorf("a batch that cannot be read: %d\n%s", code, out)
	}
	if _, err := db.Exec(t.Context(), "DELETE FROM goose_db_version WHERE version_id=633"); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := examined(t, data, 0); code != 1 || !strings.Contains(out, "minifleet migrate") {
		t.Errorf("a migration is missing: %d\n%s", code, out)
	}
}
