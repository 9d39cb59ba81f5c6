package theme

import (
	"html/template"

	"github.com/GoAdminGroup/go-admin/template/types"
)

// table and dataTable draw what GoAdmin's generators hand over as a Grid. The engine's own buttons, filters and scripts
// are not drawn: the back office's lists have theirs.
type table struct {
	head types.Thead
	rows []map[string]types.InfoItem
	name string
}

func (c *table) SetThead(v types.Thead) types.TableAttribute                    { c.head = v; return c }
func (c *table) SetInfoList(v []map[string]types.InfoItem) types.TableAttribute { c.rows = v; return c }
func (c *table) SetType(string) types.TableAttribute                            { return c }
func (c *table) SetName(v string) types.TableAttribute                          { c.name = v; return c }
func (c *table) SetMinWidth(string) types.TableAttribute                        { return c }
func (c *table) SetHideThead() types.TableAttribute                             { return c }
func (c *table) SetSticky(bool) types.TableAttribute                            { return c }
func (c *table) SetLayout(string) types.TableAttribute                          { return c }
func (c *table) SetStyle(string) types.TableAttribute                           { return c }
func (c *table) GetContent() template.HTML                                      { return gridOf(c.name, c.head, c.rows, "", "").HTML() }

type dataTable struct {
	head            types.Thead
	rows            []map[string]types.InfoItem
	key, sort, edit string
	pick            bool
	silent          bool
}

func (c *dataTable) GetDataTableHeader() template.HTML               { return "" }
func (c *dataTable) SetThead(v types.Thead) types.DataTableAttribute { c.head = v; return c }
func (c *dataTable) SetInfoList(v []map[string]types.InfoItem) types.DataTableAttribute {
	c.rows = v
	return c
}
func (c *dataTable) SetEditUrl(v string) types.DataTableAttribute       { c.edit = v; return c }
func (c *dataTable) SetDeleteUrl(string) types.DataTableAttribute       { return c }
func (c *dataTable) SetNewUrl(string) types.DataTableAttribute          { return c }
func (c *dataTable) SetPrimaryKey(v string) types.DataTableAttribute    { c.key = v; return c }
func (c *dataTable) SetStyle(string) types.DataTableAttribute           { return c }
func (c *dataTable) SetAction(template.HTML) types.DataTableAttribute   { return c }
func (c *dataTable) SetIsTab(bool) types.DataTableAttribute             { return c }
func (c *dataTable) SetActionFold(bool) types.DataTableAttribute        { return c }
func (c *dataTable) SetHideThead() types.DataTableAttribute             { return c }
func (c *dataTable) SetLayout(string) types.DataTableAttribute          { return c }
func (c *dataTable) SetButtons(template.HTML) types.DataTableAttribute  { return c }
func (c *dataTable) SetSticky(bool) types.DataTableAttribute            { return c }
func (c *dataTable) SetHideFilterArea(bool) types.DataTableAttribute    { return c }
func (c *dataTable) SetHideRowSelector(v bool) types.DataTableAttribute { c.pick = !v; return c }
func (c *dataTable) SetActionJs(template.JS) types.DataTableAttribute   { return c }
func (c *dataTable) SetNoAction() types.DataTableAttribute              { c.silent = true; return c }
func (c *dataTable) SetInfoUrl(string) types.DataTableAttribute         { return c }
func (c *dataTable) SetDetailUrl(string) types.DataTableAttribute       { return c }
func (c *dataTable) SetHasFilter(bool) types.DataTableAttribute         { return c }
func (c *dataTable) SetSortUrl(v string) types.DataTableAttribute       { c.sort = v; return c }
func (c *dataTable) SetExportUrl(string) types.DataTableAttribute       { return c }
func (c *dataTable) SetUpdateUrl(string) types.DataTableAttribute       { return c }

func (c *dataTable) GetContent() template.HTML {
	g := gridOf("", c.head, c.rows, c.key, c.sort)
	g.Pick = c.pick && c.key != ""
	if c.edit != "" && !c.silent && c.key != "" {
		g.Acts = true
		for i := range g.Rows {
			g.Rows[i].Ops = []Op{{Title: "修改", Href: c.edit + "?" + c.key + "=" + template.URLQueryEscaper(g.Rows[i].ID)}}
		}
	}
	return g.HTML()
}

// gridOf takes the visible columns. GoAdmin's cells are HTML that its display chain has escaped.
func gridOf(name string, head types.Thead, rows []map[string]types.InfoItem, key, sortURL string) Grid {
	g := Grid{Label: name}
	for _, h := range head {
		if h.Hide {
			continue
		}
		c := Column{Name: h.Field, Title: h.Head}
		if h.Sortable && sortURL != "" {
			c.Sort, c.Href = "none", "?__sort="+template.URLQueryEscaper(h.Field)+"&__sort_type=desc"+sortURL
		}
		g.Columns = append(g.Columns, c)
	}
	for _, r := range rows {
		row := Row{ID: string(r[key].Content)}
		for _, c := range g.Columns {
			row.Cells = append(row.Cells, r[c.Name].Content)
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}
