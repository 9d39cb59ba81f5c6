package plugin_test

import (
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// TestAFormIsCheckedBeforeItIsSaved looks at forms of a table that saves by itself: the host's own checks come first, then
// the plugin's, as the person and for nobody else; without a Check the form alone counts.
func TestAFormIsCheckedBeforeItIsSaved(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		good, bad := map[string]string{"text": "good", "state": "open"}, map[string]string{"text": "bad", "state": "open"}
		for _, table := range []string{"checked", "notes"} {
			if err := h.CheckForm(ctx, ada, "notes", table, 0, good); err != nil {
				t.Errorf("%s: a good form: %v", table, err)
			}
		}
		if err := h.CheckForm(ctx, ada, "notes", "notes", 0, bad); err != nil {
			t.Errorf("a table without a check: %v", err)
		}
		failure := wantKind(t, h.CheckForm(ctx, ada, "notes", "checked", 0, bad), fault.Invalid)
		if len(failure.Fields) != 1 || failure.Fields[0].Name != "text" || failure.Code != "notes.bad" {
			t.Errorf("refused with %+v", failure)
		}
		failure = wantKind(t, h.CheckForm(ctx, ada, "notes", "checked", 0, map[string]string{"text": "", "state": "bogus"}), fault.Invalid)
		if len(failure.Fields) != 2 {
			t.Errorf("the host's own checks: %+v", failure.Fields)
		}
		wantKind(t, h.CheckForm(ctx, ada, "notes", "checked", 5, good), fault.Forbidden) // rows of it cannot be changed
		wantKind(t, h.CheckForm(ctx, account.Actor{}, "notes", "checked", 0, good), fault.Unauthenticated)
	})
}
