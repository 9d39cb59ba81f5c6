package theme

import (
	"html/template"
	"strconv"

	"minifleet/resource"
)

// Frame is what surrounds the body of a page.
type Frame struct {
	Title, Subtitle string
	// Trail are the pages above this one.
	Trail []Crumb
	Menu  []MenuItem
	Bar   resource.Bar
	// Environment is said in the top bar where it is not the real thing.
	Environment string
	// Head and Foot are the tags of style sheet and script.
	Head, Foot template.HTML
	// Flash is the sentence about what has just been done.
	Flash string
	Body  template.HTML
}

// Crumb is a titled address above a page.
type Crumb struct{ Title, Href string }

// MenuItem is a line of the left menu as the frame draws it: a page, or a group of pages.
type MenuItem struct {
	ID          int
	Title, Href string
	Icon        template.HTML
	On          bool
	Children    []MenuItem
}

// Full is the whole page with menu and top bar.
func (f Frame) Full() template.HTML {
	var m resource.Markup
	m.Grow(16<<10 + len(f.Body))
	f.head(&m)
	m.Raw(`<body class="mf-page mf-app">
<a class="mf-skip" href="#main">跳到正文</a>
<aside class="mf-side" id="mf-side" data-drawer-box><div class="mf-side-head"><a class="mf-brand" href="/admin">MiniFleet</a><a class="mf-side-close" href="#main" data-drawer-close aria-label="收起菜单">✕</a></div>
<nav class="mf-side-nav" aria-label="主菜单">`)
	sideMenu(&m, f.Menu)
	m.Raw(`</nav></aside>
<a class="mf-veil" href="#main" data-drawer-close tabindex="-1" aria-hidden="true"></a>
<div class="mf-frame">
<header class="mf-appbar">
<a class="mf-bar-btn mf-drawer-open" href="#mf-side" data-drawer="#mf-side" aria-label="展开菜单" aria-controls="mf-side"><svg class="mf-ico" viewBox="0 0 24 24" aria-hidden="true"><path fill="none" d="M4 6h16M4 12h16M4 18h16"/></svg></a>
`)
	if f.Environment != "" {
		m.Raw(`<span class="mf-env" data-test="environment">`)
		m.Text(f.Environment)
		m.Raw(`</span>`)
	}
	m.Raw(`
<div class="mf-topbar-end">`)
	m.HTML(f.Bar.End())
	m.Raw(`</div>
</header>
<main class="mf-main" id="main" tabindex="-1">`)
	f.content(&m)
	m.Raw(`</main>
<footer class="mf-footer">MiniFleet · 由 GoAdmin 提供后台框架</footer>
</div>
`)
	m.HTML(f.Foot)
	m.Raw("\n</body>\n</html>")
	return m.Done()
}

// Plain is the page of somebody who has no back office.
func (f Frame) Plain() template.HTML {
	var m resource.Markup
	f.head(&m)
	m.Raw(`<body class="mf-page"><header class="mf-topbar"><div class="mf-topbar-in"><a class="mf-brand" href="/market">MiniFleet</a></div></header>
<main id="main" class="mf-main mf-main-narrow" tabindex="-1"><div class="mf-page-head"><h1>`)
	m.Text(f.Title)
	m.Raw(`</h1></div>`)
	m.HTML(f.Body)
	m.Raw(`</main>`)
	m.HTML(f.Foot)
	m.Raw("</body>\n</html>")
	return m.Done()
}

func (f Frame) head(m *resource.Markup) {
	m.Raw("<!DOCTYPE html>\n<html")
	m.Attr("lang", f.Bar.HTMLLang())
	if look := f.Bar.HTMLTheme(); look != "" {
		m.Attr("data-mf-theme", look)
	}
	m.Raw(">\n<head>\n<meta charset=\"utf-8\">\n<title>")
	m.Text(f.Title + " · MiniFleet 管理后台")
	m.Raw(`</title>
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<link rel="icon" href="data:,">
`)
	m.HTML(f.Head)
	m.Raw("\n</head>\n")
}

func sideMenu(m *resource.Markup, items []MenuItem) {
	m.Raw(`<ul class="mf-side-menu">`)
	for _, item := range items {
		if len(item.Children) == 0 {
			menuLine(m, item)
			continue
		}
		id := "g-" + strconv.Itoa(item.ID)
		m.Raw(`<li class="mf-side-group"><span class="mf-side-title" id="`, id, `">`, string(item.Icon), `<span>`)
		m.Text(item.Title)
		m.Raw(`</span></span><ul aria-labelledby="`, id, `">`)
		for _, c := range item.Children {
			menuLine(m, c)
		}
		m.Raw(`</ul></li>`)
	}
	m.Raw(`</ul>`)
}

// menuLine is a page in the menu: with a picture at the top level, bare within a group.
func menuLine(m *resource.Markup, item MenuItem) {
	m.Raw(`<li><a`)
	m.Href(item.Href)
	m.If(item.On, ` class="mf-side-on" aria-current="page"`)
	m.Raw(`>`)
	if item.Icon == "" {
		m.Text(item.Title)
	} else {
		m.Raw(string(item.Icon), `<span>`)
		m.Text(item.Title)
		m.Raw(`</span>`)
	}
	m.Raw(`</a></li>`)
}

func (f Frame) content(m *resource.Markup) {
	if len(f.Trail) > 0 {
		m.Raw(`<nav class="mf-crumbs" aria-label="当前位置">`)
		for _, c := range f.Trail {
			m.Raw(`<a`)
			m.Href(c.Href)
			m.Raw(`>`)
			m.Text(c.Title)
			m.Raw(`</a><span aria-hidden="true">/</span>`)
		}
		m.Raw(`<span>`)
		m.Text(f.Title)
		m.Raw(`</span></nav>`)
	}
	m.Raw(`
<div class="mf-page-head"><div><h1>`)
	m.Text(f.Title)
	m.Raw(`</h1>`)
	if f.Subtitle != "" {
		m.Raw(`<p class="mf-sub">`)
		m.Text(f.Subtitle)
		m.Raw(`</p>`)
	}
	m.Raw(`</div></div>
`)
	if f.Flash != "" {
		m.Raw(`<div class="mf-flash" role="status" data-test="flash">`)
		m.Text(f.Flash)
		m.Raw(`</div>`)
	}
	m.HTML(f.Body)
}
