package inbox

import (
	"strings"

	"minifleet/app/wechat"
)

// address is where a push arrived.
type address struct {
	kind      string // wechat.TicketURL or wechat.MessageURL
	component string
	appid     string // "" on the ticket URL
}

// parsePath reads /wechat/{component}/ticket and /wechat/{component}/message/{appid}.
func parsePath(path string) (address, bool) {
	rest, ok := strings.CutPrefix(path, Prefix)
	if !ok {
		return address{}, false
	}
	component, rest, ok := strings.Cut(rest, "/")
	if !ok || !validAppID(component) {
		return address{}, false
	}
	if rest == "ticket" {
		return address{kind: wechat.TicketURL, component: component}, true
	}
	appid, ok := strings.CutPrefix(rest, "message/")
	if !ok || !validAppID(appid) {
		return address{}, false
	}
	return address{kind: wechat.MessageURL, component: component, appid: appid}, true
}

func validAppID(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-') {
			return false
		}
	}
	return true
}
