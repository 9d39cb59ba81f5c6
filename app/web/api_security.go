package web

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// duringSetup is the input of a call that an operator may make before their second factor is on, where the platform asks
// for one: those by which it is turned on, and leaving.
type duringSetup interface{ duringSetup() }

type captchaIn struct {
	g.Meta `path:"/captchas" method:"post" tags:"账号" summary:"图形验证码：captcha_required 时取一个，看图或听音频后把 token 和数字带上重试"`
}

func (*captchaIn) anonymous() {}

type captchaOut struct {
	Token     string `json:"token"`
	Picture   string `json:"picture"` // a data: address
	Sound     string `json:"sound"`   // address of a WAV that speaks the digits
	ExpiresAt int64  `json:"expires_at"`
}

func (s *Server) newCaptcha(context.Context, *captchaIn) (*captchaOut, error) {
	c, err := s.o.Accounts.NewCaptcha()
	if err != nil {
		return nil, err
	}
	return &captchaOut{c.Token, "data:image/png;base64," + base64.StdEncoding.EncodeToString(c.PNG), "/captcha/sound?token=" + c.Token, c.ExpiresAt.UnixMilli()}, nil
}

type sendCodeIn struct {
	g.Meta       `path:"/codes" method:"post" tags:"账号" summary:"给邮箱或手机号发验证码；无论是否已注册，回答都一样"`
	Login        string          `json:"login"`
	Purpose      account.Purpose `json:"purpose" dc:"register 或 reset"`
	CaptchaToken string          `json:"captcha_token"`
	Captcha      string          `json:"captcha"`
}

func (*sendCodeIn) anonymous() {}

type codeOut struct {
	ResendAt int64  `json:"resend_at"`
	Demo     string `json:"demo_letter,omitempty" dc:"仅演示环境：本应发出的内容"`
	DemoCode string `json:"demo_code,omitempty" dc:"仅演示环境：验证码"`
}

func (*codeOut) HTTPStatus() int { return http.StatusAccepted }

func (s *Server) codeSent(sent account.CodeSent) *codeOut {
	out := &codeOut{ResendAt: sent.ResendAt.UnixMilli()}
	if l, ok := s.o.Accounts.Shown(sent.Login); ok {
		out.Demo, out.DemoCode = l.Text, l.Code
	}
	return out
}

func (s *Server) sendCode(ctx context.Context, in *sendCodeIn) (*codeOut, error) {
	sent, err := s.o.Accounts.SendCode(ctx, account.CodeRequest{
		Login: in.Login, Purpose: in.Purpose, IP: clientIP(requestOf(ctx)), Captcha: account.CaptchaAnswer{Token: in.CaptchaToken, Digits: in.Captcha},
	})
	if err != nil {
		return nil, err
	}
	return s.codeSent(sent), nil
}

type resetPasswordIn struct {
	g.Meta     `path:"/password-resets" method:"post" tags:"账号" summary:"用验证码重设密码；所有设备随即退出登录，API 令牌一并停用"`
	Login      string `json:"login"`
	Code       string `json:"code"`
	Password   string `json:"password"`
	KeepTokens bool   `json:"keep_tokens" dc:"true：不停用 API 令牌"`
}

func (*resetPasswordIn) anonymous() {}

func (s *Server) resetPassword(ctx context.Context, in *resetPasswordIn) (*emptyOut, error) {
	return &emptyOut{}, s.o.Accounts.ResetPassword(ctx, account.Reset{Login: in.Login, Code: in.Code, Password: in.Password, KeepTokens: in.KeepTokens})
}

type finishSessionIn struct {
	g.Meta       `path:"/sessions/second-factor" method:"post" tags:"账号" summary:"登录第二步：手机验证器的 6 位数字，或一个恢复码"`
	SecondFactor string `json:"second_factor"`
	Code         string `json:"code"`
	Device       string `json:"device"`
}

func (*finishSessionIn) anonymous() {}

func (s *Server) finishSession(ctx context.Context, in *finishSessionIn) (*sessionOut, error) {
	r := requestOf(ctx)
	sess, err := s.o.Accounts.FinishLogin(ctx, account.SecondStep{SecondFactor: in.SecondFactor, Code: in.Code, IP: clientIP(r), UserAgent: r.UserAgent(), Device: in.Device})
	if err != nil {
		return nil, err
	}
	return viewSession(sess), nil
}

type listDevicesIn struct {
	g.Meta `path:"/me/sessions" method:"get" tags:"账号安全" summary:"我登录着的设备"`
}

type devicesOut struct {
	Items []account.Device `json:"items"`
	Next  *string          `json:"next"`
	Total int              `json:"total"`
}

func (s *Server) listDevices(ctx context.Context, _ *listDevicesIn) (*devicesOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	list, err := s.o.Accounts.Devices(ctx, who)
	return &devicesOut{Items: list, Total: len(list)}, err
}

type signOutIn struct {
	g.Meta `path:"/me/sessions/{id}" method:"delete" tags:"账号安全" summary:"退出一台设备"`
	ID     string `json:"id" in:"path"`
}

func (s *Server) signOut(ctx context.Context, in *signOutIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(in.ID, 10, 64)
	if err != nil {
		return nil, fault.New(fault.NotFound, "session_not_found", "这个登录已经退出了")
	}
	return &emptyOut{}, s.o.Accounts.SignOut(ctx, who, id)
}

type signOutOthersIn struct {
	g.Meta `path:"/me/sessions" method:"delete" tags:"账号安全" summary:"退出其他所有设备"`
}

type signedOut struct {
	Ended int64 `json:"ended"`
}

func (s *Server) signOutOthers(ctx context.Context, _ *signOutOthersIn) (*signedOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.o.Accounts.SignOutOthers(ctx, who)
	return &signedOut{n}, err
}

type confirmIn struct {
	g.Meta   `path:"/me/confirmation" method:"post" tags:"账号安全" summary:"再次输入密码，十分钟内可做重要操作；换用回答里的新 token"`
	Password string `json:"password"`
}

func (*confirmIn) unrepeatable() {}
func (*confirmIn) duringSetup()  {}

func (s *Server) confirm(ctx context.Context, in *confirmIn) (*sessionOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	sess, err := s.o.Accounts.Confirm(ctx, who, in.Password)
	if err != nil {
		return nil, err
	}
	return viewSession(sess), nil
}

type changePasswordIn struct {
	g.Meta      `path:"/me/password" method:"put" tags:"账号安全" summary:"修改密码；其他设备退出登录，换用回答里的新 token"`
	Password    string `json:"password" dc:"现在的密码"`
	NewPassword string `json:"new_password"`
	EndTokens   bool   `json:"end_tokens" dc:"true：同时停用我在所有空间的 API 令牌；它们不随密码失效"`
}

func (*changePasswordIn) unrepeatable() {}

func (s *Server) changePassword(ctx context.Context, in *changePasswordIn) (*sessionOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	sess, err := s.o.Accounts.ChangePassword(ctx, who, account.PasswordChange{Current: in.Password, Next: in.NewPassword, EndTokens: in.EndTokens})
	if err != nil {
		return nil, err
	}
	return viewSession(sess), nil
}

type sendLoginCodeIn struct {
	g.Meta       `path:"/me/login/codes" method:"post" tags:"账号安全" summary:"给新的登录账号发验证码；需十分钟内输入过密码"`
	Login        string `json:"login"`
	CaptchaToken string `json:"captcha_token"`
	Captcha      string `json:"captcha"`
}

func (*sendLoginCodeIn) unrepeatable() {}

func (s *Server) sendLoginCode(ctx context.Context, in *sendLoginCodeIn) (*codeOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	sent, err := s.o.Accounts.SendLoginCode(ctx, who, in.Login, clientIP(requestOf(ctx)), account.CaptchaAnswer{Token: in.CaptchaToken, Digits: in.Captcha})
	if err != nil {
		return nil, err
	}
	return s.codeSent(sent), nil
}

type changeLoginIn struct {
	g.Meta `path:"/me/login" method:"put" tags:"账号安全" summary:"更换登录账号；换用回答里的新 token"`
	Login  string `json:"login"`
	Code   string `json:"code"`
}

func (*changeLoginIn) unrepeatable() {}

func (s *Server) changeLogin(ctx context.Context, in *changeLoginIn) (*sessionOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	sess, err := s.o.Accounts.ChangeLogin(ctx, who, in.Login, in.Code)
	if err != nil {
		return nil, err
	}
	return viewSession(sess), nil
}

type getFactorIn struct {
	g.Meta `path:"/me/second-factor" method:"get" tags:"账号安全" summary:"两步验证的状态"`
}

func (*getFactorIn) duringSetup() {}

func (s *Server) getFactor(ctx context.Context, _ *getFactorIn) (*account.SecondFactor, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	state, err := s.o.Accounts.SecondFactor(ctx, who)
	return &state, err
}

type beginFactorIn struct {
	g.Meta `path:"/me/second-factor" method:"post" tags:"账号安全" summary:"开始设置两步验证：得到密钥和 otpauth 地址；需十分钟内输入过密码"`
}

func (*beginFactorIn) unrepeatable() {}
func (*beginFactorIn) duringSetup()  {}

func (s *Server) beginFactor(ctx context.Context, _ *beginFactorIn) (*account.FactorSetup, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	setup, err := s.o.Accounts.BeginSecondFactor(ctx, who)
	if err != nil {
		return nil, err
	}
	return &setup, nil
}

type enableFactorIn struct {
	g.Meta `path:"/me/second-factor" method:"put" tags:"账号安全" summary:"用第一个验证码开启两步验证，得到十个恢复码；换用回答里的新 token"`
	Code   string `json:"code"`
}

func (*enableFactorIn) unrepeatable() {}
func (*enableFactorIn) duringSetup()  {}

type factorOut struct {
	*sessionOut
	RecoveryCodes []string `json:"recovery_codes"`
}

func (*factorOut) HTTPStatus() int { return http.StatusOK }

func (s *Server) enableFactor(ctx context.Context, in *enableFactorIn) (*factorOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	sess, codes, err := s.o.Accounts.EnableSecondFactor(ctx, who, in.Code)
	if err != nil {
		return nil, err
	}
	return &factorOut{viewSession(sess), codes}, nil
}

type disableFactorIn struct {
	g.Meta   `path:"/me/second-factor" method:"delete" tags:"账号安全" summary:"关闭两步验证：需要密码和验证码"`
	Password string `json:"password"`
	Code     string `json:"code"`
}

func (*disableFactorIn) unrepeatable() {}

func (s *Server) disableFactor(ctx context.Context, in *disableFactorIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Accounts.DisableSecondFactor(ctx, who, in.Password, in.Code)
}

type newRecoveryIn struct {
	g.Meta `path:"/me/recovery-codes" method:"post" tags:"账号安全" summary:"换一批恢复码，旧的作废；需十分钟内输入过密码"`
}

func (*newRecoveryIn) unrepeatable() {}

type recoveryOut struct {
	RecoveryCodes []string `json:"recovery_codes"`
}

func (*recoveryOut) HTTPStatus() int { return http.StatusCreated }

func (s *Server) newRecovery(ctx context.Context, _ *newRecoveryIn) (*recoveryOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	codes, err := s.o.Accounts.NewRecoveryCodes(ctx, who)
	return &recoveryOut{codes}, err
}
