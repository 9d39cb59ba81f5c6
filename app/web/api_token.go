package web

import (
	"context"
	"net/http"
	"slices"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/fault"
)

type listTokensIn struct {
	g.Meta `path:"/tokens" method:"get" tags:"API 令牌" summary:"我在当前空间的 API 令牌"`
}

func (s *Server) listTokens(ctx context.Context, _ *listTokensIn) (*list[account.Token], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Tokens.List(ctx, who)
	return listOf(rows, "", int64(len(rows))), err
}

type listScopesIn struct {
	g.Meta `path:"/tokens/scopes" method:"get" tags:"API 令牌" summary:"可以写进令牌的权限"`
}

func (s *Server) listScopes(ctx context.Context, _ *listScopesIn) (*list[account.Permission], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows := who.OfferedScopes()
	if s.o.Extensions != nil {
		more, err := s.o.Extensions(ctx, who)
		if err != nil {
			return nil, err
		}
		rows = append(rows, slices.DeleteFunc(more, func(p account.Permission) bool { return !who.Can(p.Name) })...)
	}
	return listOf(rows, "", int64(len(rows))), nil
}

type createTokenIn struct {
	g.Meta `path:"/tokens" method:"post" tags:"API 令牌" summary:"新建令牌；密文只在这次回答里出现"`
	Name   string   `json:"name" required:"true"`
	Scopes []string `json:"scopes" required:"true"`
	Days   *int     `json:"days" required:"true"`
}

func (*createTokenIn) unrepeatable() {}

type createdToken struct {
	account.Token
	Secret string `json:"secret"`
}

func (createdToken) HTTPStatus() int { return http.StatusCreated }

func (s *Server) createToken(ctx context.Context, in *createTokenIn) (*createdToken, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	// A token without end must be asked for: it is not what is left out.
	if in.Days == nil {
		return nil, fault.InvalidInput().On("days", "请选择有效期：7、30、90、365 天，或 0（不过期）")
	}
	made, secret, err := s.o.Tokens.Create(ctx, who, account.TokenRequest{Name: in.Name, Scopes: in.Scopes, Days: *in.Days})
	if err != nil {
		return nil, err
	}
	return &createdToken{made, secret}, nil
}

type revokeTokenIn struct {
	g.Meta `path:"/tokens/{id}" method:"delete" tags:"API 令牌" summary:"撤销一个令牌，立即生效"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) revokeToken(ctx context.Context, in *revokeTokenIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Tokens.Revoke(ctx, who, in.ID)
}
