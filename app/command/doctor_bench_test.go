package command

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"minifleet/app/clock"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// BenchmarkDoctorTrail runs `minifleet doctor --trail` of MINIFLEET_TEST_BINARY over MINIFLEET_TRAIL_ENTRIES sealed entries
// (10,000 when empty) in a process of its own, and reports entries a second and the most memory it took.
func BenchmarkDoctorTrail(b *testing.B) {
	exe := os.Getenv("MINIFLEET_TEST_BINARY")
	if exe == "" {
		b.Skip("MINIFLEET_TEST_BINARY names the binary to run")
	}
	n := 10_000
	if text := os.Getenv("MINIFLEET_TRAIL_ENTRIES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	data := b.TempDir()
	fillTrail(b, data, n)
	for b.Loop() {
		cmd := exec.Command(exe, "doctor", "--trail", "--json", "--data", data)
		out, err := cmd.Output()
		if err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		var found []finding
		if err := json.Unmarshal(out, &found); err != nil {
			b.Fatal(err)
		}
		r := found[len(found)-1].Report
		if r == nil || !r.OK || r.Entries != int64(n) {
			b.Fatalf("%s", out)
		}
		b.ReportMetric(float64(r.TookMS)/1000, "s/run")
		b.ReportMetric(r.EntriesPerSec, "entries/s")
		if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
			b.ReportMetric(float64(u.Maxrss)/1024, "MB")
		}
	}
}

// fillTrail makes a data folder with n sealed entries like those of a busy platform.
func fillTrail(b *testing.B, data string, n int) {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	db, err := store.Open(b.Context(), store.Options{Path: filepath.Join(data, "minifleet.db")})
	must(err)
	must(db.Migrate(b.Context()))
	vault, err := secret.OpenFile(filepath.Join(data, "key.json"))
	must(err)
	l := trail.New(db, clock.System())
	for done := 0; done < n; {
		must(db.Tx(b.Context(), func(ctx context.Context) error {
			for range min(5000, n-done) {
				e := trail.Entry{
					AccountID: 1 + int64(done%50), SpaceID: 1 + int64(done%20), Actor: fmt.Sprint("成员", done%50), Act: "wechat.commit", Component: "wx0000000000000001", AppID: fmt.Sprintf("wx%016d", done%2000),
					Object: "1.2.3", RID: "65f0c5a1-1234-5678", RequestID: "0123456789abcdef", Detail: "上传代码", DurationMS: 120, Changes: []trail.Change{{Field: "version", Before: "1.2.2", After: "1.2.3"}},
				}
				if err := l.Record(ctx, e); err != nil {
					return err
				}
				done++
			}
			return nil
		}))
	}
	sealed, err := trail.NewChain(l, vault, slog.New(slog.DiscardHandler)).Seal(b.Context())
	must(err)
	if sealed != n {
		b.Fatalf("sealed %d of %d", sealed, n)
	}
	must(db.Close())
}
