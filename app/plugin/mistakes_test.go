package plugin_test

import (
	"strings"
	"testing"

	"minifleet/app/fault"
	"minifleet/app/store/storetest"
)

func TestTheAuthorsMistakesStandInTheHistoryOneByOne(t *testing.T) {
	h := newHouse(t, storetest.Open(t), "notes").run(t).ready(t)
	wantKind(t, h.Upgrade(t.Context(), "notes", argv("careless")), fault.Unavailable)
	history := h.Status()[0].History
	note := history[len(history)-1].Note
	for _, want := range []string{
		"旧进程继续服务", "有 3 处错误", "\npage \"/nowhere\": the handler is nil", "\npage \"/nowhere\": the pattern is not",
		"\nmenu item \"券\": there is no table \"coupon\"",
	} {
		if !strings.Contains(note, want) {
			t.Errorf("%q is not in the history's note\n%s", want, note)
		}
	}
}
