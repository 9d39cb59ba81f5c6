// Package theme is our GoAdmin theme: the frame of the back office and component types of our own, rendered by compiled Go
// and templates parsed once, styled by the sheet that the portal uses too. It brings no script, asks no other site for
// anything and knows no room of the house. admin registers it with GoAdmin and draws its own pages with it.
package theme

import (
	"fmt"
	"html/template"

	gotemplate "github.com/GoAdminGroup/go-admin/template"
	"github.com/GoAdminGroup/go-admin/template/components"
	"github.com/GoAdminGroup/go-admin/template/types"
)

// Name is the name under which GoAdmin finds the theme.
const Name = "minifleet"

// Theme is what GoAdmin asks for components. Each call gives a fresh one; the theme itself never changes.
type Theme struct{ pages *template.Template }

// New makes the theme. It panics on a template that does not parse: they are in the binary, so only a broken build gets there.
func New() *Theme {
	return &Theme{pages: template.Must(template.New("layout").Parse(goadminPage))}
}

// goadminPage is the page around what GoAdmin itself would answer, such as a refusal. Our own pages use Frame.
const goadminPage = `<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{{.Panel.Title}}</title></head>` +
	`<body class="mf-page"><main class="mf-main"><h1>{{.Panel.Title}}</h1><p>{{.Panel.Description}}</p>{{.Panel.Content}}</main></body></html>`

// The parts of gotemplate.Template that are not components.

func (t *Theme) Name() string { return Name }
func (t *Theme) GetTmplList() map[string]string {
	return map[string]string{"components/paginator": paginatorTemplate}
}
func (t *Theme) GetAssetList() []string                     { return nil }
func (t *Theme) GetAssetImportHTML(...string) template.HTML { return "" }
func (t *Theme) GetVersion() string                         { return "v0.2.0" }
func (t *Theme) GetRequirements() []string                  { return []string{">=v1.2.26"} }
func (t *Theme) GetHeadHTML() template.HTML                 { return "" }
func (t *Theme) GetFootJS() template.HTML                   { return "" }
func (t *Theme) Get404HTML() template.HTML {
	return message("没有找到", "没有这个页面，或者你所在的空间看不到它")
}
func (t *Theme) Get500HTML() template.HTML {
	return message("出错了", "系统出错了，请稍后重试")
}
func (t *Theme) Get403HTML() template.HTML                     { return message("不能访问", "你没有这个权限") }
func (t *Theme) GetTemplate(bool) (*template.Template, string) { return t.pages, "layout" }

// GetAsset has nothing: style sheet and script are the portal's, below /assets/.
func (t *Theme) GetAsset(name string) ([]byte, error) {
	return nil, fmt.Errorf("theme: no asset %s", name)
}

// The components.

func (t *Theme) Col() types.ColAttribute             { return &col{} }
func (t *Theme) Row() types.RowAttribute             { return &row{} }
func (t *Theme) Form() types.FormAttribute           { return &form{method: "post"} }
func (t *Theme) Table() types.TableAttribute         { return &table{} }
func (t *Theme) DataTable() types.DataTableAttribute { return &dataTable{} }
func (t *Theme) TreeView() types.TreeViewAttribute   { return &treeView{} }
func (t *Theme) Tree() types.TreeAttribute           { return &tree{} }
func (t *Theme) Tabs() types.TabsAttribute           { return &tabs{} }
func (t *Theme) Alert() types.AlertAttribute         { return &alert{} }
func (t *Theme) Link() types.LinkAttribute           { return &link{} }
func (t *Theme) Popup() types.PopupAttribute         { return &popup{} }
func (t *Theme) Box() types.BoxAttribute             { return &box{} }
func (t *Theme) Label() types.LabelAttribute         { return &label{} }
func (t *Theme) Image() types.ImgAttribute           { return &image{} }
func (t *Theme) Button() types.ButtonAttribute       { return &button{} }

// Paginator stays GoAdmin's own type, which its paginator package asserts. Our lists walk by key and never draw it; what
// still would gets a sentence and two links.
func (t *Theme) Paginator() types.PaginatorAttribute {
	return &components.PaginatorAttribute{Name: "paginator", Attribute: types.Attribute{TemplateList: t.GetTmplList()}}
}

const paginatorTemplate = `{{define "paginator"}}<nav class="mf-pager" aria-label="分页"><span class="mf-pager-total">共 {{.Total}} 条</span>` +
	`<a class="mf-btn mf-btn-sm" href="{{.PreviousUrl}}" rel="prev">上一页</a><a class="mf-btn mf-btn-sm" href="{{.NextUrl}}" rel="next">下一页</a></nav>{{end}}`

var _ gotemplate.Template = (*Theme)(nil)
