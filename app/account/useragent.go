package account

import "strings"

// DeviceName says in a few words what a browser or program is, from its User-Agent, for the list of devices. It is what
// the client claims, nothing to decide by.
func DeviceName(userAgent string) string {
	find := func(list [][2]string) string {
		for _, p := range list {
			if strings.Contains(userAgent, p[0]) {
				return p[1]
			}
		}
		return ""
	}
	browser := find([][2]string{
		{"MicroMessenger", "微信"}, {"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"},
		{"CriOS/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}, {"Go-http-client", "程序（Go）"}, {"python-requests", "程序（Python）"},
	})
	system := find([][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"HarmonyOS", "鸿蒙"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"},
	})
	switch {
	case browser == "" && system == "":
		return "未知设备"
	case browser == "":
		return system
	case system == "":
		return browser
	default:
		return browser + " · " + system
	}
}
