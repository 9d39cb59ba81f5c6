package market

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"sync"
	"time"

	"minifleet/plugins/sdk"
)

//go:embed views/*.html
var viewFiles embed.FS

// views are the plugin's blocks of HTML, parsed at first use.
var views = sync.OnceValues(func() (*template.Template, error) {
	parsed, err := template.New("market").Funcs(template.FuncMap{
		"at": clockText, "day": dayText, "count": grouped, "price": price, "initial": initial, "paragraphs": paragraphs, "field": settingField,
		"stages": stages, "pick": pick,
	}).ParseFS(viewFiles, "views/*.html")
	if err != nil {
		return nil, err
	}
	return parsed.Parse(sdk.RefusalBlock())
})

// render fills one block.
func render(block string, data any) (template.HTML, error) {
	parsed, err := views()
	if err != nil {
		return "", fmt.Errorf("parse views: %w", err)
	}
	var out bytes.Buffer
	if err := parsed.ExecuteTemplate(&out, block, data); err != nil {
		return "", fmt.Errorf("render %s: %w", block, err)
	}
	return template.HTML(out.String()), nil // escaped by html/template
}

// page renders a block into a view.
func page(view sdk.View, block string, data any) (sdk.View, error) {
	html, err := render(block, data)
	view.HTML = html
	return view, err
}

// pluginPath is the address of another first-party plugin's page in the frame of this call.
func pluginPath(ctx context.Context, plugin, below string) string {
	prefix := "/p/"
	if sdk.Frame(ctx) == sdk.FrameAdmin {
		prefix = "/admin/p/"
	}
	return prefix + plugin + below
}

// tablePath is a plugin's table in the back office.
func tablePath(plugin, table string) string { return "/admin/info/" + plugin + "_" + table }

func shanghai(ms int64) time.Time {
	return time.UnixMilli(ms).In(time.FixedZone("Asia/Shanghai", 8*60*60))
}

func clockText(ms int64) string {
	if ms == 0 {
		return "—"
	}
	return shanghai(ms).Format("2006-01-02 15:04:05")
}

func dayText(ms int64) string {
	if ms == 0 {
		return "—"
	}
	return shanghai(ms).Format("2006-01-02")
}

// grouped writes 1204 as 1,204.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func price(fen int64) string {
	if fen == 0 {
		return "免费"
	}
	return fmt.Sprintf("¥%s.%02d", grouped(fen/100), fen%100)
}

// initial stands for an icon.
func initial(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}

// paragraphs makes one of each line of plain text.
func paragraphs(text string) []string {
	var found []string
	for part := range strings.SplitSeq(text, "\n") {
		if part = strings.TrimSpace(part); part != "" {
			found = append(found, part)
		}
	}
	return found
}

// totalText is a count as lists show it: exact to 10,000.
func totalText(total *int64) string {
	if total == nil {
		return "10,000+"
	}
	return grouped(*total)
}

// took is how long something took, for a person.
func took(from, to int64) string {
	if from == 0 || to < from {
		return ""
	}
	elapsed := time.Duration(to-from) * time.Millisecond
	if elapsed < time.Minute {
		return fmt.Sprintf("%.1f 秒", elapsed.Seconds())
	}
	return fmt.Sprintf("%d 分 %d 秒", int(elapsed.Minutes()), int(elapsed.Seconds())%60)
}

// refused tells a failure that the person on the page can mend from one that belongs on an error page.
func refused(err error) bool {
	var failure *sdk.Error
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Kind {
	case sdk.KindInvalid, sdk.KindConflict, sdk.KindTooMany, sdk.KindForbidden:
		return true
	default:
		return false
	}
}

// oneTimeKey is a form's key: 26 letters and digits.
func oneTimeKey() string { return rand.Text() }

// cut shortens text to most characters.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}
