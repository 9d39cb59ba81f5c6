package web

import (
	"context"
	"strconv"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/fault"
	"minifleet/app/grant"
	"minifleet/app/miniprogram"
)

type listMiniProgramsIn struct {
	g.Meta    `path:"/miniprograms" method:"get" tags:"小程序" summary:"我能看到的小程序" needs:"miniprogram.read"`
	Query     string `json:"q" in:"query"`
	Component string `json:"component" in:"query"`
	State     string `json:"state" in:"query"`
	Cursor    string `json:"cursor" in:"query"`
	Limit     int    `json:"limit" in:"query"`
}

func (s *Server) listMiniPrograms(ctx context.Context, in *listMiniProgramsIn) (*list[miniprogram.MiniProgram], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := s.o.Grants.MiniPrograms(ctx, who, miniprogram.Filter{Query: in.Query, Component: in.Component, State: in.State, Cursor: cursor, Limit: in.Limit})
	return listOf(p.Items, strconv.FormatInt(p.Next, 10), p.Total), err
}

func parseCursor(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		return 0, fault.InvalidInput().On("cursor", "不是上一页给出的位置")
	}
	return n, nil
}

type getMiniProgramIn struct {
	g.Meta `path:"/miniprograms/{appid}" method:"get" tags:"小程序" summary:"一个小程序" needs:"miniprogram.read"`
	AppID  string `json:"appid" in:"path"`
}

func (s *Server) getMiniProgram(ctx context.Context, in *getMiniProgramIn) (*miniprogram.MiniProgram, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.o.Grants.MiniProgram(ctx, who, in.AppID)
	return &m, err
}

type syncMiniProgramIn struct {
	g.Meta `path:"/miniprograms/{appid}/sync" method:"post" tags:"小程序" summary:"立即从微信同步资料" needs:"miniprogram.sync"`
	AppID  string `json:"appid" in:"path"`
}

func (s *Server) syncMiniProgram(ctx context.Context, in *syncMiniProgramIn) (*miniprogram.MiniProgram, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.o.Grants.Sync(ctx, who, in.AppID)
	return &m, err
}

type listGrantsIn struct {
	g.Meta `path:"/miniprograms/{appid}/grants" method:"get" tags:"小程序" summary:"谁能操作这个小程序" needs:"miniprogram.read"`
	AppID  string `json:"appid" in:"path"`
}

func (s *Server) listGrants(ctx context.Context, in *listGrantsIn) (*list[grant.Grant], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Grants.ForMiniProgram(ctx, who, in.AppID)
	return listOf(rows, "", int64(len(rows))), err
}

type revokeGrantIn struct {
	g.Meta `path:"/grants/{id}" method:"delete" tags:"小程序" summary:"撤销一项授权，立即生效" needs:"hosting.revoke"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) revokeGrant(ctx context.Context, in *revokeGrantIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Grants.Revoke(ctx, who, in.ID)
}
