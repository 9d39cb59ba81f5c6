package portal

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"minifleet/app/miniprogram"
	"minifleet/app/plugin"
	"minifleet/app/trail"
	"minifleet/app/wechat"
	"minifleet/resource"
)

// shanghai is the zone of every date on a screen. China has had no summer time since 1991, so a fixed zone is right
// and needs no zone database on the machine.
var shanghai = time.FixedZone("CST", 8*60*60)

const timeLayout = "2006-01-02 15:04:05"

// label is a word with its colour.
type label struct{ Text, Color string }

// words are the functions of the templates.
func (p *Portal) words() template.FuncMap {
	return template.FuncMap{
		"when": when, "plugin": p.pluginTitle, "initial": resource.Initial, "join": strings.Join, "act": trail.Entry.Title, "count": count, "noticeWord": noticeWord,
		"state": state, "authState": authState, "account": accountWord, "verified": verified, "sets": func() string { return setNames(miniprogram.NeededSets()) },
		"category": func(c wechat.CategoryNames) string { return strings.TrimSuffix(c.First+" / "+c.Second, " / ") },
		"seconds":  func(n int64) int64 { return n * 1000 }, "memberFields": memberFieldsOf,
	}
}

// pluginTitle is the name of a plugin as people know it; one that is not installed any more keeps its id.
func (p *Portal) pluginTitle(id string) string {
	if known, ok := p.o.Plugins.(interface{ Manifests() []*plugin.Manifest }); ok {
		for _, m := range known.Manifests() {
			if m.GetId() == id {
				return m.GetTitle()
			}
		}
	}
	return id
}

// when shows Unix milliseconds; 0 is never.
func when(ms int64) string {
	if ms <= 0 {
		return "—"
	}
	return time.UnixMilli(ms).In(shanghai).Format(timeLayout)
}

// count shows a total that is exact to 10,000 and -1 beyond.
func count(n int64) string {
	if n < 0 {
		return "10,000+"
	}
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func setNames(sets []int) string {
	names := make([]string, len(sets))
	for i, set := range sets {
		names[i] = "「" + miniprogram.SetName(set) + "」"
	}
	return strings.Join(names, "")
}

// state is how a mini program stands as a whole: its best authorisation counts.
func state(m miniprogram.MiniProgram) label {
	best := label{"未授权", "grey"}
	for _, a := range m.Authorizations {
		switch {
		case a.State == miniprogram.Active && !slices.ContainsFunc(miniprogram.NeededSets(), func(set int) bool { return !a.Holds(set) }):
			return label{"已授权", "green"}
		case a.State == miniprogram.Active:
			best = label{"权限不全", "orange"}
		case best.Color == "grey":
			best = authState(a.State)
		}
	}
	return best
}

func authState(state string) label {
	switch state {
	case miniprogram.Active:
		return label{"已授权", "green"}
	case miniprogram.NeedsReauth:
		return label{"授权失效", "red"}
	case miniprogram.Revoked:
		return label{"已取消授权", "grey"}
	default:
		return label{state, "grey"}
	}
}

// accountWord is WeChat's account_status (01 D.6).
func accountWord(status int) label {
	switch status {
	case 1:
		return label{"正常", "green"}
	case 14:
		return label{"已注销", "grey"}
	case 16:
		return label{"已封禁", "red"}
	case 18:
		return label{"已告警", "orange"}
	case 19:
		return label{"已冻结", "red"}
	default:
		return label{"未同步", "grey"}
	}
}

func verified(kind int) string {
	if kind < 0 {
		return "未认证"
	}
	return "已认证"
}
