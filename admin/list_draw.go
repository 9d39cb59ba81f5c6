package admin

import (
	"html/template"
	"strconv"

	"minifleet/admin/theme"
	"minifleet/resource"
)

// draw writes what stands around the table of a list. It is code instead of a template, as the table is: these are the
// pages that are opened all day.
func (p listPage) draw(problem template.HTML) template.HTML {
	var m resource.Markup
	m.Grow(10<<10 + len(p.Grid))
	m.Raw("<div data-list>\n")
	m.HTML(problem)
	if p.Search != "" || len(p.Filters) > 0 {
		p.query(&m)
	}
	p.tools(&m)
	if p.Note != "" {
		m.Raw(`<p class="mf-help">`)
		m.Text(p.Note)
		m.Raw(`</p>`)
	}
	m.Raw("\n")
	if len(p.Rows) > 0 {
		if len(p.Batch) > 0 {
			p.batch(&m)
		}
		m.Raw(`<form method="post" id="`, theme.FormID, `"><input type="hidden" name="query"`)
		m.Attr("value", p.Query)
		m.Raw(`></form>`)
		m.If(p.Pick, "\n"+`<label class="mf-check mf-only-phone"><input type="checkbox" data-pick-all><span>全选本页</span></label>`)
		m.HTML(p.Grid)
		p.pager(&m)
	} else {
		p.empty(&m)
	}
	m.Raw("\n")
	if len(p.Known) > 0 {
		p.columns(&m)
	}
	if p.Export && len(p.Rows) > 0 {
		p.export(&m)
	}
	m.Raw("\n</div>")
	return m.Done()
}

// query is the search box with its conditions.
func (p listPage) query(m *resource.Markup) {
	m.Raw(`<form class="mf-query`)
	m.If(p.Open, ` mf-query-open`)
	m.Raw(`" method="get"`)
	m.Attr("action", p.Address)
	m.Raw(` role="search"`)
	m.Attr("aria-label", "查询条件")
	m.Raw(`><div class="mf-query-grid">`, "\n")
	if p.Search != "" {
		m.Raw(`<div class="mf-field mf-query-wide"><label class="mf-label" for="f-q">搜索</label><input class="mf-input" type="search" id="f-q" name="q"`)
		m.Attr("value", p.Typed)
		m.Attr("placeholder", p.Search)
		m.Raw(` maxlength="10000" translate="no"></div>`)
	}
	for i, f := range p.Filters {
		m.Raw("\n" + `<div class="mf-field`)
		m.If(p.Folded(i), ` mf-query-more`)
		m.If(f.Error != "", ` mf-field-bad`)
		m.Raw(`">`)
		f.draw(m)
		m.Raw(`</div>`)
	}
	m.Raw("\n" + `<div class="mf-query-acts">`)
	if p.More() {
		if p.Open {
			m.Raw(`<button type="button" class="mf-btn mf-btn-ghost" data-query-more aria-expanded="true">收起</button><input type="hidden" name="more" value="1">`)
		} else {
			m.Raw(`<button type="button" class="mf-btn mf-btn-ghost" data-query-more aria-expanded="false">展开</button><input type="hidden" name="more" value="">`)
		}
	}
	m.Raw(`<a class="mf-btn"`)
	m.Href(p.Clear)
	m.Raw(`>`, `重置</a><button type="submit" class="mf-btn mf-btn-primary">查询</button></div>`, "\n")
	hidden(m, p.Keep)
	m.Raw("</div>\n")
	if p.Pasted != nil {
		p.Pasted.draw(m)
	}
	m.Raw("</form>\n")
}

// hidden carries values along with a form.
func hidden(m *resource.Markup, pairs []pair) {
	for _, one := range pairs {
		m.Raw(`<input type="hidden"`)
		m.Attr("name", one.Name)
		m.Attr("value", one.Value)
		m.Raw(`>`)
	}
}

func (f listFilter) draw(m *resource.Markup) {
	id := "f-" + f.Name
	m.Raw(`<label class="mf-label"`)
	m.Attr("for", id)
	m.Raw(`>`)
	m.Text(f.Title)
	m.Raw(`</label>`)
	if f.Kind == "select" {
		m.Raw(`<select class="mf-select"`)
		m.Attr("id", id)
		m.Attr("name", f.Name)
		m.Raw(`><option value="">`)
		if f.Hint != "" {
			m.Text(f.Hint)
		} else {
			m.Raw(`不限`)
		}
		m.Raw(`</option>`)
		for _, o := range f.Options {
			m.Raw(`<option`)
			m.Attr("value", o.Value)
			m.If(o.Value == f.Value, ` selected`)
			m.Raw(`>`)
			m.Text(o.Label)
			m.Raw(`</option>`)
		}
		m.Raw(`</select>`)
	} else {
		m.Raw(`<input class="mf-input"`)
		m.Attr("type", f.Kind)
		m.Attr("id", id)
		m.Attr("name", f.Name)
		m.Attr("value", f.Value)
		m.Attr("placeholder", f.Hint)
		m.Raw(` spellcheck="false"`)
		if f.Error != "" {
			m.Raw(` aria-invalid="true"`)
			m.Attr("aria-describedby", "e-"+f.Name)
		}
		m.Raw(`>`)
	}
	if f.Error != "" {
		m.Raw(`<p class="mf-error"`)
		m.Attr("id", "e-"+f.Name)
		m.Raw(`>`)
		m.Text(f.Error)
		m.Raw(`</p>`)
	}
}

// draw tells what of a pasted list was found.
func (p *pastedIDs) draw(m *resource.Markup) {
	m.Raw(`<p class="mf-query-note" role="status" data-test="pasted">`)
	m.Text("粘贴了 " + strconv.Itoa(len(p.Asked)) + " 个 AppID：")
	m.Raw(`<span>`)
	m.Text("找到 " + strconv.Itoa(p.Found) + " 个")
	m.Raw(`</span>`)
	if len(p.Missing) > 0 {
		m.Raw(`，<span>`)
		m.Text("没有找到 " + strconv.Itoa(len(p.Missing)) + " 个")
		m.Raw(`</span>：`)
		for _, id := range p.Some() {
			m.Raw(`<code class="mf-mono" translate="no">`)
			m.Text(id)
			m.Raw(`</code> `)
		}
		m.If(len(p.Missing) > 10, `…`)
	}
	m.Raw("</p>\n")
}

// tools are the buttons above the table.
func (p listPage) tools(m *resource.Markup) {
	m.Raw(`<div class="mf-list-tools"><div>`, "\n")
	if p.Create != "" {
		m.Raw(`<a class="mf-btn mf-btn-primary"`)
		m.Href(p.Create)
		m.Raw(` data-test="create">`, `新建</a>`)
	}
	m.HTML(p.Tools)
	if p.Import != "" {
		m.Raw("\n" + `<a class="mf-btn"`)
		m.Href(p.Import)
		m.Raw(` data-test="import">`, `导入</a>`)
	}
	m.If(p.Export && len(p.Rows) > 0, "\n"+`<button type="button" class="mf-btn" data-open="#export-dialog" data-test="export">导出</button>`)
	m.Raw("\n</div><div>")
	p.views(m)
	m.Raw(`<a class="mf-btn"`)
	m.Href(p.Here)
	m.Raw(` data-test="refresh">`, `刷新</a>`)
	m.If(len(p.Known) > 0, `<button type="button" class="mf-btn" data-open="#columns-dialog" data-test="columns">列设置</button>`)
	m.Raw("</div></div>\n")
}

// views are the member's saved filters, and a dialog for each.
func (p listPage) views(m *resource.Markup) {
	m.Raw(`<details class="mf-menu" data-menu><summary class="mf-btn" data-test="views">我的筛选</summary><div class="mf-menu-box mf-menu-wide">`, "\n")
	if len(p.Saved) > 0 {
		m.Raw(`<ul class="mf-views">`)
		for _, v := range p.Saved {
			m.Raw(`<li><a`)
			m.Href(v.Href)
			m.If(v.Default, ` aria-current="true"`)
			m.Raw(`><span class="mf-ellipsis" translate="no">`)
			m.Text(v.Title)
			m.Raw(`</span></a><button type="button" class="mf-btn mf-btn-sm" data-open="#view-`, strconv.FormatInt(v.ID, 10), `">`, `管理</button></li>`)
		}
		m.Raw(`</ul>`)
	} else {
		m.Raw(`<p class="mf-menu-title">还没有保存的筛选。先查询，再在下面起个名字保存。</p>`)
	}
	m.Raw("\n" + `<form class="mf-view-save" method="post"`)
	m.Attr("action", "/admin/lists/"+p.Name+"/filters")
	m.Raw(`>`)
	hidden(m, []pair{{"query", p.Query}, {"return", p.Here}})
	m.Raw(`<input class="mf-input" name="title" maxlength="40" required placeholder="给当前筛选起个名字" aria-label="筛选的名字"><button type="submit" class="mf-btn mf-btn-primary">保存</button></form>`, "\n</div></details>\n")
	for _, v := range p.Saved {
		p.view(m, v)
	}
}

func (p listPage) view(m *resource.Markup, v savedLink) {
	number := strconv.FormatInt(v.ID, 10)
	id := "view-" + number
	m.Raw(`<dialog class="mf-modal" id="`, id, `" aria-labelledby="`, id, `-t"><form method="post"`)
	m.Attr("action", "/admin/lists/"+p.Name+"/filters/"+number)
	m.Raw(`><h2 id="`, id, `-t">`, `管理筛选</h2>`)
	hidden(m, []pair{{"return", p.Here}})
	m.Raw("\n"+`<div class="mf-field"><label class="mf-label" for="`, id, `-n">`, `名字</label><input class="mf-input" id="`, id, `-n" name="title"`)
	m.Attr("value", v.Title)
	m.Raw(` maxlength="40" translate="no"></div>`, "\n"+`<div class="mf-row">`)
	if v.Default {
		m.Raw(`<button type="submit" class="mf-btn" name="do" value="plain">取消默认</button>`)
	} else {
		m.Raw(`<button type="submit" class="mf-btn" name="do" value="default">设为默认</button>`)
	}
	m.Raw(`<button type="submit" class="mf-btn mf-btn-danger" name="do" value="delete" data-test="view-delete">删除</button></div>
<div class="mf-form-actions"><button type="button" class="mf-btn" data-close>取消</button><button type="submit" class="mf-btn mf-btn-primary" name="do" value="rename">改名</button></div></form></dialog>`)
}

// batch is the bar of acts on the ticked rows, and on everything that was found.
func (p listPage) batch(m *resource.Markup) {
	m.Raw(`<div class="mf-batch" data-batch role="region" aria-label="批量操作"><span>已选 <b data-picked>0</b> 条（本页）</span><button type="button" class="mf-btn mf-btn-sm" data-pick-none>取消选择</button>`)
	for _, b := range p.Batch {
		m.Raw("\n"+`<button type="submit" form="`, theme.FormID, `" class="mf-btn mf-btn-sm`)
		m.If(b.Danger, ` mf-btn-danger`)
		m.Raw(`"`)
		m.Attr("formaction", b.Post)
		if b.Confirm != "" {
			m.Attr("data-confirm", b.Confirm)
		}
		m.Raw(` data-batch-needs>`)
		m.Text(b.Title)
		m.Raw(`</button>`)
	}
	if p.Everything != "" {
		m.Raw("\n" + `<details class="mf-menu" data-menu><summary class="mf-btn mf-btn-sm" data-test="everything">`)
		m.Text("全选 " + p.Everything + " 个结果")
		m.Raw(`</summary><div class="mf-menu-box"><p class="mf-menu-title">对符合当前筛选的全部结果，不只是这一页。下一步会先说清数量再执行。</p>`)
		for _, b := range p.Batch {
			m.Raw(`<button type="submit" form="`, theme.FormID, `"`)
			m.Attr("formaction", b.Post)
			m.Raw(` name="all" value="1"`)
			m.If(b.Danger, ` class="mf-danger"`)
			m.Raw(`>`)
			m.Text(b.Title)
			m.Raw(`</button>`)
		}
		m.Raw(`</div></details>`)
	}
	m.Raw(`</div>`)
}

// pager stands below the table: how many, how many a page, and the ways on.
func (p listPage) pager(m *resource.Markup) {
	m.Raw(`<nav class="mf-pager" aria-label="分页"><span class="mf-pager-total" data-test="total">`)
	m.Text(p.Count)
	m.Raw("</span>\n" + `<span class="mf-pager-sizes">`)
	for _, s := range p.Sizes {
		n := strconv.Itoa(s.N)
		if s.On {
			m.Raw(`<b aria-current="true">`)
			m.Text(n + " 条/页")
			m.Raw(`</b>`)
			continue
		}
		m.Raw(`<a`)
		m.Href(s.Href)
		m.Attr("aria-label", "每页 "+n+" 条")
		m.Raw(`>`, n, `</a>`)
	}
	m.Raw("</span>\n")
	for _, way := range [...]struct{ rel, href, title string }{{"first", p.Home, "首页"}, {"prev", p.Prev, "上一页"}, {"next", p.After, "下一页"}, {"last", p.Final, "末页"}} {
		if way.href != "" {
			m.Raw(`<a class="mf-btn mf-btn-sm" rel="`, way.rel, `"`)
			m.Href(way.href)
			m.Raw(`>`, way.title, `</a>`)
		}
	}
	m.Raw(`</nav>`)
}

// empty says what to do with a list without a row.
func (p listPage) empty(m *resource.Markup) {
	m.Raw(`<div class="mf-empty" data-test="empty">`)
	if p.Filtered {
		m.Raw(`<p class="mf-empty-title">没有符合条件的记录</p><p>换个条件，或者清除筛选再看。</p><a class="mf-btn mf-btn-primary"`)
		m.Href(p.Clear)
		m.Raw(` data-test="clear">`, `清除筛选</a>`)
	} else {
		m.Raw(`<p class="mf-empty-title">`)
		m.Text(p.Empty)
		m.Raw(`</p>`)
		if p.Step.Href != "" {
			m.Raw(`<a class="mf-btn mf-btn-primary"`)
			m.Href(p.Step.Href)
			m.Raw(`>`)
			m.Text(p.Step.Title)
			m.Raw(`</a>`)
		}
	}
	m.Raw(`</div>`)
}

// columns is the dialog of what is shown and how close.
func (p listPage) columns(m *resource.Markup) {
	m.Raw(`<dialog class="mf-modal" id="columns-dialog" aria-labelledby="columns-title"><form method="post"`)
	m.Attr("action", "/admin/lists/"+p.Name+"/choice")
	m.Raw(`><h2 id="columns-title">列设置</h2>`)
	hidden(m, []pair{{"return", p.Here}})
	m.Raw("\n" + `<fieldset class="mf-field"><legend>显示的列</legend><div class="mf-cols">`)
	for _, c := range p.Known {
		m.Raw(`<label class="mf-check"><input type="checkbox" name="column"`)
		m.Attr("value", c.Name)
		m.If(c.Shown, ` checked`)
		m.Raw(`><span>`)
		m.Text(c.Title)
		m.Raw(`</span></label>`)
		hidden(m, []pair{{"known", c.Name}})
	}
	m.Raw(`</div></fieldset>`, "\n"+`<fieldset class="mf-field"><legend>行高</legend><div class="mf-row"><label class="mf-check"><input type="radio" name="density" value="normal"`)
	m.If(!p.Dense, ` checked`)
	m.Raw(`><span>标准</span></label><label class="mf-check"><input type="radio" name="density" value="dense"`)
	m.If(p.Dense, ` checked`)
	m.Raw(`><span>紧凑</span></label></div></fieldset>
<div class="mf-form-actions"><button type="button" class="mf-btn" data-close>取消</button><button type="submit" class="mf-btn mf-btn-primary">确定</button></div></form></dialog>`)
}

// export is the dialog that asks for a file.
func (p listPage) export(m *resource.Markup) {
	m.Raw(`<dialog class="mf-modal" id="export-dialog" aria-labelledby="export-title"><form method="post" action="/admin/exports" data-export><h2 id="export-title">导出</h2>`)
	hidden(m, []pair{{"table", p.Name}})
	hidden(m, p.Asked)
	m.Raw(`
<fieldset class="mf-field"><legend>范围</legend><label class="mf-check"><input type="radio" name="scope" value="selected"><span>选中的 <b data-picked>0</b> 条（本页）</span></label><label class="mf-check"><input type="radio" name="scope" value="all" checked><span>`)
	if p.Count != "" {
		m.Text("全部结果（" + p.Count + "）")
	} else {
		m.Raw(`全部结果`)
	}
	m.Raw(`</span></label></fieldset>
<fieldset class="mf-field"><legend>格式</legend><label class="mf-check"><input type="radio" name="format" value="xlsx" checked><span>Excel（xlsx）</span></label><label class="mf-check"><input type="radio" name="format" value="csv"><span>CSV（UTF-8，带 BOM，Excel 可直接打开）</span></label></fieldset>
<p class="mf-help">AppID 和电话按文本导出，不会变成科学计数。结果很多时在后台生成，完成后可以下载。</p>
<div class="mf-form-actions"><button type="button" class="mf-btn" data-close>取消</button><button type="submit" class="mf-btn mf-btn-primary" data-test="export-go">导出</button></div></form></dialog>`)
}
