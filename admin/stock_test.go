package admin

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/GoAdminGroup/go-admin/adapter/gf2"
	gocontext "github.com/GoAdminGroup/go-admin/context"
	"github.com/GoAdminGroup/go-admin/modules/auth"
	"github.com/GoAdminGroup/go-admin/modules/db"
	"github.com/GoAdminGroup/go-admin/plugins"
	goadmin "github.com/GoAdminGroup/go-admin/plugins/admin"
	"github.com/GoAdminGroup/go-admin/plugins/admin/modules/table"
	formtype "github.com/GoAdminGroup/go-admin/template/types/form"
	_ "github.com/GoAdminGroup/themes/sword" // the stock look, for the stock pages that the exploits are tried on
)

// stock is GoAdmin as it comes, on the same database: what would stand open without the guard.
func (h *house) stock() (url string, session *http.Cookie) {
	h.t.Helper()
	server := newServer()
	plug := goadmin.NewAdmin(table.GeneratorList{"plain": func(ctx *gocontext.Context) table.Table {
		// A list of permissions in which no column is marked editable.
		tb := table.NewDefaultTable(ctx, table.DefaultConfigWithDriver(h.admin.engine.conn.Name()))
		tb.GetInfo().SetTable("goadmin_permissions").AddField("ID", "id", db.Int).AddField("Slug", "slug", db.Varchar)
		tb.GetForm().SetTable("goadmin_permissions").AddField("ID", "id", db.Int, formtype.Default)
		return tb
	}})
	plug.InitPlugin(h.admin.engine.services)
	if err := new(gf2.GF2).Use(server, []plugins.Plugin{plug}); err != nil {
		h.t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		if err := server.Shutdown(); err != nil {
			h.t.Error(err)
		}
	})
	front := httptest.NewServer(http.HandlerFunc(server.ServeHTTP))
	h.t.Cleanup(front.Close)
	sh, err := h.admin.shadows.session(context.Background(), people["operator"])
	if err != nil {
		h.t.Fatal(err)
	}
	return front.URL, &http.Cookie{Name: auth.DefaultCookieKey, Value: sh.sid}
}

// at is the same house seen at another address, for requests that go around the guard.
func (h *house) at(t *testing.T, url string) *house {
	other := *h
	other.t, other.url = t, url
	return &other
}

func withCookie(c *http.Cookie) func(*http.Request) {
	return func(r *http.Request) { r.AddCookie(c) }
}

func withHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		if value == "" {
			r.Header.Del(name)
			return
		}
		r.Header.Set(name, value)
	}
}
