package plugin_test

import (
	"context"

	"minifleet/plugins/sdk"
)

type ware struct {
	sdk.Row
	Name string `json:"name" col:"name,名称,text"`
	Note string `json:"note" col:"note,备注,text"`
}

type leanWare struct {
	sdk.Row
	Name string `json:"name" col:"name,名称,text"`
}

// warePlugin is a plugin whose next build no longer needs a column.
func warePlugin(next bool) *sdk.Plugin {
	if next {
		p := sdk.New("ware", "货物", "2.0.0")
		goods := sdk.Collect[leanWare](p, "goods", sdk.Visible{Kind: sdk.Space})
		p.Drops("goods.note")
		p.API("POST /add", sdk.JSON(func(ctx context.Context, in leanWare) (struct{}, error) {
			_, err := sdk.Commit(ctx, []sdk.Op{goods.Insert(in)})
			return struct{}{}, err
		}))
		return p
	}
	p := sdk.New("ware", "货物", "1.0.0")
	goods := sdk.Collect[ware](p, "goods", sdk.Visible{Kind: sdk.Space})
	p.API("POST /add", sdk.JSON(func(ctx context.Context, in ware) (struct{}, error) {
		_, err := sdk.Commit(ctx, []sdk.Op{goods.Insert(in)})
		return struct{}{}, err
	}))
	return p
}
