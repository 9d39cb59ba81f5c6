package dashboard

import (
	"strconv"
	"strings"

	"minifleet/app/account"
)

// Snapshot is what one member sees at one moment.
type Snapshot struct {
	At    int64    `json:"at"` // Unix milliseconds, platform time
	Kind  string   `json:"kind"`
	Cards []Card   `json:"cards"`
	Todo  []Figure `json:"todo"`
}

// Card is a box of figures. Unavailable says why it is empty; the other cards do not mind.
type Card struct {
	Key         string   `json:"key"`
	Title       string   `json:"title"`
	Plugin      string   `json:"plugin,omitempty"`
	Permission  string   `json:"permission,omitempty"`
	Note        string   `json:"note,omitempty"`
	Unavailable string   `json:"unavailable,omitempty"`
	Figures     []Figure `json:"figures,omitempty"`
	Chart       *Chart   `json:"chart,omitempty"`
	Todo        []Figure `json:"todo,omitempty"`
}

// Figure is one number and the list behind it, which shows the same number. An unknown one has no Value but a Reason.
type Figure struct {
	Key    string `json:"key"`
	Title  string `json:"title"`
	Value  *int64 `json:"value"`
	More   bool   `json:"more,omitempty"` // more than Value, which was not counted further
	Text   string `json:"text,omitempty"` // shown instead of the number
	Reason string `json:"reason,omitempty"`
	Href   string `json:"href,omitempty"`
	Tone   string `json:"tone,omitempty"`
	Note   string `json:"note,omitempty"`
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
	Title  string  `json:"title"`
	Kind   string  `json:"kind"` // bar, line or pie
	Unit   string  `json:"unit,omitempty"`
	Note   string  `json:"note,omitempty"`
	Reason string  `json:"reason,omitempty"` // why there is nothing to draw
	Points []Point `json:"points"`
}

// Point is one value of a chart.
type Point struct {
	Label string  `json:"label"`
	Value float64 `json:"value"`
	Href  string  `json:"href,omitempty"`
	Tone  string  `json:"tone,omitempty"`
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
