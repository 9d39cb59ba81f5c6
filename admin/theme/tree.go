package theme

import (
	"html/template"
	"strings"

	"github.com/GoAdminGroup/go-admin/modules/menu"
	"github.com/GoAdminGroup/go-admin/template/types"
)

// tree shows GoAdmin's menu rows as nested lists with links to edit them.
type tree struct {
	items []menu.Item
	edit  string
}

func (c *tree) SetTree(v []menu.Item) types.TreeAttribute { c.items = v; return c }
func (c *tree) SetEditUrl(v string) types.TreeAttribute   { c.edit = v; return c }
func (c *tree) SetOrderUrl(string) types.TreeAttribute    { return c }
func (c *tree) SetUrlPrefix(string) types.TreeAttribute   { return c }
func (c *tree) SetDeleteUrl(string) types.TreeAttribute   { return c }
func (c *tree) GetTreeHeader() template.HTML              { return "" }
func (c *tree) GetContent() template.HTML {
	var b strings.Builder
	c.write(&b, c.items)
	return template.HTML(b.String())
}

func (c *tree) write(b *strings.Builder, items []menu.Item) {
	if len(items) == 0 {
		return
	}
	b.WriteString(`<ul class="mf-lines">`)
	for _, it := range items {
		b.WriteString(`<li><span>` + esc(it.Name) + `</span> <code class="mf-mono mf-muted">` + esc(it.Url) + `</code>`)
		if c.edit != "" {
			b.WriteString(` <a class="mf-link" href="` + esc(c.edit+"?id="+it.ID) + `">修改</a>`)
		}
		c.write(b, it.ChildrenList)
		b.WriteString(`</li>`)
	}
	b.WriteString(`</ul>`)
}

// treeView shows nested text as nested lists.
type treeView struct{ data types.TreeViewData }

func (c *treeView) SetTree(v types.TreeViewData) types.TreeViewAttribute { c.data = v; return c }
func (c *treeView) SetUrlPrefix(string) types.TreeViewAttribute          { return c }
func (c *treeView) SetID(string) types.TreeViewAttribute                 { return c }
func (c *treeView) GetContent() template.HTML {
	var b strings.Builder
	writeNodes(&b, c.data.Data)
	return template.HTML(b.String())
}

func writeNodes(b *strings.Builder, nodes types.TreeViewItems) {
	if len(nodes) == 0 {
		return
	}
	b.WriteString(`<ul class="mf-lines">`)
	for _, n := range nodes {
		text := esc(n.Text)
		if n.Href != "" {
			text = `<a class="mf-link" href="` + esc(n.Href) + `">` + text + `</a>`
		}
		b.WriteString(`<li>` + text)
		writeNodes(b, n.Nodes)
		b.WriteString(`</li>`)
	}
	b.WriteString(`</ul>`)
}
