package web

import (
	"context"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
)

// Extensions is what the API asks about extensions; *plugin.Host is one.
type Extensions interface {
	Extensions(ctx context.Context, who account.Actor) ([]plugin.Extension, error)
	Extension(ctx context.Context, who account.Actor, id string) (plugin.Extension, error)
	SwitchOn(ctx context.Context, who account.Actor, id string) (plugin.Extension, error)
	SwitchOff(ctx context.Context, who account.Actor, id string) (plugin.Extension, error)
	SaveSettings(ctx context.Context, who account.Actor, id string, f plugin.SettingsForm) (plugin.Extension, error)
	ReachOf(ctx context.Context, who account.Actor, id string) (plugin.Reach, error)
	SetReach(ctx context.Context, who account.Actor, id string, f plugin.ReachForm) (plugin.Reach, error)
}

// extensionRoutes are the calls about a space's extensions and about whom they are open to. API tokens may make none of them:
// settings hold secrets, and a token could open what its space has shut.
func (s *Server) extensionRoutes() []any {
	return []any{s.listExtensions, s.getExtension, s.extensionOn, s.extensionOff, s.extensionSettings, s.getReach, s.setReach}
}

// extensions gives the actor and the room.
func (s *Server) extensions(ctx context.Context) (account.Actor, Extensions, error) {
	who, err := must(ctx)
	if err == nil && s.o.SpaceExtensions == nil {
		err = fault.New(fault.NotFound, "not_found", "没有找到")
	}
	return who, s.o.SpaceExtensions, err
}

type listExtensionsIn struct {
	g.Meta `path:"/extensions" method:"get" tags:"扩展" summary:"当前空间可以使用的扩展"`
}

func (s *Server) listExtensions(ctx context.Context, _ *listExtensionsIn) (*list[plugin.Extension], error) {
	who, room, err := s.extensions(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := room.Extensions(ctx, who)
	return listOf(rows, "", int64(len(rows))), err
}

type getExtensionIn struct {
	g.Meta `path:"/extensions/{id}" method:"get" tags:"扩展" summary:"一个扩展：能做什么、有没有开启、设置；密钥不回显"`
	ID     string `json:"id" in:"path"`
}

func (s *Server) getExtension(ctx context.Context, in *getExtensionIn) (*plugin.Extension, error) {
	who, room, err := s.extensions(ctx)
	if err != nil {
		return nil, err
	}
	x, err := room.Extension(ctx, who, in.ID)
	return &x, err
}

type extensionOnIn struct {
	g.Meta `path:"/extensions/{id}/on" method:"post" tags:"扩展" summary:"为当前空间开启；设置没有填好时回答 409"`
	ID     string `json:"id" in:"path"`
}

func (s *Server) extensionOn(ctx context.Context, in *extensionOnIn) (*plugin.Extension, error) {
	who, room, err := s.extensions(ctx)
	if err != nil {
		return nil, err
	}
	x, err := room.SwitchOn(ctx, who, in.ID)
	return &x, err
}

type extensionOffIn struct {
	g.Meta `path:"/extensions/{id}/off" method:"post" tags:"扩展" summary:"为当前空间关闭，立即生效；设置和数据保留"`
	ID     string `json:"id" in:"path"`
}

func (s *Server) extensionOff(ctx context.Context, in *extensionOffIn) (*plugin.Extension, error) {
	who, room, err := s.extensions(ctx)
	if err != nil {
		return nil, err
	}
	x, err := room.SwitchOff(ctx, who, in.ID)
	return &x, err
}

type extensionSettingsIn struct {
	g.Meta   `path:"/extensions/{id}/settings" method:"put" tags:"扩展" summary:"保存设置；没有写的字段恢复默认，没有写的密钥不变，null 清除"`
	ID       string         `json:"id" in:"path"`
	Values   map[string]any `json:"values" dc:"设置的内容，字段名见 settings"`
	Revision string         `json:"revision" dc:"你看到的 revision；已经不是它就拒绝，空为不比较"`
}

// Secrets are not kept for repetition.
func (*extensionSettingsIn) unrepeatable() {}

func (s *Server) extensionSettings(ctx context.Context, in *extensionSettingsIn) (*plugin.Extension, error) {
	who, room, err := s.extensions(ctx)
	if err != nil {
		return nil, err
	}
	f := plugin.SettingsForm{Values: in.Values}
	if in.Revision != "" {
		f.Revision = idOf(in.Revision)
	}
	x, err := room.SaveSettings(ctx, who, in.ID, f)
	return &x, err
}

type getReachIn struct {
	g.Meta `path:"/plugins/{id}/reach" method:"get" tags:"插件" summary:"扩展对哪些空间开放" needs:"plugin.offer"`
	ID     string `json:"id" in:"path"`
}

func (s *Server) getReach(ctx context.Context, in *getReachIn) (*plugin.Reach, error) {
	who, room, err := s.extensions(ctx)
	if err != nil {
		return nil, err
	}
	reach, err := room.ReachOf(ctx, who, in.ID)
	return &reach, err
}

type setReachIn struct {
	g.Meta   `path:"/plugins/{id}/reach" method:"put" tags:"插件" summary:"设置扩展对哪些空间开放，立即生效" needs:"plugin.offer"`
	ID       string         `json:"id" in:"path"`
	Reach    string         `json:"reach" dc:"none 不开放，all 所有空间，kinds 某些类型，spaces 指定的空间"`
	Kinds    []account.Kind `json:"kinds" dc:"reach 为 kinds 时：personal、merchant、platform"`
	SpaceIDs []string       `json:"space_ids" dc:"指定的空间的编号"`
	Version  string         `json:"version"`
}

func (s *Server) setReach(ctx context.Context, in *setReachIn) (*plugin.Reach, error) {
	who, room, err := s.extensions(ctx)
	if err != nil {
		return nil, err
	}
	f := plugin.ReachForm{Reach: in.Reach, Kinds: in.Kinds}
	for _, text := range in.SpaceIDs {
		id := idOf(text)
		if id <= 0 {
			return nil, fault.InvalidInput().On("space_ids", "不是空间编号："+text)
		}
		f.SpaceIDs = append(f.SpaceIDs, id)
	}
	if in.Version != "" {
		f.Version = idOf(in.Version)
	}
	reach, err := room.SetReach(ctx, who, in.ID, f)
	return &reach, err
}
