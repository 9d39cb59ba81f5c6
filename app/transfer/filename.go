package transfer

import (
	"net/url"
	"strings"
	"time"
)

// fileName is title, filter and moment: 小程序-电商-20261122-221500.xlsx.
func fileName(title, filter, format string, now time.Time) string {
	name := clean(title, 40)
	if f := clean(filter, 40); f != "" {
		name += "-" + f
	}
	return name + "-" + now.In(shanghai()).Format("20060102-150405") + "." + format
}

// clean leaves out what some file system or header refuses.
func clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|;%`, r):
			return -1
		default:
			return r
		}
	}, s)
	r := []rune(strings.Trim(strings.Join(strings.Fields(s), " "), ". "))
	return string(r[:min(len(r), most)])
}

// Disposition is the Content-Disposition of a download: an ASCII name for old clients and the real one after RFC 5987.
func Disposition(name string) string {
	plain := strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && !strings.ContainsRune(`"\;%`, r) {
			return r
		}
		return '_'
	}, name)
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
}
