package web

import (
	"context"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/miniprogram"
)

type accessTokenIn struct {
	g.Meta    `path:"/miniprograms/{appid}/access-token" method:"get" tags:"小程序" summary:"把小程序的 access_token 交给自己的其他系统；只接受 API 令牌，只给小程序的所有者，每次都记入操作日志；每个令牌、每个小程序每分钟最多 30 次" needs:"token.access"`
	AppID     string `json:"appid" in:"path"`
	Component string `json:"component" in:"query" dc:"用哪个第三方平台的授权，空为任一有效的授权"`
}

// A token is not kept for repetition.
func (*accessTokenIn) unrepeatable() {}

type accessTokenOut struct {
	AccessToken string `json:"access_token" dc:"authorizer_access_token；微信返回 40001 时请重新获取一次"`
	ExpiresIn   int64  `json:"expires_in" dc:"多少秒后应重新获取；平台会在微信的有效期结束之前更换"`
}

func (s *Server) accessToken(ctx context.Context, in *accessTokenIn) (*accessTokenOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	got, err := s.o.Apps.HandOut(ctx, who, in.Component, in.AppID)
	if err != nil {
		return nil, err
	}
	return (*accessTokenOut)(&got), nil
}

var _ = miniprogram.AccessToken(accessTokenOut{}) // the two have the same fields
