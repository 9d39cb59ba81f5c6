package event

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"minifleet/app/wechat"
)

// hidden stands for a value that is not shown at all.
const hidden = "******"

// secretWords mark credentials: a leaf whose lower-case name contains one is hidden whole.
var secretWords = [...]string{"ticket", "token", "secret", "authorizationcode", "preauthcode", "auth_code", "authcode",
	"password", "session_key", "encodingaeskey", "id_card", "idcard"}

// personWords mark names, accounts and words of people: of these only the first character is shown.
var personWords = [...]string{"persona", "idname", "wxuser", "wechat", "openid", "fromusername", "contact", "email", "unionid"}

// Mask makes a payload fit for a screen: credentials are hidden, names and phone numbers shortened. XML comes back
// indented, JSON too; a payload that is neither is hidden whole, because nobody knows what is in it.
func Mask(payload []byte) string {
	trimmed := bytes.TrimSpace(payload)
	switch {
	case len(trimmed) == 0:
		return ""
	case trimmed[0] == '<':
		out, err := wechat.RewriteXML(trimmed, maskLeaf)
		if err != nil {
			return hidden
		}
		return string(out)
	default:
		dec := json.NewDecoder(bytes.NewReader(trimmed))
		dec.UseNumber()
		var v any
		if err := dec.Decode(&v); err != nil {
			return hidden
		}
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(maskJSON("", v)); err != nil {
			return hidden
		}
		return b.String()
	}
}

func maskJSON(path string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, kid := range v {
			p := k
			if path != "" {
				p = path + "." + k
			}
			v[k] = maskJSON(p, kid)
		}
		return v
	case []any:
		for i, kid := range v {
			v[i] = maskJSON(path, kid)
		}
		return v
	case string:
		return maskLeaf(path, v)
	case json.Number:
		if masked := maskLeaf(path, v.String()); masked != v.String() {
			return masked
		}
		return v
	default:
		return v
	}
}

func maskLeaf(path, text string) string {
	if text == "" {
		return ""
	}
	leaf := path[strings.LastIndexByte(path, '.')+1:]
	leaf = strings.ToLower(leaf)
	switch {
	case containsAny(leaf, secretWords[:]):
		return hidden
	case leaf == "content" || leaf == "name" && path != leaf || containsAny(leaf, personWords[:]):
		first, _ := utf8.DecodeRuneInString(text)
		return string(first) + "**"
	default:
		return credentials().ReplaceAllString(phones().ReplaceAllString(text, "$1$2****$3$4"), "$1@@@"+hidden)
	}
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// phones finds mainland mobile numbers anywhere in a text.
var phones = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(^|[^0-9])(1[3-9][0-9])[0-9]{4}([0-9]{4})([^0-9]|$)`)
})

// credentials finds WeChat's own marks of tickets and codes (ticket@@@…, queryauthcode@@@…) anywhere in a text.
var credentials = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`([A-Za-z]+)@@@[A-Za-z0-9_\-]+`)
})
