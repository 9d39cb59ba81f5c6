package web

import (
	"context"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/plugin"
)

type pluginUsageIn struct {
	g.Meta `path:"/plugins/{id}/data" method:"get" tags:"插件" summary:"插件保存了多少数据：各数据集的行数，扩展另有各空间的用量和上限" needs:"plugin.read"`
	ID     string `json:"id" in:"path"`
}

type pluginUsageOut struct {
	RowsMost    int64             `json:"rows_most"`
	BytesMost   int64             `json:"bytes_most"`
	Spaces      []spaceUsageView  `json:"usage"`
	Collections []collectionUsage `json:"collections"`
}

type spaceUsageView struct {
	SpaceID int64  `json:"space_id,string"`
	Space   string `json:"space"`
	Rows    int64  `json:"kept_rows"`
	Bytes   int64  `json:"kept_bytes"`
}

type collectionUsage struct {
	Name string `json:"collection"`
	Rows *int64 `json:"row_count"` // null: more than 10,000
}

func (s *Server) pluginUsage(ctx context.Context, in *pluginUsageIn) (*pluginUsageOut, error) {
	if _, err := operator(ctx, "plugin.read"); err != nil {
		return nil, err
	}
	usage, err := s.o.Plugins.Usage(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &pluginUsageOut{usage.RowsMost, usage.BytesMost, []spaceUsageView{}, []collectionUsage{}}
	for _, space := range usage.Spaces {
		out.Spaces = append(out.Spaces, spaceUsageView{space.SpaceID, space.Name, space.Rows, space.Bytes})
	}
	for _, c := range usage.Collections {
		out.Collections = append(out.Collections, collectionUsage{c.Name, exactOrNull(c.Rows)})
	}
	return out, nil
}

// exactOrNull is a count as REST gives it.
func exactOrNull(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

type listDropsIn struct {
	g.Meta `path:"/plugins/{id}/drops" method:"get" tags:"插件" summary:"现在的版本不再需要、等待平台管理员确认删除的数据" needs:"plugin.read"`
	ID     string `json:"id" in:"path"`
}

type dropView struct {
	Item string `json:"item"`
	Rows *int64 `json:"row_count"` // null: more than 10,000
	// Approved ones go when Users, the processes of older builds on all replicas, are 0.
	Approved bool `json:"approved" dc:"平台管理员已经同意，旧版本都停止使用后自动删除"`
	Users    int  `json:"users" dc:"还有几个旧版本的进程在使用"`
}

func (s *Server) listDrops(ctx context.Context, in *listDropsIn) (*list[dropView], error) {
	if _, err := operator(ctx, "plugin.read"); err != nil {
		return nil, err
	}
	pending, err := s.o.Plugins.PendingDrops(ctx)
	if err != nil {
		return nil, err
	}
	rows := []dropView{}
	for _, drop := range pending {
		if drop.Plugin == in.ID {
			rows = append(rows, dropView{drop.Item(), exactOrNull(drop.Rows), drop.Approved, drop.Users})
		}
	}
	return listOf(rows, "", int64(len(rows))), nil
}

type dropDataIn struct {
	g.Meta `path:"/plugins/{id}/drops" method:"post" tags:"插件" summary:"永久删除一项不再需要的数据；还有旧版本在使用时，等它们停止后自动删除" needs:"plugin.approve"`
	ID     string `json:"id" in:"path"`
	Item   string `json:"item"`
}

func (s *Server) dropData(ctx context.Context, in *dropDataIn) (*acceptedOut, error) {
	who, err := operator(ctx, plugin.PermissionApprove)
	if err != nil {
		return nil, err
	}
	return &acceptedOut{}, s.o.Plugins.ApproveDrop(ctx, who, in.ID, in.Item) // the host notes it in the operation log
}
