package ui_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"minifleet/plugins/sdk/ui"
)

func render(t *testing.T, block any) string {
	t.Helper()
	files := fstest.MapFS{"page.html": {Data: []byte(`{{define "page"}}{{ui .}}{{end}}`)}}
	parsed, err := ui.Parse(files, "*.html")
	if err != nil {
		t.Fatal(err)
	}
	html, err := ui.Render(parsed, "page", block)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

func TestBlocksEscapeAndKeepToTheContentPolicy(t *testing.T) {
	evil := `"><script>alert(1)</script>`
	many := int64(1204)
	blocks := map[string]ui.Block{
		"tag": ui.Tag{Label: evil, Color: "green", Live: true}, "empty": ui.Empty{Title: evil, Text: evil, Path: "/x", LinkText: evil},
		"alert": ui.Alert{Title: evil, Text: evil, RID: evil}, "field": ui.Field{Name: "x", Label: evil, Value: evil, Help: evil, Error: evil, Required: true},
		"textarea": ui.Field{Name: "x", Type: "textarea", Value: evil}, "select": ui.Field{Name: "x", Type: "select", Value: "a", Options: []ui.Option{{"a", evil}}},
		"check": ui.Field{Name: "x", Type: "check", Label: evil}, "pager": ui.Pager{Total: &many, First: "/a", Next: "/b"},
		"steps": ui.Steps{Titles: []string{evil, "二"}, Now: 1}, "timeline": ui.Timeline{Moments: []ui.Moment{{At: 1, Text: evil, Note: evil}}},
		"progress": ui.Progress{Stages: []ui.Stage{{Title: evil, State: "done", Note: evil}}}, "qr": ui.QR{Src: "/q", Caption: evil, Over: evil},
		"copy": ui.Copy{ID: "c", Text: evil}, "confirm": ui.Confirm{Action: "/x", Label: evil, Question: evil, Hidden: []ui.Hidden{{"id", evil}}},
		"pairs": ui.Pairs{Pairs: []ui.Pair{{Label: evil, Text: evil, Mono: true}}},
	}
	for name, block := range blocks {
		html := render(t, block)
		if strings.Contains(html, "<script") || strings.Contains(html, "style=") || strings.Contains(html, " on") && strings.Contains(html, "onclick") {
			t.Errorf("%s: %s", name, html)
		}
		if !strings.Contains(html, "mf-") {
			t.Errorf("%s has no class of the platform: %s", name, html)
		}
	}
}

func TestFieldsPointToTheirHelpAndError(t *testing.T) {
	html := render(t, ui.Field{Name: "appid", Label: "AppID", Value: "wx1", Help: "在公众平台查看", Error: "格式不正确"})
	for _, part := range []string{`for="appid"`, `value="wx1"`, `aria-invalid="true"`, `aria-describedby="appid-help appid-error"`, `id="appid-error">格式不正确`} {
		if !strings.Contains(html, part) {
			t.Errorf("field lacks %s: %s", part, html)
		}
	}
	chosen := render(t, ui.Field{Name: "s", Type: "select", Value: "b", Options: []ui.Option{{"a", "甲"}, {"b", "乙"}}})
	if !strings.Contains(chosen, `<option value="b" selected>`) || strings.Contains(chosen, `<option value="a" selected>`) {
		t.Errorf("select %s", chosen)
	}
}

func TestNumbersAndTimesReadAsOnChineseScreens(t *testing.T) {
	many := int64(1234567)
	for got, want := range map[string]string{
		ui.When(1795320000000): "2026-11-22 12:00:00", ui.When(0): "—", ui.Day(1795320000000): "2026-11-22", ui.Total(nil): "10,000+",
		ui.Total(&many): "1,234,567", ui.Yuan(123400): "¥1,234.00", ui.Yuan(-5): "-¥0.05", ui.Yuan(0): "¥0.00",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
