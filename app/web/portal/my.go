package portal

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"minifleet/app/dashboard"
	"minifleet/app/miniprogram"
)

type programsView struct {
	Query string
	Items []miniprogram.MiniProgram
	Total int64
	First string // address of the first page, "" when this is it
	Next  string
	Steps *dashboard.Checklist
	// Versions says that the version plugin's pages are open to this member.
	Versions bool
}

// my leads to what a person has.
func (p *Portal) my(w http.ResponseWriter, r *http.Request, _ *visit) error {
	redirect(w, r, "/my/miniprograms")
	return nil
}

// versionPages is the permission that the version plugin's pages ask for.
const versionPages = "version.operate"

// pageSize is the number of rows of a list.
const pageSize = 20

// programs lists what the current space sees (我的小程序).
func (p *Portal) programs(w http.ResponseWriter, r *http.Request, v *visit) error {
	query := searchWords(r.URL.Query().Get("q"))
	cursor, err := cursorOf(r)
	if err != nil {
		return err
	}
	list, err := p.o.Grants.MiniPrograms(r.Context(), v.actor, miniprogram.Filter{Query: query, Cursor: cursor, Limit: pageSize})
	if err != nil {
		return err
	}
	view := programsView{Query: query, Items: list.Items, Total: list.Total, Steps: p.checklist(r.Context(), v.actor), Versions: v.actor.Can(versionPages)}
	if cursor > 0 {
		view.First = listAddress(r.URL.Path, query, 0)
	}
	if list.Next > 0 {
		view.Next = listAddress(r.URL.Path, query, list.Next)
	}
	return p.show(w, r, v, "programs", view, page{Title: "我的小程序"})
}

// searchWords is what a person meant to type: without the spaces around a paste, with full-width characters made half.
func searchWords(text string) string {
	text = strings.TrimSpace(strings.Map(func(c rune) rune {
		switch {
		case c == '\u3000':
			return ' '
		case c >= '\uff01' && c <= '\uff5e':
			return c - 0xfee0
		default:
			return c
		}
	}, text))
	if runes := []rune(text); len(runes) > 400 {
		text = string(runes[:400])
	}
	return text
}

func listAddress(path, query string, cursor int64) string {
	values := url.Values{}
	if query != "" {
		values.Set("q", query)
	}
	if cursor > 0 {
		values.Set("cursor", strconv.FormatInt(cursor, 10))
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}
