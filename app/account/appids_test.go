package account_test

import (
	"slices"
	"testing"

	"minifleet/app/account"
)

func TestPastedAppIDsAreTakenApart(t *testing.T) {
	for text, want := range map[string][]string{
		"":                           nil,
		" \r\n，；":                    nil,
		"wx1":                        {"wx1"},
		"wx1,wx2;wx3":                {"wx1", "wx2", "wx3"},
		"wx1，wx2；wx3、wx4":            {"wx1", "wx2", "wx3", "wx4"},
		"wx1\twx2\r\nwx3\u3000wx4\n": {"wx1", "wx2", "wx3", "wx4"},
		"wx1\u00a0wx2 , \u3000wx3,":  {"wx1", "wx2", "wx3"},
	} {
		if got := account.SplitAppIDs(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
