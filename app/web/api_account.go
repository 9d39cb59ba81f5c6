package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/gogf/gf/v2/frame/g"
	"github.com/gogf/gf/v2/net/ghttp"

	"minifleet/app/account"
)

type actorView struct {
	AccountID int64        `json:"account_id,string"`
	SpaceID   int64        `json:"space_id,string"`
	Name      string       `json:"name"`
	Login     string       `json:"login"`
	Space     string       `json:"space"`
	SpaceKind account.Kind `json:"space_kind"`
	Role      string       `json:"role"`
}

func viewActor(a account.Actor) actorView {
	return actorView{a.AccountID, a.SpaceID, a.Name, a.Login, a.Space, a.SpaceKind, a.Role}
}

type openSessionIn struct {
	g.Meta       `path:"/sessions" method:"post" tags:"账号" summary:"登录，得到 token；开启了两步验证时回答 202 和 second_factor，再调用 /sessions/second-factor"`
	Login        string `json:"login"`
	Password     string `json:"password"`
	CaptchaToken string `json:"captcha_token" dc:"回答 captcha_required 后才需要"`
	Captcha      string `json:"captcha"`
	Device       string `json:"device" dc:"上次登录回答里的 device：在这台设备上不受他人输错密码的影响"`
}

func (*openSessionIn) anonymous() {}

type sessionOut struct {
	Token        string     `json:"token,omitempty"`
	ExpiresAt    int64      `json:"expires_at"`
	Actor        *actorView `json:"actor,omitempty"`
	Device       string     `json:"device,omitempty"`
	SecondFactor string     `json:"second_factor,omitempty"`
}

func (s *sessionOut) HTTPStatus() int {
	if s.SecondFactor != "" {
		return http.StatusAccepted
	}
	return http.StatusCreated
}

func viewSession(sess account.Session) *sessionOut {
	out := &sessionOut{Token: sess.Token, ExpiresAt: sess.ExpiresAt.UnixMilli(), Device: sess.Device, SecondFactor: sess.SecondFactor}
	if sess.Token != "" {
		v := viewActor(sess.Actor)
		out.Actor = &v
	}
	return out
}

func (s *Server) openSession(ctx context.Context, in *openSessionIn) (*sessionOut, error) {
	r := requestOf(ctx)
	sess, err := s.o.Accounts.Login(ctx, account.Credentials{
		Login: in.Login, Password: in.Password, IP: clientIP(r), UserAgent: r.UserAgent(), Device: in.Device,
		Captcha: account.CaptchaAnswer{Token: in.CaptchaToken, Digits: in.Captcha},
	})
	if err != nil {
		return nil, err
	}
	return viewSession(sess), nil
}

type closeSessionIn struct {
	g.Meta `path:"/sessions" method:"delete" tags:"账号" summary:"退出登录"`
}

func (*closeSessionIn) duringSetup() {}

type emptyOut struct{}

func (s *Server) closeSession(ctx context.Context, _ *closeSessionIn) (*emptyOut, error) {
	if _, err := must(ctx); err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Accounts.Logout(ctx, sessionToken(requestOf(ctx)))
}

type registerIn struct {
	g.Meta    `path:"/accounts" method:"post" tags:"账号" summary:"注册普通用户或商户"`
	Login     string       `json:"login"`
	Password  string       `json:"password"`
	Name      string       `json:"name"`
	Kind      account.Kind `json:"kind"`
	SpaceName string       `json:"space_name"`
	Agreed    bool         `json:"agreed"`
	Code      string       `json:"code" dc:"POST /codes 发到 login 的验证码；平台没有配置邮件和短信、或关闭了 account.verifyLogins 时不需要"`
}

func (*registerIn) anonymous() {}

func (s *Server) register(ctx context.Context, in *registerIn) (*sessionOut, error) {
	r := requestOf(ctx)
	who, err := s.o.Accounts.Register(ctx, account.Registration{
		Login: in.Login, Password: in.Password, Name: in.Name, Kind: in.Kind, SpaceName: in.SpaceName, Agreed: in.Agreed, Code: in.Code, IP: clientIP(r),
	})
	if err != nil {
		return nil, err
	}
	sess, err := s.o.Accounts.SessionFor(ctx, who, clientIP(r), r.UserAgent())
	if err != nil {
		return nil, err
	}
	return viewSession(sess), nil
}

type meIn struct {
	g.Meta `path:"/me" method:"get" tags:"账号" summary:"我是谁，在哪些空间" needs:"*"`
}

type meOut struct {
	actorView
	Spaces []account.Membership `json:"spaces"`
}

func (s *Server) me(ctx context.Context, _ *meIn) (*meOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	spaces, err := s.o.Accounts.Memberships(ctx, who.AccountID)
	return &meOut{viewActor(who), spaces}, err
}

type switchSpaceIn struct {
	g.Meta  `path:"/me/space" method:"put" tags:"账号" summary:"切换当前空间"`
	SpaceID string `json:"space_id"`
}

func (s *Server) switchSpace(ctx context.Context, in *switchSpaceIn) (*actorView, error) {
	if _, err := must(ctx); err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(in.SpaceID, 10, 64)
	if err != nil || id <= 0 {
		id = -1 // nobody's: NotFound, like a space of others
	}
	to, err := s.o.Accounts.Switch(ctx, sessionToken(requestOf(ctx)), id)
	if err != nil {
		return nil, err
	}
	v := viewActor(to)
	return &v, nil
}

func requestOf(ctx context.Context) *http.Request { return ghttp.RequestFromCtx(ctx).Request }

func sessionToken(r *http.Request) string {
	if t := bearer(r); t != "" {
		return t
	}
	if c, err := r.Cookie(account.Cookie); err == nil {
		return c.Value
	}
	return ""
}

// clientIP is the peer's address, or what our own proxy says of it; see trustedPeer.
func clientIP(r *http.Request) string {
	host := r.RemoteAddr
	for i := len(host) - 1; i > 0; i-- {
		if host[i] == ':' {
			return host[:i]
		}
	}
	return host
}
