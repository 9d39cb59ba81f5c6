package inbox

import (
	"crypto/rand"
	"fmt"
	"strings"

	"minifleet/app/component"
	"minifleet/app/wechat"
)

// success is what WeChat wants to read for a push that was taken.
const success = "success"

// respond gives the answer to a push that is durable already. All are answered `success` but those of the automated checks
// before a full-network release (01 C.5): they want an encrypted text, or nothing, at once.
func (h *Handler) respond(in received) (string, error) {
	if in.at.kind != wechat.MessageURL {
		return success, nil
	}
	text, answered := component.ReleaseReply(in.at.appid, in.push)
	switch {
	case !answered:
		return success, nil
	case text == "":
		return "", nil
	}
	crypter, _, err := in.keys.match(in.at.component, in.signed, in.encrypt)
	if err != nil {
		return "", err
	}
	now := h.opts.Wall().Unix()
	reply, err := crypter.Reply(rand.Reader, passiveText(in.push, text, now), now, in.signed.Nonce)
	if err != nil {
		return "", fmt.Errorf("inbox: reply: %w", err)
	}
	return string(reply), nil
}

// passiveText is a text message from the account back to who wrote to it (01 C.4).
func passiveText(to wechat.Push, text string, now int64) []byte {
	return fmt.Appendf(nil, "<xml><ToUserName>%s</ToUserName><FromUserName>%s</FromUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>%s</Content></xml>",
		cdata(to.FromUserName), cdata(to.ToUserName), now, cdata(text))
}

// cdata splits what would end its section.
func cdata(s string) string {
	return "<![CDATA[" + strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>") + "]]>"
}

// releaseType files a push of a test account under a name of its own, so that no room takes the account for a customer's.
func releaseType(p wechat.Push) string {
	return component.ReleasePrefix + strings.TrimPrefix(p.Type(), "message.")
}
