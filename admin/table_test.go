package admin

import (
	"net/url"
	"testing"
)

func TestListShowsRowsOfThePlugin(t *testing.T) {
	h := open(t, Options{Plugins: newFakePlugins(25)})
	a := h.get("merchant", "/admin/info/version_templates").want(t, 200, "模板 1", "模板 20", "共 25 条", "已上架", "2026-11-22 08:00:00", "下一页", "查询", "重置", "下架后用户不能再安装")
	a.lacks(t, "模板 21<", "<script>alert", "上一页")
	_ = url.Values{}
}
