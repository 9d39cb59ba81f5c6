package portal

import (
	"encoding/base64"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/skip2/go-qrcode"

	"minifleet/app/account"
	"minifleet/app/fault"
)

func (p *Portal) securityRoutes(member func(pattern string, handle handler)) {
	member("GET /my/security", p.security)
	member("POST /my/security/signout", p.signOut)
	member("GET /my/security/confirm", p.confirmPage)
	member("POST /my/security/confirm", p.confirm)
	member("GET /my/security/password", p.passwordPage)
	member("POST /my/security/password", p.changePassword)
	member("GET /my/security/login", p.changeLoginPage)
	member("POST /my/security/login", p.changeLogin)
	member("POST /my/security/login/code", p.sendLoginCode)
	member("GET /my/security/totp", p.totpPage)
	member("POST /my/security/totp", p.enableTOTP)
	member("GET /my/security/totp/off", p.disablePage)
	member("POST /my/security/totp/off", p.disableTOTP)
	member("POST /my/security/recovery", p.recovery)
}

// securityView is what the page about one's account reads.
type securityView struct {
	Actor   account.Actor
	Factor  account.SecondFactor
	Devices []account.Device
	Others  int
}

func (p *Portal) security(w http.ResponseWriter, r *http.Request, v *visit) error {
	var err error
	view := securityView{Actor: v.actor}
	if view.Factor, err = p.o.Accounts.SecondFactor(r.Context(), v.actor); err != nil {
		return err
	}
	if view.Devices, err = p.o.Accounts.Devices(r.Context(), v.actor); err != nil {
		return err
	}
	view.Others = len(view.Devices) - 1
	return p.show(w, r, v, "security", view, page{Title: "账号与安全", Width: "mid"})
}

// securityForm is what the forms below the page read.
type securityForm struct {
	Actor   account.Actor
	Login   string
	Return  string
	Code    codeView
	Problem *fault.Error
	Error   map[string]string

	Tokens    int64 // that work today
	EndTokens bool

	Setup account.FactorSetup
	QR    template.URL
}

var securityCrumbs = []link{{Title: "账号与安全", Href: "/my/security"}}

func (p *Portal) showForm(w http.ResponseWriter, r *http.Request, v *visit, block, title string, view securityForm, status int) error {
	view.Actor = v.actor
	w.Header().Set("Cache-Control", "no-store")
	return p.show(w, r, v, block, view, page{Title: title, Status: status, Width: "narrow", Crumbs: securityCrumbs})
}

// again shows a form with what was wrong, asks for the password first where that is missing, and gives back what is no
// refusal.
func (p *Portal) again(w http.ResponseWriter, r *http.Request, v *visit, block, title string, view securityForm, err error) error {
	if errors.Is(err, account.ErrNotFresh) {
		return p.confirmFirst(w, r, r.URL.Path)
	}
	if fault.KindOf(err) == fault.Internal {
		return err
	}
	view.Problem, view.Error = refused(err)
	if view.Code.Error == "" {
		view.Code.Error = view.Error["code"]
	}
	return p.showForm(w, r, v, block, title, view, view.Problem.Kind.Status())
}

// confirmFirst asks for the password and comes back.
func (p *Portal) confirmFirst(w http.ResponseWriter, r *http.Request, back string) error {
	redirect(w, r, "/my/security/confirm?return="+url.QueryEscape(back))
	return nil
}

func (p *Portal) confirmPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.showForm(w, r, v, "security-confirm", "请再次输入密码", securityForm{Return: localPath(r.URL.Query().Get("return"))}, http.StatusOK)
}

func (p *Portal) confirm(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	back := localPath(r.PostForm.Get("return"))
	session, err := p.o.Accounts.Confirm(r.Context(), v.actor, r.PostForm.Get("password"))
	if err != nil {
		return p.again(w, r, v, "security-confirm", "请再次输入密码", securityForm{Return: back}, err)
	}
	p.keep(w, session)
	if back == "" {
		back = "/my/security"
	}
	redirect(w, r, back)
	return nil
}

func (p *Portal) passwordPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.showPassword(w, r, v, false, nil)
}

// showPassword shows the form, with what was refused.
func (p *Portal) showPassword(w http.ResponseWriter, r *http.Request, v *visit, endTokens bool, refusedBy error) error {
	n, err := p.o.Accounts.LiveTokens(r.Context(), v.actor)
	if err != nil {
		return err
	}
	view := securityForm{Tokens: n, EndTokens: endTokens}
	if refusedBy != nil {
		return p.again(w, r, v, "security-password", "修改密码", view, refusedBy)
	}
	return p.showForm(w, r, v, "security-password", "修改密码", view, http.StatusOK)
}

func (p *Portal) changePassword(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	change := account.PasswordChange{Current: r.PostForm.Get("password"), Next: r.PostForm.Get("new_password"), EndTokens: r.PostForm.Get("end_tokens") == "1"}
	session, err := p.o.Accounts.ChangePassword(r.Context(), v.actor, change)
	if err != nil {
		return p.showPassword(w, r, v, change.EndTokens, err)
	}
	p.keep(w, session)
	done := "密码已修改，其他设备已退出登录"
	if change.EndTokens {
		done = "密码已修改，其他设备已退出登录，API 令牌已停用"
	}
	p.putFlash(w, done)
	redirect(w, r, "/my/security")
	return nil
}

const loginTitle = "更换登录账号"

func (p *Portal) loginForm() securityForm {
	return securityForm{Code: codeView{Action: "/my/security/login/code", Needed: p.o.Accounts.CodesNeeded()}}
}

func (p *Portal) changeLoginPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := p.o.Accounts.Fresh(r.Context(), v.actor); err != nil {
		return p.again(w, r, v, "security-login", loginTitle, p.loginForm(), err)
	}
	return p.showForm(w, r, v, "security-login", loginTitle, p.loginForm(), http.StatusOK)
}

func (p *Portal) sendLoginCode(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	view := p.loginForm()
	view.Login = r.PostForm.Get("login")
	s, err := p.o.Accounts.SendLoginCode(r.Context(), v.actor, view.Login, remoteIP(r), captchaOf(r))
	if errors.Is(err, account.ErrNotFresh) {
		return p.confirmFirst(w, r, "/my/security/login")
	}
	status, err := p.sent(r, &view.Code, s, err)
	if err != nil {
		return err
	}
	if r.Header.Get("Hx-Request") != "" {
		return p.part(w, "code-field", view.Code, status)
	}
	return p.showForm(w, r, v, "security-login", loginTitle, view, status)
}

func (p *Portal) changeLogin(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	view := p.loginForm()
	view.Login, view.Code.Value = r.PostForm.Get("login"), r.PostForm.Get("code")
	session, err := p.o.Accounts.ChangeLogin(r.Context(), v.actor, view.Login, view.Code.Value)
	if err != nil {
		return p.again(w, r, v, "security-login", loginTitle, view, err)
	}
	p.keep(w, session)
	p.putFlash(w, "登录账号已更换，以后请用新账号登录")
	redirect(w, r, "/my/security")
	return nil
}

// signOut ends one session, or all but this one.
func (p *Portal) signOut(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	words := "该设备已退出登录"
	if r.PostForm.Get("others") != "" {
		n, err := p.o.Accounts.SignOutOthers(r.Context(), v.actor)
		if err != nil {
			return err
		}
		words = "已退出其他 " + strconv.FormatInt(n, 10) + " 台设备"
	} else {
		id, err := strconv.ParseInt(r.PostForm.Get("id"), 10, 64)
		if err != nil {
			return fault.New(fault.Invalid, "bad_session", "请选择要退出的设备")
		}
		if err := p.o.Accounts.SignOut(r.Context(), v.actor, id); err != nil {
			return err
		}
	}
	p.putFlash(w, words)
	redirect(w, r, "/my/security")
	return nil
}

const totpTitle = "开启两步验证"

func (p *Portal) totpPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	view, err := p.totpForm(r, v)
	if err != nil {
		return p.again(w, r, v, "security-totp", totpTitle, view, err)
	}
	return p.showForm(w, r, v, "security-totp", totpTitle, view, http.StatusOK)
}

func (p *Portal) totpForm(r *http.Request, v *visit) (view securityForm, err error) {
	if view.Setup, err = p.o.Accounts.BeginSecondFactor(r.Context(), v.actor); err != nil {
		return view, err
	}
	png, err := qrcode.Encode(view.Setup.URI, qrcode.Medium, 240)
	if err != nil {
		return view, err
	}
	view.QR = dataURL("image/png;base64", base64.StdEncoding.EncodeToString(png))
	return view, nil
}

func (p *Portal) enableTOTP(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	session, codes, err := p.o.Accounts.EnableSecondFactor(r.Context(), v.actor, r.PostForm.Get("code"))
	if err != nil {
		view, e := p.totpForm(r, v)
		if e != nil {
			err = e
		}
		return p.again(w, r, v, "security-totp", totpTitle, view, err)
	}
	p.keep(w, session)
	return p.showRecovery(w, r, v, "两步验证已开启", codes)
}

func (p *Portal) disablePage(w http.ResponseWriter, r *http.Request, v *visit) error {
	return p.showForm(w, r, v, "security-off", "关闭两步验证", securityForm{}, http.StatusOK)
}

func (p *Portal) disableTOTP(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	if err := p.o.Accounts.DisableSecondFactor(r.Context(), v.actor, r.PostForm.Get("password"), r.PostForm.Get("code")); err != nil {
		return p.again(w, r, v, "security-off", "关闭两步验证", securityForm{}, err)
	}
	p.putFlash(w, "两步验证已关闭")
	redirect(w, r, "/my/security")
	return nil
}

// recoveryView is what the page with fresh recovery codes reads: the one time they are shown.
type recoveryView struct {
	Codes []string
	File  template.URL
}

func (p *Portal) recovery(w http.ResponseWriter, r *http.Request, v *visit) error {
	codes, err := p.o.Accounts.NewRecoveryCodes(r.Context(), v.actor)
	if errors.Is(err, account.ErrNotFresh) {
		return p.confirmFirst(w, r, "/my/security")
	}
	if err != nil {
		return err
	}
	return p.showRecovery(w, r, v, "新的恢复码", codes)
}

func (p *Portal) showRecovery(w http.ResponseWriter, r *http.Request, v *visit, title string, codes []string) error {
	text := "MiniFleet 恢复码\n账号：" + v.actor.Login + "\n每个只能用一次，请妥善保管。\n\n" + strings.Join(codes, "\n") + "\n"
	w.Header().Set("Cache-Control", "no-store")
	view := recoveryView{Codes: codes, File: dataURL("text/plain;charset=utf-8;base64", base64.StdEncoding.EncodeToString([]byte(text)))}
	return p.show(w, r, v, "security-recovery", view, page{Title: title, Width: "narrow", Crumbs: securityCrumbs})
}
