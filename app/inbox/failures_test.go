package inbox

import (
	"testing"

	"minifleet/app/wechat"
)

func TestTheWizardSeesRecentFailures(t *testing.T) {
	f := newFixture(t)
	f.do(push{}.request(t))
	f.do(push{token: "wrong"}.request(t))
	f.do(push{key: otherKey}.request(t))
	f.do(push{path: "/wechat/wxunbound/ticket"}.request(t))
	got := f.h.Failures(testComponent)
	if len(got) != 2 || got[0].Label != wechat.ReasonPadding.Label() || got[1].Label != wechat.ReasonSignature.Label() || got[0].At != 1_790_000_000_000 || got[0].Kind != wechat.TicketURL {
		t.Errorf("%+v", got)
	}
	if len(f.h.Failures("wxunbound")) != 0 || len(f.h.failures.rings) != 1 {
		t.Error("strangers fill the memory")
	}
	for range 100 {
		f.do(push{token: "wrong"}.request(t))
	}
	if n := len(f.h.Failures(testComponent)); n != failuresKept {
		t.Errorf("%d failures kept", n)
	}
}
