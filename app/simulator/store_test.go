package simulator

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// BenchmarkStateFile is what a commit costs with a state file at 64 callers, without the network.
//
//	go test ./app/simulator -run '^$' -bench StateFile -cpuprofile s.prof
func BenchmarkStateFile(b *testing.B) {
	sim, err := New(Options{StateFile: filepath.Join(b.TempDir(), "simulator.db"), Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := sim.Close(); err != nil {
			b.Error(err)
		}
	}()
	handler := sim.Handler()
	tokens := []string{}
	err = sim.update(b.Context(), func(w *world, now int64) error {
		c := &component{AppID: testComponent, PermissionSets: defaultPermissionSets(), NextDraftID: 2, NextTemplateID: 2}
		d := c.addDraft(draft{SourceAppID: "wx00000000000000d1", Version: "1", Pages: []string{"pages/index/index"}})
		c.Templates = []template{{TemplateID: 1, Draft: d}}
		w.components.put(c.AppID, c)
		if _, err := makeFleet(w, now, nil, fleetRequest{Count: 1000, Admin: "bench", Component: c.AppID}); err != nil {
			return err
		}
		for _, a := range w.authorizations.all() {
			tokens = append(tokens, w.issueAuthorizerToken(a, now).Value)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := int(n.Add(1))
			body := fmt.Sprintf(`{"template_id":1,"ext_json":"{}","user_version":"1.0.%d","user_desc":"压力测试"}`, i)
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/wxa/commit?access_token="+tokens[i%len(tokens)], strings.NewReader(body)))
			if !strings.Contains(rec.Body.String(), `"errcode":0`) {
				b.Error(rec.Body.String())
			}
		}
	})
}
