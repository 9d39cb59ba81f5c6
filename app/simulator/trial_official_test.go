package simulator

import (
	"net/url"
	"strings"
	"testing"
)

func TestTrialAppTakesTheSubjectOfAnOfficialAccount(t *testing.T) {
	for _, address := range []string{"ticket", "message"} {
		t.Run(address, func(t *testing.T) {
			g := startRig(t, Options{})
			g.control("settings", object{"trial_event": address})
			ct := g.componentToken(g.bind())
			appID, at := g.trial(ct)
			AT := "?access_token=" + at
			official := "wx00000000000000b1"
			g.program(official, object{"official": true, "principal_name": "公众号的公司", "admin": "gongzhong_1"})
			ask := object{"mp_appid": official, "same_admin": 0}
			g.refuses(t, []refusal{
				{"no official account", 40013, "/wxa/getmpadminauth" + AT, object{"mp_appid": appID}},
				{"another administrator", 61070, "/wxa/getmpadminauth" + AT, object{"mp_appid": official, "same_admin": 1}},
				{"ticket unknown", 61058, "/wxa/mpverifybetaweapp" + AT, object{"mp_appid": official, "ticket": "x"}},
			})
			link, err := url.Parse(g.ok("POST", "/wxa/getmpadminauth"+AT, ask)["authorize_url"].(string))
			if err != nil {
				t.Fatal(err)
			}
			g.submitPage(link.Path, url.Values{"action": {"confirm"}})
			lent := g.platform.wait("betaapp_authorization_apply_event")
			if lent["ticket"] == "" || lent["mp_appid"] != official || (lent["InfoType"] != "") != (address == "ticket") {
				t.Fatalf("push %v", lent)
			}
			verify := object{"mp_appid": official, "ticket": lent["ticket"]}
			made := g.ok("POST", "/wxa/mpverifybetaweapp"+AT, verify)
			g.platform.wait("betaapp_verify_apply_event")
			g.refused(61058, "POST", "/wxa/mpverifybetaweapp"+AT, verify)
			g.act(made["authorize_url"].(string)[strings.LastIndex(made["authorize_url"].(string), "/")+1:], "confirm")
			if push := g.platform.wait("betaapp_verify_event"); push["status"] != "0" || push["appid"] != appID {
				t.Errorf("push %v", push)
			}
			if basic := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo"+AT, nil); basic["principal_name"] != "公众号的公司" {
				t.Errorf("basic info %v", basic)
			}
			g.refused(48001, "POST", "/wxa/getmpadminauth"+AT, ask)
		})
	}
}
