package portal

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// flashCookie carries one sentence to the next page. It holds nothing secret and is shown as text only.
const flashCookie = "minifleet_flash"

// maxFlash bounds a sentence, in bytes.
const maxFlash = 600

func (p *Portal) putFlash(w http.ResponseWriter, words string) {
	if words == "" {
		return
	}
	if len(words) > maxFlash {
		words = strings.ToValidUTF8(words[:maxFlash-3], "") + "…"
	}
	http.SetCookie(w, &http.Cookie{
		Name: flashCookie, Value: base64.RawURLEncoding.EncodeToString([]byte(words)), Path: "/", MaxAge: 60,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure(),
	})
}

// takeFlash reads the sentence and forgets it.
func (p *Portal) takeFlash(w http.ResponseWriter, r *http.Request) string {
	cookie, err := r.Cookie(flashCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(w, &http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: p.secure()})
	words, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(words) > maxFlash+8 {
		return ""
	}
	return string(words)
}
