package main

import (
	"cmp"
	"fmt"
	"html"
	"regexp"
	"strings"

	"minifleet/plugins/sdk"
)

// robotMessage is a text message in the form of each kind of robot.
func robotMessage(settings Settings, text string) any {
	switch settings.Robot {
	case "dingtalk":
		return map[string]any{
			"msgtype": "text", "text": map[string]any{"content": text}, "at": map[string]any{"isAtAll": !settings.Quiet},
		}
	case "feishu":
		if !settings.Quiet {
			text = `<at user_id="all">所有人</at> ` + text
		}
		return map[string]any{"msg_type": "text", "content": map[string]any{"text": text}}
	default:
		content := map[string]any{"content": text}
		if !settings.Quiet {
			content["mentioned_list"] = []string{"@all"}
		}
		return map[string]any{"msgtype": "text", "text": content}
	}
}

// robotAnswer is what the robots say, in the words of one or the other; 0 is success.
type robotAnswer struct {
	ErrCode int    `json:"errcode"`
	ErrMsg  string `json:"errmsg"`
	Code    int    `json:"code"`
	Msg     string `json:"msg"`
}

// refusal is nil when the message was taken. Robots answer 200 to what they refuse.
func (a robotAnswer) refusal() error {
	code := cmp.Or(a.ErrCode, a.Code)
	if code == 0 {
		return nil
	}
	return sdk.Fail("auditnotifier.refused", fmt.Sprintf("机器人没有接受消息（%d %s），请检查 Webhook 地址", code, cmp.Or(a.ErrMsg, a.Msg))).OfKind(sdk.KindUnavailable)
}

var tag = regexp.MustCompile(`<[^>]*>`)

// plain makes text of WeChat's HTML fragment.
func plain(fragment string) string {
	text := strings.NewReplacer("<br>", "\n", "<br/>", "\n", "<br />", "\n").Replace(fragment)
	return strings.TrimSpace(html.UnescapeString(tag.ReplaceAllString(text, "")))
}
