package admin

import (
	"context"
	"testing"

	"minifleet/app/account"
)

// bareOperator is an operator without a second factor, where the platform asks for one.
type bareOperator struct{}

func (bareOperator) Authenticate(context.Context, string, int64) (account.Actor, error) {
	return people["operator"], account.ErrFactorNeeded
}

func TestAnOperatorWithoutTheSecondFactorThatIsAskedForReachesNothing(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(1), Accounts: bareOperator{}})
	for _, path := range []string{"/admin", "/admin/jobs", "/admin/events", "/admin/info/version_templates"} {
		if to := h.get("operator", path).want(t, 302).Header.Get("Location"); to != "/my/security/totp" {
			t.Errorf("%s leads to %q", path, to)
		}
	}
	h.do("operator", "POST", "/admin/jobs", nil).want(t, 302)
}
