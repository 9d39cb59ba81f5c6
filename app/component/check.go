package component

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// Check is one line of the self-check (自检).
type Check struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	State   string `json:"state"` // ok, wait, fail
	Message string `json:"message"`
}

// Check tries what the platform app is for, in the order in which one thing needs another; what cannot be tried
// yet is "wait". It reads from WeChat and changes nothing there but one unused pre-auth code.
func (s *Service) Check(ctx context.Context, who account.Actor, appid string) ([]Check, error) {
	c, err := s.Get(ctx, who, appid)
	if err != nil {
		return nil, err
	}
	if err := account.Narrowed(who, "component.check"); err != nil {
		return nil, err
	}
	// Operators look after every platform app; in a merchant's space the role decides.
	if !who.Operator() {
		if err := account.Require(who, "component.check"); err != nil {
			return nil, err
		}
	}
	ticket := Check{Name: "ticket", Title: "票据 component_verify_ticket", State: "ok"}
	age := s.clk.Now().Sub(time.UnixMilli(c.TicketAt))
	switch {
	case c.TicketAt == 0:
		ticket.State, ticket.Message = "wait", "还没有收到票据。请把两个回调地址填到微信开放平台；微信大约每 10 分钟推送一次，也可以点“启动推送”"
	case age > ticketExpired:
		ticket.State, ticket.Message = "fail", "票据已过期（12 小时没有收到推送）。请检查回调地址能否从公网访问，然后点“启动推送”"
	case age > ticketLate:
		ticket.State, ticket.Message = "fail", fmt.Sprintf("票据延迟：%d 分钟没有收到推送。请检查回调地址，或点“启动推送”", int(age.Minutes()))
	default:
		ticket.Message = "收到于 " + time.UnixMilli(c.TicketAt).In(shanghai()).Format(time.DateTime)
	}
	list := []Check{ticket}
	token, err := s.Token(ctx, appid)
	list = append(list, outcome("token", "令牌 component_access_token", "有效", err))
	rest := []struct{ name, title string }{{"preauthcode", "预授权码"}, {"authorizers", "已授权账号"}, {"templates", "模板库"}, {"domains", "服务器域名"}}
	if err != nil {
		for _, r := range rest {
			list = append(list, Check{r.name, r.title, "wait", "拿到令牌后再检查"})
		}
		return list, nil
	}
	for _, r := range rest {
		message, err := s.try(ctx, who, r.name, appid, token)
		list = append(list, outcome(r.name, r.title, message, err))
	}
	return list, nil
}

// try makes one read against WeChat and tells what it found.
func (s *Service) try(ctx context.Context, who account.Actor, name, appid, token string) (message string, err error) {
	started, endpoint := time.Now(), ""
	defer func() {
		s.trail.WeChat(ctx, trail.Call{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Endpoint: endpoint, Component: appid, Started: started, Err: err})
	}()
	direct := wechat.Component{Transport: holding{s.wx, token}, AppID: appid}
	switch name {
	case "preauthcode":
		endpoint = wechat.EndpointPreAuthCode
		_, err = s.wx.CreatePreAuthCode(ctx, appid, token)
		return "可以生成授权链接", err
	case "authorizers":
		endpoint = wechat.EndpointAuthorizerList
		page, err := s.wx.AuthorizerList(ctx, appid, token, 0, 1)
		return fmt.Sprintf("已授权 %d 个账号", page.Total), err
	case "templates":
		endpoint = wechat.EndpointTemplates
		list, err := direct.Templates(ctx)
		return fmt.Sprintf("模板库里有 %d 个模板", len(list)), err
	default:
		endpoint = wechat.EndpointServerDomain
		_, err = direct.ModifyServerDomain(ctx, "get", nil, false)
		return "可以读取域名配置", err
	}
}

// holding is a transport that sends with a token already in hand.
type holding struct {
	client *wechat.Client
	token  string
}

func (h holding) Do(ctx context.Context, req wechat.Request) (wechat.Response, error) {
	e, ok := wechat.LookupEndpoint(req.Endpoint)
	if !ok {
		return wechat.Response{}, fmt.Errorf("component: no endpoint %q", req.Endpoint)
	}
	return h.client.Send(ctx, e, h.token, req)
}

func outcome(name, title, good string, err error) Check {
	if err == nil {
		return Check{name, title, "ok", good}
	}
	var f *fault.Error
	if errors.As(err, &f) {
		state := "fail"
		if f.Code == errNoTicket.Code {
			state = "wait"
		}
		return Check{name, title, state, f.Message}
	}
	code := wechat.Code(err)
	if code == 0 {
		return Check{name, title, "fail", "没有连上微信接口，请检查服务器的出口网络"}
	}
	message := fmt.Sprintf("微信返回错误 %d", code)
	if e, ok := wechat.Explain(code); ok {
		message = e.Reason + "。" + e.Action
	}
	return Check{name, title, "fail", message}
}

// StartPush asks WeChat to push tickets again (启动推送).
func (s *Service) StartPush(ctx context.Context, who account.Actor, appid string) error {
	if _, err := s.Get(ctx, who, appid); err != nil {
		return err
	}
	if err := account.Require(who, "component.push"); err != nil {
		return err
	}
	row, err := s.sealed(ctx, appid)
	if err != nil {
		return err
	}
	secret, err := s.vault.OpenString(purpose("secret", appid), row.Secret)
	if err != nil {
		return err
	}
	started := time.Now()
	err = s.wx.StartPushTicket(ctx, appid, secret)
	s.trail.WeChat(ctx, trail.Call{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Endpoint: wechat.EndpointStartPushTicket, Component: appid, Started: started, Err: err})
	if err != nil {
		return fmt.Errorf("start push of %s: %w", appid, err)
	}
	return nil
}

// PreAuthCode mints a code for one opening of the authorisation page; expires is platform time.
func (s *Service) PreAuthCode(ctx context.Context, appid string) (code string, expires int64, err error) {
	token, err := s.Token(ctx, appid)
	if err != nil {
		return "", 0, err
	}
	started := time.Now()
	p, err := s.wx.CreatePreAuthCode(ctx, appid, token)
	if wechat.TokenRejected(err) {
		if token, err = s.Renew(ctx, appid, token); err == nil {
			p, err = s.wx.CreatePreAuthCode(ctx, appid, token)
		}
	}
	s.trail.WeChat(ctx, trail.Call{Endpoint: wechat.EndpointPreAuthCode, Component: appid, Started: started, Err: err})
	if err != nil {
		return "", 0, fmt.Errorf("pre-auth code of %s: %w", appid, err)
	}
	return p.Code, clock.Millis(s.clk.Now().Add(p.ExpiresIn)), nil
}

// shanghai is the time zone of every screen; fixed, since a container may carry no zone files.
func shanghai() *time.Location { return time.FixedZone("CST", 8*3600) }
