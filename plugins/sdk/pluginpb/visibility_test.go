package pluginpb

import (
	"slices"
	"testing"
)

func TestWhatDecidesWhoSeesARow(t *testing.T) {
	for kind, want := range map[string][]string{"parties": {"mine", "theirs"}, "miniprogram": {"mine"}, "space": nil, "public": nil, "": nil} {
		if got := (&Visibility{Kind: kind, Column: "mine", Other: "theirs", When: "state"}).Bound(); !slices.Equal(got, want) {
			t.Errorf("%q is decided by %v, want %v", kind, got, want)
		}
	}
}
