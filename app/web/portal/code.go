package portal

import (
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// captchaView is a picture of digits to type.
type captchaView struct {
	Token, Error string
	Picture      template.URL
}

// codeView is the field for a code that was sent, with the button that sends it.
type codeView struct {
	Action  string // where the button posts the form
	Needed  bool
	Sent    bool
	To      string
	Value   string
	Error   string
	Wait    int64 // milliseconds until another may be asked for
	Letter  *account.Letter
	Captcha *captchaView
}

func (p *Portal) freshCaptcha(why string) (*captchaView, error) {
	c, err := p.o.Accounts.NewCaptcha()
	if err != nil {
		return nil, err
	}
	return &captchaView{Token: c.Token, Error: why, Picture: dataURL("image/png;base64", base64.StdEncoding.EncodeToString(c.PNG))}, nil
}

func captchaOf(r *http.Request) account.CaptchaAnswer {
	return account.CaptchaAnswer{Token: r.PostForm.Get("captcha_token"), Digits: r.PostForm.Get("captcha")}
}

// captcha answers another picture for the one that could not be read.
func (p *Portal) captcha(w http.ResponseWriter, _ *http.Request, _ *visit) error {
	c, err := p.freshCaptcha("")
	if err != nil {
		return err
	}
	return p.part(w, "captcha", c, http.StatusOK)
}

// captchaSound speaks a captcha.
func (p *Portal) captchaSound(w http.ResponseWriter, r *http.Request, _ *visit) error {
	sound, err := p.o.Accounts.CaptchaSound(r.URL.Query().Get("token"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "audio/wav")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(sound)))
	_, _ = w.Write(sound) // the reader may be gone
	return nil
}

// part answers a fragment of a page.
func (p *Portal) part(w http.ResponseWriter, block string, data any, status int) error {
	html, err := p.fragment(block, data)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(html)) // the reader may be gone
	return nil
}

// sent notes in the field how sending went. A refusal becomes the field's own; what is no refusal is given back.
func (p *Portal) sent(r *http.Request, view *codeView, s account.CodeSent, err error) (int, error) {
	view.To, view.Value = account.NormalLogin(r.PostForm.Get("login")), r.PostForm.Get("code")
	if err == nil {
		view.Sent, view.Wait = true, max(0, time.Until(s.ResendAt).Milliseconds())
		if l, ok := p.o.Accounts.Shown(s.Login); ok {
			view.Letter = &l
		}
		return http.StatusOK, nil
	}
	f := fault.From(err)
	if f.Kind == fault.Internal {
		return 0, err
	}
	view.Error = f.Message
	if len(f.Fields) > 0 {
		view.Error = f.Fields[0].Message
	}
	if f.Code == "captcha_required" || f.Code == "captcha_wrong" {
		if view.Captcha, err = p.freshCaptcha(view.Error); err != nil {
			return 0, err
		}
		view.Error = ""
	}
	if f.Kind == fault.TooMany || f.Kind == fault.Unavailable {
		return http.StatusUnprocessableEntity, nil // shown in the field: the page's script swaps no 429 and no 503
	}
	return f.Kind.Status(), nil
}

// sendCode sends a code for the form it was asked from: the script gets the field back, others the whole page.
func (p *Portal) sendCode(purpose account.Purpose) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		if err := parseForm(w, r); err != nil {
			return err
		}
		s, err := p.o.Accounts.SendCode(r.Context(), account.CodeRequest{Login: r.PostForm.Get("login"), Purpose: purpose, IP: remoteIP(r), Captcha: captchaOf(r)})
		field := codeView{Action: "/" + string(purpose) + "/code", Needed: true}
		status, err := p.sent(r, &field, s, err)
		if err != nil {
			return err
		}
		if r.Header.Get("Hx-Request") != "" {
			return p.part(w, "code-field", field, status)
		}
		if purpose == account.ForReset {
			return p.showReset(w, r, v, resetView{Login: r.PostForm.Get("login"), Keep: r.PostForm.Get("end_tokens") != "1", Code: field}, status)
		}
		view := readRegister(r.PostForm)
		view.Code = field
		return p.showRegister(w, r, v, view, status)
	}
}

// resetView is what the page for a forgotten password reads.
type resetView struct {
	Login     string
	LoginHint string
	Possible  bool
	Keep      bool // the API tokens
	Code      codeView
	Problem   *fault.Error
	Error     map[string]string
}

func (p *Portal) resetPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.showReset(w, r, v, resetView{Login: v.actor.Login}, http.StatusOK)
}

func (p *Portal) showReset(w http.ResponseWriter, r *http.Request, v *visit, view resetView, status int) error {
	view.Possible, view.LoginHint = p.o.Accounts.CanReset(), p.o.Accounts.LoginHint()
	view.Code.Action, view.Code.Needed = "/reset/code", true
	if view.Code.Error == "" {
		view.Code.Error = view.Error["code"]
	}
	return p.show(w, r, v, "reset", view, page{Title: "重设密码", Status: status, Width: "narrow"})
}

func (p *Portal) reset(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	view := resetView{Login: r.PostForm.Get("login")}
	view.Code.Value, view.Keep = r.PostForm.Get("code"), r.PostForm.Get("end_tokens") != "1"
	err := p.o.Accounts.ResetPassword(r.Context(), account.Reset{Login: view.Login, Code: view.Code.Value, Password: r.PostForm.Get("password"), KeepTokens: view.Keep})
	if err != nil {
		if fault.KindOf(err) == fault.Internal {
			return err
		}
		view.Problem, view.Error = refused(err)
		return p.showReset(w, r, v, view, view.Problem.Kind.Status())
	}
	p.forget(w)
	p.putFlash(w, "密码已重设，所有设备已退出登录，请用新密码登录")
	redirect(w, r, "/login")
	return nil
}
