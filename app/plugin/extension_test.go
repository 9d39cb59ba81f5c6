package plugin_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

func TestAnArchiveRunsOnlyAfterApprovalUpgradesWithoutAGapAndStopsOnWithdrawal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		e := newEstate(t, db)
		e.run(t)
		first := shape{ID: "coupon", Version: "1.0.0"}
		a := e.submit(t, ada, first.pack(t, first.spec()))
		if err := e.FollowCatalog(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, there := e.status("coupon"); there || a.State != plugin.ArchivePending {
			t.Fatalf("an archive that waits runs: %+v", a)
		}
		if left, err := filepath.Glob(filepath.Join(e.cache, "*")); err != nil || len(left) != 0 {
			t.Fatalf("an archive that waits is unpacked: %v %v", left, err)
		}
		e.approve(t, a)
		one := e.serving(t, "coupon", "1.0.0")
		if !one.Third || one.SHA256 != a.SHA256 {
			t.Fatalf("serving %+v", one)
		}

		e.open(t, "coupon")

		second := shape{ID: "coupon", Version: "1.1.0"}
		b := e.submit(t, ada, second.pack(t, second.spec()))
		stop, failed := make(chan struct{}), make(chan error, 1)
		go func() {
			for {
				select {
				case <-stop:
					failed <- nil
					return
				default:
				}
				if _, err := e.do(t, ada, "coupon", wish{Do: "who"}); err != nil {
					failed <- err
					return
				}
			}
		}()
		e.approve(t, b)
		two := e.serving(t, "coupon", "1.1.0")
		close(stop)
		if err := <-failed; err != nil {
			t.Errorf("a call failed during the upgrade: %v", err)
		}
		if two.PID == one.PID || two.Restarts != 0 {
			t.Errorf("after the upgrade %+v, before it %+v", two, one)
		}

		if err := e.catalog.Back(t.Context(), olga, "coupon"); err != nil {
			t.Fatal(err)
		}
		e.serving(t, "coupon", "1.0.0") // the poll finds it, as on another replica
		if err := e.catalog.Withdraw(t.Context(), olga, "coupon", "不再提供"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the extension is gone", 60*time.Second, func() bool { _, there := e.status("coupon"); return !there })
		eventually(t, "its process is gone", 60*time.Second, func() bool { return !running(one.PID) && !running(two.PID) })
		if _, err := e.do(t, ada, "coupon", wish{Do: "who"}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a withdrawn extension answers %v", err)
		}
		gone, err := e.catalog.Archive(t.Context(), olga, a.ID)
		if err != nil || gone.State != plugin.ArchiveWithdrawn || gone.Reason != "不再提供" {
			t.Errorf("withdrawn: %+v %v", gone, err)
		}
	})
}

func TestABinaryThatAsksForMoreThanWasApprovedIsRefusedAndTheOldOneKeepsServing(t *testing.T) {
	e := newEstate(t, storetest.Open(t))
	e.run(t)
	good := shape{ID: "coupon", Version: "1.0.0", WeChat: []string{"code.audit_status"}}
	before := e.install(t, good)
	for name, c := range map[string]struct {
		is, says shape
		want     string
	}{
		"another endpoint":    {shape{WeChat: []string{"code.audit_status", "code.release"}}, good, "capabilities.wechat “code.release”"},
		"a core view":         {shape{Core: []string{"miniprograms"}}, shape{}, "capabilities.core “miniprograms”"},
		"another's call":      {shape{Calls: []string{"peer.who"}}, shape{}, "capabilities.calls"},
		"a host":              {shape{Hosts: []string{"evil.example.com"}}, shape{}, "capabilities.hosts"},
		"an event":            {shape{Events: []string{"wechat.authorized"}}, shape{}, "事件 “wechat.authorized”"},
		"a collection":        {shape{Collection: []string{"people"}}, shape{}, "数据表 “people”"},
		"another id":          {shape{ID: "other"}, shape{}, "程序自称 other"},
		"another's version":   {shape{Version: "9.0.0"}, shape{}, "程序自称 coupon 9.0.0"},
		"does not even start": {shape{Crash: true}, shape{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			is, says := c.is, c.says
			is.ID, is.Version = orElse(is.ID, "coupon"), orElse(is.Version, "2.0.0")
			says.ID, says.Version = "coupon", "2.0.0"
			a := e.submit(t, ada, is.pack(t, says.spec()))
			e.approve(t, a)
			s := e.serving(t, "coupon", "1.0.0")
			if _, err := e.do(t, ada, "coupon", wish{Do: "who"}); err != nil {
				t.Fatalf("the old one does not serve: %v", err)
			}
			if last := s.History[len(s.History)-1]; !strings.Contains(last.Note, "旧进程继续服务") || !strings.Contains(last.Note, c.want) {
				t.Errorf("the history says %q, want %q", last.Note, c.want)
			}
			after, err := e.catalog.Archive(t.Context(), olga, a.ID)
			if err != nil {
				t.Fatal(err)
			}
			if still, err := e.catalog.Archive(t.Context(), olga, before.ID); err != nil || !still.Serving {
				t.Errorf("the catalog has the old one as %+v (%v)", still, err)
			}
			if c.want == "" { // a build that does not come up asked for nothing more: it stays approved for an operator's next try
				if after.State != plugin.ArchiveApproved || after.Serving || !strings.Contains(after.Reason, "没有启动成功") {
					t.Errorf("after the failed start: %+v", after)
				}
				return
			}
			if after.State != plugin.ArchiveRejected || !strings.Contains(after.Reason, c.want) || after.Serving {
				t.Errorf("the catalog says %+v", after)
			}
		})
	}
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func TestAFirstBinaryThatAsksForMoreNeverServes(t *testing.T) {
	e := newEstate(t, storetest.Open(t))
	e.run(t)
	is := shape{ID: "greedy", Version: "1.0.0", WeChat: []string{"code.release"}}
	a := e.submit(t, ada, is.pack(t, shape{ID: "greedy", Version: "1.0.0"}.spec()))
	e.approve(t, a)
	eventually(t, "the archive is rejected", 60*time.Second, func() bool {
		after, err := e.catalog.Archive(t.Context(), olga, a.ID)
		return err == nil && after.State == plugin.ArchiveRejected && strings.Contains(after.Reason, "release")
	})
	eventually(t, "the unit is taken out", 60*time.Second, func() bool { _, there := e.status("greedy"); return !there })
}

func TestAnArchiveForAnEarlierWireIsShownAndDoesNotServe(t *testing.T) {
	e := newEstate(t, storetest.Open(t))
	e.run(t).ready(t)
	one := e.install(t, shape{ID: "coupon", Version: "1.0.0"})
	e.serving(t, "coupon", "1.0.0")
	two := shape{ID: "coupon", Version: "1.1.0"}
	next := e.submit(t, ada, two.pack(t, two.spec()))
	age := func(id int64) {
		t.Helper()
		if _, err := e.db.Exec(t.Context(), "UPDATE plugin_archive SET spec=REPLACE(spec, ?, ?) WHERE id=?", fmt.Sprintf("protocol: %d", archive.Protocol), "protocol: 1", id); err != nil {
			t.Fatal(err)
		}
	}
	age(next.ID)
	if a, err := e.catalog.Archive(t.Context(), olga, next.ID); err != nil || a.Spec.Protocol != 1 {
		t.Errorf("the operator reads %+v, %v", a.Spec, err)
	}
	refused := func(what string, err error) {
		t.Helper()
		if f := fault.From(err); err == nil || f.Kind != fault.Invalid || !strings.Contains(f.Message, "协议版本 1") {
			t.Errorf("%s: %v, want a sentence about the wire", what, err)
		}
	}
	refused("approving it", e.catalog.Approve(t.Context(), olga, next.ID, next.SHA256))

	three := shape{ID: "coupon", Version: "1.2.0"}
	e.approve(t, e.submit(t, ada, three.pack(t, three.spec())))
	e.serving(t, "coupon", "1.2.0")
	age(one.ID)
	refused("going back to it", e.catalog.Back(t.Context(), olga, "coupon"))
	if err := e.FollowCatalog(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.serving(t, "coupon", "1.2.0")
}

func TestAnExtensionReachesNothingThatWasNotApproved(t *testing.T) {
	e := newEstate(t, storetest.Open(t), "notes", "peer")
	e.run(t).ready(t)
	e.core.right("wxa", ada.SpaceID, "*")
	e.install(t, shape{ID: "small", Version: "1.0.0"})
	e.install(t, shape{ID: "large", Version: "1.0.0", WeChat: []string{"code.latest_audit"}, Core: []string{"miniprograms", "authorize"}, Calls: []string{"peer.who"}})
	for _, c := range []struct {
		do, what, title string
		large           bool // whether the other one may
	}{
		{"miniprograms", "", "小程序资料", true},
		{"spaces", "", "空间名称", false},
		{"authorize", "", "发起小程序授权", true},
		{"call", "peer.who", "peer.who", true},
		{"call", "notes.do", "notes.do", false},
		{"audit", "wxa", "查询最新审核单", true},
		{"release", "wxa", "发布", false},
	} {
		_, err := e.do(t, ada, "small", wish{c.do, c.what})
		f := fault.From(err)
		if err == nil || f.Kind != fault.Forbidden || f.Code != "plugin.capability" || !strings.Contains(f.Message, c.title) {
			t.Errorf("%s %s was answered %v, want a refusal that names %q", c.do, c.what, err, c.title)
		}
		if _, err := e.do(t, ada, "large", wish{c.do, c.what}); c.large != (err == nil) {
			t.Errorf("the approved one: %s %s: %v", c.do, c.what, err)
		}
	}
	if _, err := e.do(t, ada, "small", wish{Do: "can"}); err != nil {
		t.Errorf("what needs no approval: %v", err)
	}
	if sent := e.core.sent(); len(sent) != 1 {
		t.Errorf("the gateway was reached more than by the one approved call: %v", sent)
	}
	s, _ := e.status("small")
	if s.Refused["wechat"] != 2 || s.Refused["core"] != 3 || s.Refused["calls"] != 2 {
		t.Errorf("counted %v", s.Refused)
	}
}
