package web

import (
	"context"
	"io"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
)

type leavingPlanIn struct {
	g.Meta `path:"/me/leaving" method:"get" tags:"账号" summary:"注销账号会怎样：阻碍、一起结束的空间、保留的内容"`
}

func (s *Server) leavingPlan(ctx context.Context, _ *leavingPlanIn) (*account.LeavingPlan, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	p, err := s.o.Spaces.Leaving(ctx, who)
	return &p, err
}

type closeAccountIn struct {
	g.Meta   `path:"/me" method:"delete" tags:"账号" summary:"注销账号"`
	Login    string `json:"login"`
	Password string `json:"password"`
}

func (*closeAccountIn) unrepeatable() {}

func (s *Server) closeAccount(ctx context.Context, in *closeAccountIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Spaces.CloseAccount(ctx, who, in.Password, in.Login)
}

type exportDataIn struct {
	g.Meta `path:"/me/data" method:"get" tags:"账号" summary:"导出我的数据（zip，内含 JSON）"`
}

func (*exportDataIn) streamed() {}

func (s *Server) exportData(ctx context.Context, _ *exportDataIn) (*download, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &download{"minifleet-data.zip", "application/zip", -1, personalData(ctx, s.o.Spaces, who)}, nil
}

// personalData is the zip of a person's data, made while it is read. Whoever stops reading closes it.
func personalData(ctx context.Context, spaces *account.Spaces, who account.Actor) io.ReadCloser {
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(spaces.ExportData(ctx, who, w)) }()
	return r
}
