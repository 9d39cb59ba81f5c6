package portal_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"minifleet/app/account"
)

func TestPagesAboutPeopleFitPhoneAndDesk(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser: part of `make test`, not of `make check`")
	}
	h := verified(t)
	b, _ := h.settled("user@example.test", account.Personal)
	phone := h.browser()
	phone.header.Set("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0")
	phone.post("/login", "login", "user@example.test", "password", password)
	for range 4 {
		h.browser().post("/login", "login", "guessed@example.test", "password", "wrong password")
	}
	for _, size := range []struct {
		name       string
		wide, high int
	}{{"1366", 1366, 800}, {"360", 360, 740}} {
		t.Run(size.name, func(t *testing.T) {
			c := h.chrome(size.wide, size.high)
			c.look("/reset", "reset-"+size.name)
			c.look("/login", "people-login-"+size.name)
			c.do(chromedp.SendKeys("#login-form [name=login]", "guessed@example.test"), chromedp.SendKeys("#login-form [name=password]", "wrong password"),
				chromedp.Click("#login-form [data-test=submit]"), chromedp.WaitVisible("[data-test=captcha]"))
			c.shot("login-captcha-" + size.name)
			src := ask(c, chromedp.Evaluate[string](`document.querySelector("[data-test=captcha]").src`))
			c.do(chromedp.Click("[data-test=captcha-again]"))
			again := src
			for range 300 { // a busy machine draws a picture slowly
				if again = ask(c, chromedp.Evaluate[string](`document.querySelector("[data-test=captcha]").src`)); again != src {
					break
				}
				c.do(chromedp.Sleep(100 * time.Millisecond))
			}
			if again == src {
				t.Error("换一张 shows the same picture")
			}
			c.forgive()
			c.look("/register?kind=merchant", "people-register-"+size.name)
			c.do(chromedp.SendKeys("#register-form [name=login]", "new"+size.name+"@example.test"), chromedp.SendKeys("#register-form [name=password]", password),
				chromedp.Click("[data-test=send-code]"), chromedp.WaitVisible("[data-test=demo-code]"))
			if kept := ask(c, chromedp.Evaluate[string](`document.querySelector("#register-form [name=password]").value`)); kept != password {
				t.Errorf("asking for a code loses what was typed: %q", kept)
			}
			c.do(chromedp.WaitVisible("[data-test=send-code]:disabled")) // it rests, once the page's script has seen it
			c.shot("register-code-" + size.name)
			c.login(b)
			c.look("/my/security", "security-"+size.name)
			c.look("/my/security/password", "security-password-"+size.name)
			c.look("/my/security/login", "security-login-"+size.name)
			c.look("/my/security/totp", "security-totp-"+size.name)
			c.look("/my/security/confirm", "security-confirm-"+size.name)
		})
	}
}

func TestTwoStepsInTheBrowser(t *testing.T) {
	h := verified(t)
	b, _ := h.settled("user@example.test", account.Personal)
	page := b.get("/my/security/totp")
	codes := h.protected(b, page)
	c := h.chrome(360, 740)
	c.do(chromedp.Navigate(h.server.URL+"/login?return=/my/security"), chromedp.SendKeys("#login-form [name=login]", "user@example.test"),
		chromedp.SendKeys("#login-form [name=password]", password), chromedp.Click("#login-form [data-test=submit]"), chromedp.WaitVisible("#factor-form"))
	c.shot("second-factor-360")
	c.do(chromedp.SendKeys("#factor-form [name=code]", codes[0]), chromedp.Click("#factor-form [data-test=submit]"), chromedp.WaitVisible("[data-test=factor-on]"))
	c.shot("security-on-360")
	c.do(chromedp.Click("[data-test=recovery]"), chromedp.WaitVisible("[data-test=confirm-yes]"), chromedp.Click("[data-test=confirm-yes]"), chromedp.WaitVisible("[data-test=recovery-codes]"))
	c.shot("recovery-360")
	c.calm("two steps")
}

// forgive forgets what the browser complained of: it logs every answer of 4xx, which a refused login is.
func (c *chrome) forgive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bad = nil
}
