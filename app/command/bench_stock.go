package command

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/GoAdminGroup/go-admin/adapter/gf2"
	gocontext "github.com/GoAdminGroup/go-admin/context"
	"github.com/GoAdminGroup/go-admin/modules/auth"
	goconfig "github.com/GoAdminGroup/go-admin/modules/config"
	"github.com/GoAdminGroup/go-admin/modules/db"
	goerrors "github.com/GoAdminGroup/go-admin/modules/errors"
	"github.com/GoAdminGroup/go-admin/modules/language"
	"github.com/GoAdminGroup/go-admin/modules/service"
	"github.com/GoAdminGroup/go-admin/modules/ui"
	"github.com/GoAdminGroup/go-admin/plugins"
	goadmin "github.com/GoAdminGroup/go-admin/plugins/admin"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/table"
	"github.com/GoAdminGroup/go-admin/template/types"
	"github.com/GoAdminGroup/go-admin/template/types/form"
	_ "github.com/GoAdminGroup/themes/sword" // the stock look, which the bench compares with; nothing else may
	"github.com/gogf/gf/v2/frame/g"
	"github.com/gogf/gf/v2/net/ghttp"

	"minifleet/app/store"
)

// stockServer answers the list of templates as GoAdmin does by itself: its own router, session check, SQL generator,
// operation log and stock theme, on the platform's SQLite file. It is a process of `bench lists` only.
func stockServer(ctx context.Context, env Env) (err error) {
	cfg, err := newFlags(env, "bench lists-stock").load(env)
	if err != nil {
		return err
	}
	own, err := store.Open(ctx, store.Options{Dialect: store.SQLite, Path: filepath.Join(cfg.Data.Dir, "minifleet.db")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, own.Close()) }()
	pool, err := own.GoAdminPool()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	server := g.Server("bench-stock")
	server.SetDumpRouterMap(false)
	server.SetLogStdout(false)
	server.SetAddr(cfg.Server.Listen)
	if err := stockAdmin(server, pool); err != nil {
		return err
	}
	server.BindHandler("/readyz", func(r *ghttp.Request) { r.Response.Write("ready") })
	if err := server.Start(); err != nil {
		return err
	}
	<-ctx.Done()
	return server.Shutdown()
}

// stockAdmin puts GoAdmin together as its own engine does, but for the pool: its engine opens one by a driver with cgo.
func stockAdmin(server *ghttp.Server, pool *sql.DB) error {
	conn := db.GetSqliteDB()
	conn.DbList["default"] = pool
	settings := goconfig.Initialize(&goconfig.Config{
		Databases: goconfig.DatabaseList{"default": {Driver: conn.Name()}}, UrlPrefix: "admin", IndexUrl: "/", LoginUrl: "/login", Language: language.CN, Theme: "sword",
		Title: "MiniFleet", Env: goconfig.EnvProd, InfoLogOff: true, ErrorLogOff: true, AccessLogOff: true,
	})
	services := service.List{}
	services.Add(conn.Name(), conn)
	services.Add("config", goconfig.SrvWithConfig(settings))
	services.Add(auth.InitCSRFTokenSrv(conn))
	services.Add(ui.ServiceKey, ui.NewService(new(types.Buttons)))
	table.SetServices(services)
	goerrors.Init()
	plug := goadmin.NewAdmin(table.GeneratorList{"templates": func(ctx *gocontext.Context) table.Table { return stockTemplates(ctx, conn.Name()) }})
	plug.InitPlugin(services)
	return new(gf2.GF2).Use(server, []plugins.Plugin{plug})
}

// stockTemplates shows the columns that our list of templates shows.
func stockTemplates(ctx *gocontext.Context, driver string) table.Table {
	t := table.NewDefaultTable(ctx, table.DefaultConfigWithDriver(driver))
	info := t.GetInfo().SetTable("plugin_version_templates").SetTitle("模板库").SetDefaultPageSize(20)
	info.AddField("编号", "id", db.Bigint).FieldSortable()
	info.AddField("模板ID", "template_id", db.Bigint)
	info.AddField("产品", "name", db.Varchar)
	info.AddField("版本号", "user_version", db.Varchar)
	info.AddField("更新说明", "notes", db.Varchar)
	info.AddField("状态", "state", db.Varchar).FieldFilterable(types.FilterType{FormType: form.SelectSingle}).
		FieldFilterOptions(types.FieldOptions{{Text: "添加中", Value: "adding"}, {Text: "可用", Value: "ready"}})
	t.GetForm().SetTable("plugin_version_templates").AddField("编号", "id", db.Bigint, form.Default)
	return t
}

// stockCookie is the GoAdmin session that the platform has written for the bench's person.
func stockCookie(ctx context.Context, data string) (cookie string, err error) {
	own, err := store.Open(ctx, store.Options{Dialect: store.SQLite, Path: filepath.Join(data, "minifleet.db")})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, own.Close()) }()
	var row struct{ Sid string }
	found, err := own.One(ctx, &row, "SELECT sid FROM goadmin_session ORDER BY id DESC LIMIT 1")
	if err != nil || !found {
		return "", errors.Join(fmt.Errorf("no GoAdmin session"), err)
	}
	return (&http.Cookie{Name: auth.DefaultCookieKey, Value: row.Sid}).String(), nil
}
