package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// PluginData is what the page of a plugin asks about its data.
type PluginData interface {
	Usage(ctx context.Context, plugin string) (plugin.Usage, error)
	PendingDrops(ctx context.Context) ([]plugin.Drop, error)
	ApproveDrop(ctx context.Context, who account.Actor, plugin, item string) error
}

// pluginDataView is the part of a plugin's page about its data.
type pluginDataView struct {
	ID          string
	Collections []sizeView
	Bounded     bool
	Most        string // what one space may keep
	Spaces      []sizeView
	Drops       []dropView
	May         bool // say yes to a drop
}

type sizeView struct{ Name, Rows, Bytes string }

type dropView struct {
	Item, What, Rows string
	Approved         bool
	Users            int // processes that still use it
}

// pluginData tells what a plugin keeps and what of it waits to be removed; nil where nobody can tell.
func (a *Admin) pluginData(ctx context.Context, actor account.Actor, id string) (*pluginDataView, error) {
	data := a.o.Services.PluginData
	if data == nil {
		return nil, nil
	}
	usage, err := data.Usage(ctx, id)
	if fault.KindOf(err) == fault.Unavailable { // it has never described itself: its page shows why
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	view := &pluginDataView{ID: id, Bounded: usage.Bounded, May: actor.Can(plugin.PermissionApprove)}
	for _, c := range usage.Collections {
		view.Collections = append(view.Collections, sizeView{Name: c.Name, Rows: countOr(c.Rows)})
	}
	view.Most = mostOf(usage)
	for _, space := range usage.Spaces {
		view.Spaces = append(view.Spaces, sizeView{space.Name, grouped(space.Rows), plugin.Megabytes(space.Bytes)})
	}
	drops, err := data.PendingDrops(ctx)
	if err != nil {
		return nil, fmt.Errorf("data of plugin %s: %w", id, err)
	}
	for _, drop := range drops {
		if drop.Plugin != id {
			continue
		}
		what := "整个数据集"
		if drop.Column != "" {
			what = "一列"
		}
		view.Drops = append(view.Drops, dropView{drop.Item(), what, countOr(drop.Rows), drop.Approved, drop.Users})
	}
	return view, nil
}

// countOr writes a count that is exact to 10,000.
func countOr(n int64) string {
	if n < 0 {
		return "10,000+"
	}
	return grouped(n)
}

// mostOf writes what one space may keep, "" where that is not bounded.
func mostOf(usage plugin.Usage) string {
	switch {
	case usage.RowsMost > 0 && usage.BytesMost > 0:
		return "每个空间最多 " + grouped(usage.RowsMost) + " 条、" + plugin.Megabytes(usage.BytesMost)
	case usage.RowsMost > 0:
		return "每个空间最多 " + grouped(usage.RowsMost) + " 条"
	case usage.BytesMost > 0:
		return "每个空间最多 " + plugin.Megabytes(usage.BytesMost)
	default:
		return ""
	}
}

// dropData removes what a plugin no longer needs. The host writes the act into the operation log.
func (a *Admin) dropData(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id := r.PathValue("id")
	if err := a.o.Services.PluginData.ApproveDrop(ctx, actor, id, r.PostForm.Get("item")); err != nil {
		return View{}, err
	}
	waiting, err := a.o.Services.PluginData.PendingDrops(ctx)
	if err != nil {
		return View{}, err
	}
	words := "已永久删除"
	if slices.ContainsFunc(waiting, func(d plugin.Drop) bool { return d.Plugin == id && d.Item() == r.PostForm.Get("item") }) {
		words = "已同意删除：旧版本都停止使用后会自动删除"
	}
	a.flash.put(actor, words)
	return View{Redirect: Prefix + "/plugins/" + url.PathEscape(id)}, nil
}
