package ui

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"minifleet/resource/dictionary"
)

//go:embed blocks.html
var blocks embed.FS

// Parse reads a plugin's templates with the shared functions:
//
//	{{template "wechat-refusal" .}}  WeChat's answer: 原因 · 谁来处理 · 一键处理 · 复制诊断信息 (a *dictionary.Refusal)
//	{{ui .Pager}}  a Block         {{when .At}}  2026-11-22 12:00:00, "—" for 0
//	{{day .At}}    2026-11-22      {{total .N}}  1,204, or 10,000+ for nil
//	{{yuan .Fen}}  ¥1,234.00
//
// Times are Unix milliseconds, shown in Asia/Shanghai.
func Parse(files fs.FS, patterns ...string) (*template.Template, error) {
	shared, err := Blocks()
	if err != nil {
		return nil, err
	}
	parsed, err := template.New("plugin").Funcs(Functions(shared)).ParseFS(files, patterns...)
	if err == nil {
		parsed, err = parsed.Parse(dictionary.Block())
	}
	if err != nil {
		return nil, fmt.Errorf("parse templates: %w", err)
	}
	return parsed, nil
}

// Blocks parses the shared blocks alone.
func Blocks() (*template.Template, error) {
	shared, err := template.New("ui").Funcs(Functions(nil)).ParseFS(blocks, "blocks.html")
	if err == nil {
		shared, err = shared.Parse(dictionary.Block())
	}
	if err != nil {
		return nil, fmt.Errorf("parse shared blocks: %w", err)
	}
	return shared, nil
}

// Functions are the template functions of Parse, for an author who parses otherwise. shared is what Blocks gave.
func Functions(shared *template.Template) template.FuncMap {
	return template.FuncMap{
		"ui":    func(block Block) (template.HTML, error) { return Render(shared, block.block(), block) },
		"when":  When,
		"day":   Day,
		"total": Total,
		"yuan":  Yuan,
	}
}

// Render executes one named template into a fragment.
func Render(parsed *template.Template, name string, data any) (template.HTML, error) {
	var page strings.Builder
	if err := parsed.ExecuteTemplate(&page, name, data); err != nil {
		return "", fmt.Errorf("render %s: %w", name, err)
	}
	return template.HTML(page.String()), nil
}

// shanghai is the zone of every screen.
func shanghai(ms int64) time.Time {
	return time.UnixMilli(ms).In(time.FixedZone("Asia/Shanghai", 8*3600))
}

// When shows a moment to the second; 0 is "—".
func When(ms int64) string {
	if ms == 0 {
		return "—"
	}
	return shanghai(ms).Format("2006-01-02 15:04:05")
}

// Day shows a date; 0 is "—".
func Day(ms int64) string {
	if ms == 0 {
		return "—"
	}
	return shanghai(ms).Format("2006-01-02")
}

// Total shows a count; nil, which the host gives beyond 10,000, is "10,000+".
func Total(count *int64) string {
	if count == nil {
		return "10,000+"
	}
	return grouped(*count)
}

// Yuan shows an amount of fen.
func Yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s¥%s.%02d", sign, grouped(fen/100), fen%100)
}

func grouped(number int64) string {
	digits := strconv.FormatInt(number, 10)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}
