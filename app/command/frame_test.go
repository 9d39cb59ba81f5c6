package command_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestFrameAndListsByHand tries in a browser what only a browser can: menus by keyboard, the drawer of a phone, theme,
// ticked rows, the dialogs of a list, and a wizard that keeps what was typed.
func TestFrameAndListsByHand(t *testing.T) {
	d := startDemo(t, binary(t))
	browser := startBrowser(t)
	m := sit(t, browser, "merchant-frame", 1366, d.base, d.listen)
	m.login("merchant@example.test", "/admin/info/market_listings")
	m.see("商品上架")

	m.click("[data-test=space]")
	m.see("切换空间")
	m.wait("see the spaces", `!!document.querySelector(".mf-menu-space form[action='/space'] [aria-current]")`)
	m.keys(`[data-test=space]`, "Escape")
	m.wait("have the menu closed and the focus back", `!document.querySelector(".mf-menu[open]") && document.activeElement.dataset.test==="space"`)

	m.click("[data-test=prefs]")
	m.keys(`[data-test=prefs]`, "ArrowDown")
	m.wait("walk by arrows", `document.activeElement.value==="auto"`)
	m.press("[name=theme][value=dark]")
	m.wait("see it dark", `document.documentElement.dataset.mfTheme==="dark" && getComputedStyle(document.body).backgroundColor==="rgb(18, 22, 28)"`)
	m.wait("be back on the list", `location.pathname==="/admin/info/market_listings"`)

	m.wait("have no bar without ticks", `document.querySelector("[data-batch]").hidden`)
	m.tick("tbody [data-pick]")
	m.wait("count the ticks", `!document.querySelector("[data-batch]").hidden && document.querySelector("[data-picked]").textContent==="1" && document.querySelector("thead [data-pick-all]").checked`)
	m.click("[data-batch] .mf-btn-danger")
	m.wait("be told what will be touched", `document.querySelector("dialog[open]").innerText.includes("选中 1 条：扫码点餐")`)
	m.click("dialog[open] [data-test=confirm-no]")
	m.click("[data-test=export]")
	m.wait("choose what goes into the file", `!document.querySelector("#export-dialog [value=selected]").disabled && document.querySelector("#export-dialog").contains(document.activeElement)`)
	m.click("#export-dialog [data-close]")
	m.click("[data-test=columns]")
	ask[bool](m, `document.querySelector("#columns-dialog [value=category]").click()===undefined`)
	ask[bool](m, `document.querySelector("#columns-dialog [value=dense]").click()===undefined`)
	m.press("#columns-dialog [type=submit]")
	m.wait("see the chosen columns", `!!document.querySelector(".mf-table-dense") && !document.querySelector("td[data-label='行业']")`)
	if ask[bool](m, `!!document.querySelector("[data-test=act-list]")`) {
		t.Error("上架 is offered on what is listed")
	}

	m.open("/admin/components/new")
	m.fill("[name=name]", "青禾小程序平台")
	m.fill("[name=appid]", "wx1234")
	m.fill("[name=secret]", "not-to-be-kept")
	m.open("/admin")
	m.open("/admin/components/new")
	m.wait("find the input again, but for the secret", `document.querySelector("[name=name]").value==="青禾小程序平台" && document.querySelector("[name=appid]").value==="wx1234" && document.querySelector("[name=secret]").value===""`)
	if ask[bool](m, `JSON.stringify({...sessionStorage, ...localStorage}).includes("not-to-be-kept")`) {
		t.Error("a secret is kept in the browser")
	}

	m.do("take a phone", chromedp.EmulateViewport(360, 780))
	m.open("/admin/info/market_listings")
	m.wait("have the menu put away", `getComputedStyle(document.querySelector("#mf-side")).visibility==="hidden"`)
	m.click("[data-drawer]")
	m.wait("have the drawer open and the focus in it", `document.querySelector("#mf-side").contains(document.activeElement) && document.querySelector(".mf-frame").inert`)
	m.keys(`#mf-side [aria-current]`, "Escape")
	m.wait("have it closed and the focus back", `!document.body.classList.contains("mf-drawer-on") && document.activeElement.hasAttribute("data-drawer")`)
	if over := ask[bool](m, `document.documentElement.scrollWidth>innerWidth`); over {
		t.Error("the list is wider than a phone")
	}
	if !ask[bool](m, `getComputedStyle(document.querySelector("tbody tr")).display==="block"`) {
		t.Error("rows are no cards on a phone")
	}
	m.content()
}

// keys presses a key on an element.
func (p *person) keys(sel, key string) {
	p.t.Helper()
	ask[bool](p, fmt.Sprintf(`(()=>{const e=document.querySelector(%q); e.focus(); return e.dispatchEvent(new KeyboardEvent("keydown",{key:%q,bubbles:true,cancelable:true}))})()`, sel, key))
}
