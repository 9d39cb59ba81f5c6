package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/event"
	"minifleet/app/forward"
)

// forwardRoutes are the calls about telling pushes to other addresses.
func (s *Server) forwardRoutes() []any {
	return []any{
		s.listForwards, s.forwardTypes, s.createForward, s.getForward, s.updateForward, s.switchForward, s.deleteForward, s.rotateForward, s.testForward,
		s.listAttempts, s.getAttempt, s.replayAttempt,
	}
}

type listForwardsIn struct {
	g.Meta `path:"/forwards" method:"get" tags:"消息转发" summary:"空间的消息转发" needs:"component.forward"`
}

func (s *Server) listForwards(ctx context.Context, _ *listForwardsIn) (*list[forward.Target], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Forwards.List(ctx, who)
	return listOf(rows, "", int64(len(rows))), err
}

type forwardTypesIn struct {
	g.Meta `path:"/forwards/types" method:"get" tags:"消息转发" summary:"可以转发的事件类型；* 表示全部" needs:"component.forward"`
}

func (s *Server) forwardTypes(ctx context.Context, _ *forwardTypesIn) (*list[event.Kind], error) {
	if _, err := must(ctx); err != nil {
		return nil, err
	}
	kinds := forward.Kinds()
	return listOf(kinds, "", int64(len(kinds))), nil
}

// forwardFields are what a person fills in.
type forwardFields struct {
	Name   string   `json:"name"`
	URL    string   `json:"url" dc:"接收地址；其中的 $APPID$ 会换成小程序的 AppID"`
	Form   string   `json:"form"`
	Types  []string `json:"types"`
	AppIDs []string `json:"appids"`
	Token  string   `json:"token" dc:"微信格式：接收方的 Token；修改时空为不换"`
	AESKey string   `json:"aes_key" dc:"微信格式：接收方的 EncodingAESKey；修改时空为不换"`
}

func (f forwardFields) request(component string) forward.Request {
	return forward.Request{Component: component, Name: f.Name, URL: f.URL, Form: f.Form, Types: f.Types, AppIDs: f.AppIDs, Token: f.Token, AESKey: f.AESKey}
}

type createForwardIn struct {
	g.Meta    `path:"/forwards" method:"post" tags:"消息转发" summary:"新建消息转发；签名密钥只在这里出现" needs:"component.forward"`
	Component string   `json:"component"`
	Name      string   `json:"name"`
	URL       string   `json:"url" dc:"接收地址；其中的 $APPID$ 会换成小程序的 AppID"`
	Form      string   `json:"form"`
	Types     []string `json:"types"`
	AppIDs    []string `json:"appids"`
	Token     string   `json:"token" dc:"微信格式：接收方的 Token"`
	AESKey    string   `json:"aes_key" dc:"微信格式：接收方的 EncodingAESKey"`
}

// A secret is not kept for repetition.
func (*createForwardIn) unrepeatable() {}

type createdForward struct {
	forward.Target
	Secret string `json:"secret,omitempty"`
}

func (createdForward) HTTPStatus() int { return http.StatusCreated }

func (s *Server) createForward(ctx context.Context, in *createForwardIn) (*createdForward, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	f := forwardFields{in.Name, in.URL, in.Form, in.Types, in.AppIDs, in.Token, in.AESKey}
	t, secret, err := s.o.Forwards.Create(ctx, who, f.request(in.Component))
	return &createdForward{t, secret}, err
}

type getForwardIn struct {
	g.Meta `path:"/forwards/{id}" method:"get" tags:"消息转发" summary:"一个消息转发" needs:"component.forward"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) getForward(ctx context.Context, in *getForwardIn) (*forward.Target, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.o.Forwards.Get(ctx, who, in.ID)
	return &t, err
}

type updateForwardIn struct {
	g.Meta `path:"/forwards/{id}" method:"put" tags:"消息转发" summary:"修改消息转发；第三方平台不能改" needs:"component.forward"`
	ID     int64    `json:"id" in:"path"`
	Name   string   `json:"name"`
	URL    string   `json:"url" dc:"接收地址；其中的 $APPID$ 会换成小程序的 AppID"`
	Form   string   `json:"form"`
	Types  []string `json:"types"`
	AppIDs []string `json:"appids"`
	Token  string   `json:"token" dc:"微信格式：接收方的 Token；空为不换"`
	AESKey string   `json:"aes_key" dc:"微信格式：接收方的 EncodingAESKey；空为不换"`
}

// Keys are not kept for repetition.
func (*updateForwardIn) unrepeatable() {}

func (s *Server) updateForward(ctx context.Context, in *updateForwardIn) (*forward.Target, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	f := forwardFields{in.Name, in.URL, in.Form, in.Types, in.AppIDs, in.Token, in.AESKey}
	t, err := s.o.Forwards.Update(ctx, who, in.ID, f.request(""))
	return &t, err
}

type switchForwardIn struct {
	g.Meta  `path:"/forwards/{id}/switch" method:"post" tags:"消息转发" summary:"启用、恢复或停用；停用期间的事件不转发" needs:"component.forward"`
	ID      int64 `json:"id" in:"path"`
	Enabled bool  `json:"enabled"`
}

func (s *Server) switchForward(ctx context.Context, in *switchForwardIn) (*forward.Target, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.o.Forwards.Switch(ctx, who, in.ID, in.Enabled)
	return &t, err
}

type deleteForwardIn struct {
	g.Meta `path:"/forwards/{id}" method:"delete" tags:"消息转发" summary:"删除消息转发和它的记录" needs:"component.forward"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) deleteForward(ctx context.Context, in *deleteForwardIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Forwards.Delete(ctx, who, in.ID)
}

type rotateForwardIn struct {
	g.Meta `path:"/forwards/{id}/secret" method:"post" tags:"消息转发" summary:"更换签名密钥，旧的立即失效" needs:"component.forward"`
	ID     int64 `json:"id" in:"path"`
}

// A secret is not kept for repetition.
func (*rotateForwardIn) unrepeatable() {}

type forwardSecret struct {
	Secret string `json:"secret"`
}

func (s *Server) rotateForward(ctx context.Context, in *rotateForwardIn) (*forwardSecret, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	secret, err := s.o.Forwards.RotateSecret(ctx, who, in.ID)
	return &forwardSecret{secret}, err
}

type testForwardIn struct {
	g.Meta `path:"/forwards/{id}/test" method:"post" tags:"消息转发" summary:"马上发送一条测试消息，并给出结果" needs:"component.forward"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) testForward(ctx context.Context, in *testForwardIn) (*forward.Attempt, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.o.Forwards.Test(ctx, who, in.ID)
	return &a, err
}

type listAttemptsIn struct {
	g.Meta `path:"/forwards/{id}/attempts" method:"get" tags:"消息转发" summary:"转发记录，最新的在前" needs:"component.forward"`
	ID     int64  `json:"id" in:"path"`
	Failed int    `json:"failed" in:"query" dc:"1：只看失败的"`
	Cursor string `json:"cursor" in:"query"`
	Limit  int    `json:"limit" in:"query"`
}

func (s *Server) listAttempts(ctx context.Context, in *listAttemptsIn) (*list[forward.Attempt], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.o.Forwards.Attempts(ctx, who, in.ID, in.Failed == 1, cursor, in.Limit)
	return listOf(rows, strconv.FormatInt(next, 10), -1), err
}

type getAttemptIn struct {
	g.Meta  `path:"/forwards/{id}/attempts/{attempt}" method:"get" tags:"消息转发" summary:"一次转发：发出了什么，对方回答了什么" needs:"component.forward"`
	ID      int64 `json:"id" in:"path"`
	Attempt int64 `json:"attempt" in:"path" dc:"转发记录的编号"`
}

func (s *Server) getAttempt(ctx context.Context, in *getAttemptIn) (*forward.Attempt, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.o.Forwards.Attempt(ctx, who, in.ID, in.Attempt)
	return &a, err
}

type replayAttemptIn struct {
	g.Meta  `path:"/forwards/{id}/attempts/{attempt}/replay" method:"post" tags:"消息转发" summary:"重发这个事件" needs:"component.forward"`
	ID      int64 `json:"id" in:"path"`
	Attempt int64 `json:"attempt" in:"path" dc:"转发记录的编号"`
}

func (s *Server) replayAttempt(ctx context.Context, in *replayAttemptIn) (*acceptedOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &acceptedOut{}, s.o.Forwards.Replay(ctx, who, in.ID, in.Attempt)
}
