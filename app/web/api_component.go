package web

import (
	"context"
	"net/http"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/component"
	"minifleet/app/miniprogram"
)

// list is the one shape of a list. Next is the cursor of the next page, null at the end; Total is null when there are
// more than 10,000 or nobody counted.
type list[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"`
	Total *int64  `json:"total"`
}

func listOf[T any](items []T, next string, total int64) *list[T] {
	l := &list[T]{Items: items}
	if l.Items == nil {
		l.Items = []T{}
	}
	if next != "" && next != "0" {
		l.Next = &next
	}
	if total >= 0 {
		l.Total = &total
	}
	return l
}

type listComponentsIn struct {
	g.Meta `path:"/components" method:"get" tags:"第三方平台" summary:"我的第三方平台" needs:"component.read"`
}

func (s *Server) listComponents(ctx context.Context, _ *listComponentsIn) (*list[component.Component], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Components.List(ctx, who)
	return listOf(rows, "", int64(len(rows))), err
}

type componentView struct {
	component.Component
	Addresses component.Addresses `json:"addresses"`
}

type createdComponent struct{ componentView }

func (createdComponent) HTTPStatus() int { return http.StatusCreated }

type bindComponentIn struct {
	g.Meta `path:"/components" method:"post" tags:"第三方平台" summary:"绑定第三方平台" needs:"component.bind"`
	AppID  string `json:"appid"`
	Secret string `json:"secret"`
	Token  string `json:"token"`
	AESKey string `json:"aes_key"`
	Name   string `json:"name"`
}

func (s *Server) bindComponent(ctx context.Context, in *bindComponentIn) (*createdComponent, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.o.Components.Bind(ctx, who, component.Binding{AppID: in.AppID, Secret: in.Secret, Token: in.Token, AESKey: in.AESKey, Name: in.Name})
	if err != nil {
		return nil, err
	}
	return &createdComponent{componentView{c, s.o.Components.Addresses(c.AppID)}}, nil
}

type getComponentIn struct {
	g.Meta `path:"/components/{appid}" method:"get" tags:"第三方平台" summary:"一个第三方平台和它的健康" needs:"component.read"`
	AppID  string `json:"appid" in:"path"`
}

func (s *Server) getComponent(ctx context.Context, in *getComponentIn) (*componentView, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.o.Components.Get(ctx, who, in.AppID)
	if err != nil {
		return nil, err
	}
	return &componentView{c, s.o.Components.Addresses(c.AppID)}, nil
}

type checkComponentIn struct {
	g.Meta `path:"/components/{appid}/check" method:"post" tags:"第三方平台" summary:"自检" needs:"component.check"`
	AppID  string `json:"appid" in:"path"`
}

func (s *Server) checkComponent(ctx context.Context, in *checkComponentIn) (*list[component.Check], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	checks, err := s.o.Components.Check(ctx, who, in.AppID)
	return listOf(checks, "", int64(len(checks))), err
}

type startPushIn struct {
	g.Meta `path:"/components/{appid}/start-push" method:"post" tags:"第三方平台" summary:"请微信重新开始推送票据" needs:"component.push"`
	AppID  string `json:"appid" in:"path"`
}

func (s *Server) startPush(ctx context.Context, in *startPushIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Components.StartPush(ctx, who, in.AppID)
}

type rotateKeysIn struct {
	g.Meta `path:"/components/{appid}/keys" method:"post" tags:"第三方平台" summary:"开始轮换消息密钥：新旧两套同时有效，直到结束轮换" needs:"component.bind"`
	AppID  string `json:"appid" in:"path"`
	Token  string `json:"token" dc:"新的消息校验 Token，空为不换"`
	AESKey string `json:"aes_key" dc:"新的消息加解密 Key，43 位字母和数字，空为不换"`
}

// Keys are not kept for repetition.
func (*rotateKeysIn) unrepeatable() {}

func (s *Server) rotateKeys(ctx context.Context, in *rotateKeysIn) (*component.Component, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.o.Components.Rotate(ctx, who, in.AppID, component.NewKeys{Token: in.Token, AESKey: in.AESKey})
	return &c, err
}

type endRotationIn struct {
	g.Meta `path:"/components/{appid}/keys/previous" method:"delete" tags:"第三方平台" summary:"结束轮换：旧的消息密钥立即失效" needs:"component.bind"`
	AppID  string `json:"appid" in:"path"`
}

func (s *Server) endRotation(ctx context.Context, in *endRotationIn) (*component.Component, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.o.Components.EndRotation(ctx, who, in.AppID)
	return &c, err
}

type releaseChecksIn struct {
	g.Meta `path:"/components/{appid}/release-check" method:"get" tags:"第三方平台" summary:"全网发布检测进行到哪一步" needs:"component.read"`
	AppID  string `json:"appid" in:"path"`
}

func (s *Server) releaseChecks(ctx context.Context, in *releaseChecksIn) (*list[component.ReleaseCheck], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Components.ReleaseChecks(ctx, who, in.AppID)
	return listOf(rows, "", int64(len(rows))), err
}

type ticketView struct {
	miniprogram.Ticket
	URL string `json:"url"`
}

type createdTicket struct{ ticketView }

func (createdTicket) HTTPStatus() int { return http.StatusCreated }

type createAuthorizationIn struct {
	g.Meta    `path:"/components/{component}/authorizations" method:"post" tags:"授权" summary:"发起一次授权，得到授权页地址" needs:"authorization.create"`
	Component string `json:"component" in:"path"`
	BizAppID  string `json:"biz_appid"`
	ReturnTo  string `json:"return_to"`
	Unclaimed bool   `json:"unclaimed"`
}

func (s *Server) createAuthorization(ctx context.Context, in *createAuthorizationIn) (*createdTicket, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.o.Apps.CreateTicket(ctx, who, miniprogram.TicketRequest{Component: in.Component, BizAppID: in.BizAppID, ReturnTo: in.ReturnTo, Unclaimed: in.Unclaimed})
	if err != nil {
		return nil, err
	}
	return &createdTicket{ticketView{t, s.o.Apps.LandingURL(t.ID)}}, nil
}

type getAuthorizationIn struct {
	g.Meta `path:"/authorizations/{ticket}" method:"get" tags:"授权" summary:"授权进行到哪一步" needs:"authorization.read"`
	Ticket string `json:"ticket" in:"path"`
}

func (s *Server) getAuthorization(ctx context.Context, in *getAuthorizationIn) (*ticketView, error) {
	t, err := s.o.Apps.Ticket(ctx, in.Ticket)
	if err != nil {
		return nil, err
	}
	return &ticketView{t, s.o.Apps.LandingURL(t.ID)}, nil
}

type cancelAuthorizationIn struct {
	g.Meta `path:"/authorizations/{ticket}/cancel" method:"post" tags:"授权" summary:"取消授权请求" needs:"authorization.create"`
	Ticket string `json:"ticket" in:"path"`
}

func (s *Server) cancelAuthorization(ctx context.Context, in *cancelAuthorizationIn) (*ticketView, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.o.Apps.Cancel(ctx, who, in.Ticket)
	if err != nil {
		return nil, err
	}
	return &ticketView{t, s.o.Apps.LandingURL(t.ID)}, nil
}
