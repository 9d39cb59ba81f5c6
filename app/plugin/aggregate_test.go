package plugin_test

import (
	"reflect"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
)

func TestCountsByAValueSeeOwnRowsOnly(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		for _, text := range []string{"a", "b", "a", "c", "a", "b"} {
			h.must(t, ada, command{Do: "note.insert", Text: text})
		}
		h.must(t, bob, command{Do: "note.insert", Text: "a"})
		got := h.must(t, ada, command{Do: "note.count", AppID: "text", Num: 2})
		if want := (outcome{List: []string{"a=3", "b=2"}, ID: 1}); !reflect.DeepEqual(got, want) {
			t.Errorf("ada counts %+v, want %+v", got, want)
		}
		got = h.must(t, bob, command{Do: "note.count", AppID: "text", Num: 2})
		if want := []string{"a=1"}; !reflect.DeepEqual(got.List, want) {
			t.Errorf("bob counts %v", got.List)
		}
		if _, err := h.do(t, ada, command{Do: "note.count", AppID: "tags", Num: 2}); err == nil {
			t.Error("a JSON column was counted by")
		}
	})
}

func TestAskingAPluginNeedsAPersonAndADeclaredOperation(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		if _, err := h.Host.Ask(t.Context(), account.Actor{}, "notes", "dashboard", []byte("{}")); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("a visitor: %v", err)
		}
		if _, err := h.Host.Ask(t.Context(), ada, "notes", "nothing", []byte("{}")); fault.KindOf(err) != fault.NotFound {
			t.Errorf("an undeclared operation: %v", err)
		}
		if list := h.Host.Offering("dashboard"); len(list) != 0 {
			t.Errorf("offering a dashboard: %+v", list)
		}
	})
}
