package trail

import "testing"

func TestTitleSaysTheActInWords(t *testing.T) {
	for act, want := range map[string]string{
		"account.login":           "登录",
		"grant.revoke":            "撤销他人的操作权",
		"wechat.no_such_endpoint": "no_such_endpoint",
		"plugin.own.act":          "plugin.own.act",
	} {
		if got := (Entry{Act: act}).Title(); got != want {
			t.Errorf("%s reads %q, want %q", act, got, want)
		}
	}
}
