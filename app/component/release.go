package component

import (
	"strings"

	"minifleet/app/wechat"
)

// ReleasePrefix begins the type of every event of a test account.
const ReleasePrefix = "release_check."

// ReleaseAccount is one of WeChat's own accounts that check a platform app before its full-network release (全网发布).
type ReleaseAccount struct {
	Group       int // 1 to 5: WeChat picks one group at random
	AppID       string
	UserName    string // gh_ id, which stands in the signed body
	MiniProgram bool   // else an official account
}

// ReleaseAccounts are all ten of them (01 C.5). They are public.
func ReleaseAccounts() []ReleaseAccount {
	return []ReleaseAccount{
		{1, "wx570bc396a51b8ff8", "gh_3c884a361561", false}, {1, "wxd101a85aa106f53e", "gh_8dad206e9538", true},
		{2, "wx9252c5e0bb1836fc", "gh_c0f28a78b318", false}, {2, "wxc39235c15087f6f3", "gh_905ae9d01059", true},
		{3, "wx8e1097c5bc82cde9", "gh_3f222ed8d140", false}, {3, "wx7720d01d4b2a4500", "gh_393666f1fdf4", true},
		{4, "wx14550af28c71a144", "gh_26128078e9ab", false}, {4, "wx05d483572dcd5d8b", "gh_39abb5d4e1b7", true},
		{5, "wxa35b9c23cfe664eb", "gh_2b3713f184a6", false}, {5, "wx5910277cae6fd970", "gh_7818dcb60240", true},
	}
}

// releaseAccount finds the test account of an appid. The user name has to be that of the same account; "" is not compared,
// for pushes that carry none.
func releaseAccount(appid, userName string) (ReleaseAccount, bool) {
	for _, a := range ReleaseAccounts() {
		if a.AppID == appid {
			return a, userName == "" || a.UserName == userName
		}
	}
	return ReleaseAccount{}, false
}

// ReleaseTester tells whether appid is a test account and, unless it is "", userName is its gh_ id.
func ReleaseTester(appid, userName string) bool {
	_, ok := releaseAccount(appid, userName)
	return ok
}

// What the checks send, and what they want to read (01 C.5).
const (
	releaseText      = "TESTCOMPONENT_MSG_TYPE_TEXT"
	releaseTextReply = "TESTCOMPONENT_MSG_TYPE_TEXT_callback"
	releaseQuery     = "QUERY_AUTH_CODE:"
	releaseFromAPI   = "_from_api"
	releaseFromEvent = "from_callback"
)

// ReleaseReply is the text to answer a push of a test account with at once; "" stands for an empty answer. It is false for
// every push of anybody else, and for those of a test account that want nothing but `success`.
func ReleaseReply(appid string, p wechat.Push) (text string, answered bool) {
	account, ok := releaseAccount(appid, p.ToUserName)
	if !ok || p.ToUserName == "" {
		return "", false
	}
	kind, _ := releaseKind(account, p)
	switch kind {
	case ReleaseText:
		return releaseTextReply, true
	case ReleaseQuery:
		return "", true // the real answer follows as a customer-service message
	case ReleaseEvent:
		return p.Event + releaseFromEvent, true
	default:
		return "", false
	}
}

// Kinds of checks, as they are kept.
const (
	ReleaseText       = "text"      // 文本消息, answered on the spot
	ReleaseQuery      = "auth_code" // QUERY_AUTH_CODE, answered by a customer-service message
	ReleaseEvent      = "event"     // an event to an official account; gone from WeChat's page, answered as older pages say
	ReleaseAuthorized = "authorized"
)

// releaseKind tells which check a push is, "" for none; code is what QUERY_AUTH_CODE asks about.
func releaseKind(a ReleaseAccount, p wechat.Push) (kind, code string) {
	content := p.Fields["Content"]
	switch {
	case p.InfoType == wechat.Authorized || p.InfoType == wechat.UpdateAuthorized:
		return ReleaseAuthorized, ""
	case p.MsgType == "event" && !a.MiniProgram:
		return ReleaseEvent, ""
	case p.MsgType != "text":
		return "", ""
	case content == releaseText && !a.MiniProgram:
		return ReleaseText, ""
	case strings.HasPrefix(content, releaseQuery):
		return ReleaseQuery, strings.TrimPrefix(content, releaseQuery)
	default:
		return "", ""
	}
}
