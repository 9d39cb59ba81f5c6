package web

import (
	"context"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/fault"
	"minifleet/app/miniprogram"
)

// Bounds of handing out tokens: for each mini program, so many a minute for each API token.
const (
	brokerPerMinute = 30
	brokerKeys      = 20_000
)

// brokerPace counts calls of the running minute.
type brokerPace struct {
	mu     sync.Mutex
	minute int64
	calls  map[string]int
}

// take counts one call, or says how long to wait.
func (p *brokerPace) take(key string, now time.Time) (wait time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if minute := now.Unix() / 60; minute != p.minute || p.calls == nil || len(p.calls) >= brokerKeys {
		p.minute, p.calls = minute, map[string]int{}
	}
	if p.calls[key] >= brokerPerMinute {
		return time.Duration(60-now.Unix()%60) * time.Second, false
	}
	p.calls[key]++
	return 0, true
}

type accessTokenIn struct {
	g.Meta    `path:"/miniprograms/{appid}/access-token" method:"get" tags:"小程序" summary:"把小程序的 access_token 交给自己的其他系统；只接受 API 令牌，只给小程序的所有者，每次都记入操作日志" needs:"token.access"`
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
	if wait, ok := s.broker.take(strconv.FormatInt(who.TokenID, 10)+"/"+in.AppID, time.Now()); !ok {
		return nil, fault.Newf(fault.TooMany, "too_many_requests", "取得太频繁，请缓存 access_token，%d 秒后再试", int(math.Ceil(wait.Seconds())))
	}
	got, err := s.o.Apps.HandOut(ctx, who, in.Component, in.AppID)
	if err != nil {
		return nil, err
	}
	return (*accessTokenOut)(&got), nil
}

var _ = miniprogram.AccessToken(accessTokenOut{}) // the two have the same fields
