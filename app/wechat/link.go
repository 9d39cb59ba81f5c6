package wechat

import (
	"net/url"
	"strconv"
	"strings"
)

// Hosts of the authorisation pages. A demo points both to the simulator.
const (
	PCHost = "https://mp.weixin.qq.com"
	H5Host = "https://open.weixin.qq.com"
)

// AuthMiniProgram offers only mini programs for authorisation (auth_type 2).
const AuthMiniProgram = 2

// Link are the parameters of an authorisation page (01 D.3).
type Link struct {
	Component   string
	PreAuthCode string // single use
	RedirectURI string // absolute, on the component's 授权发起页域名
	AuthType    int    // 0 means AuthMiniProgram
	BizAppID    string // "" or the only account that may be chosen
	Sets        []int  // permission sets to offer; nil = the released ones
}

// PCLink is the page that shows a QR code. It must be reached by a click from a page on the 授权发起页域名, with a
// Referer. host is PCHost or the simulator's address.
func PCLink(host string, l Link) string {
	return strings.TrimSuffix(host, "/") + "/cgi-bin/componentloginpage?" + l.query().Encode()
}

// H5Link is the page to open inside WeChat on the phone. host is H5Host or the simulator's address.
func H5Link(host string, l Link) string {
	q := l.query()
	q.Set("action", "bindcomponent")
	q.Set("no_scan", "1")
	return strings.TrimSuffix(host, "/") + "/wxaopen/safe/bindcomponent?" + q.Encode() + "#wechat_redirect"
}

func (l Link) query() url.Values {
	authType := l.AuthType
	if authType == 0 {
		authType = AuthMiniProgram
	}
	q := url.Values{
		"component_appid": {l.Component},
		"pre_auth_code":   {l.PreAuthCode},
		"redirect_uri":    {l.RedirectURI},
		"auth_type":       {strconv.Itoa(authType)},
	}
	if l.BizAppID != "" {
		q.Set("biz_appid", l.BizAppID)
	}
	if len(l.Sets) > 0 {
		ids := make([]string, len(l.Sets))
		for i, s := range l.Sets {
			ids[i] = strconv.Itoa(s)
		}
		q.Set("category_id_list", strings.Join(ids, "|"))
	}
	return q
}
