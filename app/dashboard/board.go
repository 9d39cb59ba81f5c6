package dashboard

import (
	"strconv"
	"strings"

	"minifleet/app/account"
)

// Snapshot is what one member sees at one moment.
type Snapshot struct {
	At    int64    `json:"at" dc:"统计时间，Unix 毫秒"` // Unix milliseconds, platform time
	Kind  string   `json:"kind" dc:"种类：bar line pie，或空间种类"`
	Cards []Card   `json:"cards" dc:"卡片"`
	Todo  []Figure `json:"todo" dc:"待办"`
}

// Card is a box of figures. Unavailable says why it is empty; the other cards do not mind.
type Card struct {
	Key         string   `json:"key" dc:"标识"`
	Title       string   `json:"title" dc:"标题"`
	Plugin      string   `json:"plugin,omitempty" dc:"来自哪个插件"`
	Permission  string   `json:"permission,omitempty" dc:"需要的权限"`
	Note        string   `json:"note,omitempty" dc:"说明"`
	Unavailable string   `json:"unavailable,omitempty" dc:"暂时读不到的原因"`
	Figures     []Figure `json:"figures,omitempty" dc:"指标"`
	Chart       *Chart   `json:"chart,omitempty" dc:"图表"`
	Todo        []Figure `json:"todo,omitempty" dc:"待办"`
}

// Figure is one number and the list behind it, which shows the same number. An unknown one has no Value but a Reason.
type Figure struct {
	Key    string `json:"key" dc:"标识"`
	Title  string `json:"title" dc:"标题"`
	Value  *int64 `json:"value" dc:"数值；未知时为 null"`
	More   bool   `json:"more,omitempty" dc:"实际比数值更多，没有继续数"` // more than Value, which was not counted further
	Text   string `json:"text,omitempty" dc:"代替数值显示的文字"`     // shown instead of the number
	Reason string `json:"reason,omitempty" dc:"未知的原因"`
	Href   string `json:"href,omitempty" dc:"背后列表的地址"`
	Tone   string `json:"tone,omitempty" dc:"颜色：green blue orange red grey"`
	Note   string `json:"note,omitempty" dc:"说明"`
}

// Shown is the figure in words: a dash when it is unknown, never a nought.
func (f Figure) Shown() string {
	switch {
	case f.Value == nil:
		return "—"
	case f.Text != "":
		return f.Text
	}
	text := grouped(*f.Value)
	if f.More {
		text += "+"
	}
	return text
}

// Known reports whether there is a number.
func (f Figure) Known() bool { return f.Value != nil }

// Positive reports whether the number is known and above nought.
func (f Figure) Positive() bool { return f.Value != nil && *f.Value > 0 }

// Chart is a row of values.
type Chart struct {
	Title  string  `json:"title" dc:"标题"`
	Kind   string  `json:"kind" dc:"种类：bar line pie，或空间种类"` // bar, line or pie
	Unit   string  `json:"unit,omitempty" dc:"单位"`
	Note   string  `json:"note,omitempty" dc:"说明"`
	Reason string  `json:"reason,omitempty" dc:"未知的原因"` // why there is nothing to draw
	Points []Point `json:"points" dc:"数据点"`
}

// Point is one value of a chart.
type Point struct {
	Label string  `json:"label" dc:"标签"`
	Value float64 `json:"value" dc:"数值；未知时为 null"`
	Href  string  `json:"href,omitempty" dc:"背后列表的地址"`
	Tone  string  `json:"tone,omitempty" dc:"颜色：green blue orange red grey"`
}

// Shown is the value as a table shows it.
func (p Point) Shown() string { return strconv.FormatFloat(p.Value, 'f', -1, 64) }

// Figure finds a figure by its key, in whatever card; an unknown one when there is none.
func (s Snapshot) Figure(key string) Figure {
	for _, c := range s.Cards {
		for _, f := range c.Figures {
			if f.Key == key {
				return f
			}
		}
	}
	return Figure{Key: key, Reason: "暂时读不到"}
}

// Figures finds the figures of a key, and those of its parts, whose keys begin with it and an underscore.
func (s Snapshot) Figures(key string) []Figure {
	var found []Figure
	for _, c := range s.Cards {
		for _, f := range c.Figures {
			if f.Key == key || strings.HasPrefix(f.Key, key+"_") {
				found = append(found, f)
			}
		}
	}
	return found
}

// Card finds a card by plugin and key.
func (s Snapshot) Card(plugin, key string) (Card, bool) {
	for _, c := range s.Cards {
		if c.Plugin == plugin && c.Key == key {
			return c, true
		}
	}
	return Card{}, false
}

func number(n int64) *int64 { return &n }

// counted makes a figure of a total that is exact to 10,000 and -1 beyond.
func counted(key, title, href, tone string, total int64) Figure {
	f := Figure{Key: key, Title: title, Href: href, Tone: tone, Value: number(total)}
	if total < 0 {
		f.Value, f.More = number(10_000), true
	}
	return f
}

func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// tidy keeps of a plugin's card what may be shown: addresses of the back office only, known tones and kinds, and no more
// than a screen holds.
func (c *Card) tidy() {
	c.Figures, c.Todo = tidyFigures(c.Figures), tidyFigures(c.Todo)
	if c.Chart == nil {
		return
	}
	if c.Chart.Kind != "line" && c.Chart.Kind != "pie" {
		c.Chart.Kind = "bar"
	}
	c.Chart.Points = c.Chart.Points[:min(len(c.Chart.Points), 200)]
	for i := range c.Chart.Points {
		c.Chart.Points[i].Href = inside(c.Chart.Points[i].Href)
	}
}

func tidyFigures(list []Figure) []Figure {
	list = list[:min(len(list), 40)]
	for i := range list {
		list[i].Href, list[i].Tone = inside(list[i].Href), tone(list[i].Tone)
		if list[i].Value == nil && list[i].Reason == "" {
			list[i].Reason = "插件没有给出原因"
		}
	}
	return list
}

func inside(href string) string {
	if strings.HasPrefix(href, "/admin/") && !strings.ContainsAny(href, "\\\"<>\r\n\t ") {
		return href
	}
	return ""
}

func tone(s string) string {
	switch s {
	case "green", "blue", "orange", "red", "grey":
		return s
	}
	return ""
}

// may reports whether the card is for the actor.
func (c Card) may(who account.Actor) bool { return c.Permission == "" || who.Can(c.Permission) }
