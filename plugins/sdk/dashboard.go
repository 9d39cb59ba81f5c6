package sdk

import "context"

// Card is a box of figures on the 工作台. The back office draws it; the plugin only counts.
type Card struct {
	Key        string   `json:"key"` // unique in the plugin, [a-z_]
	Title      string   `json:"title"`
	Permission string   `json:"permission,omitempty"` // who lacks it does not see the card
	Note       string   `json:"note,omitempty"`
	Figures    []Figure `json:"figures,omitempty"`
	Chart      *Chart   `json:"chart,omitempty"`
	Todo       []Figure `json:"todo,omitempty"` // goes into the to-do list; those with nothing to do are left out
}

// Figure is one number and the list behind it. Count a list with the very conditions that Href sets, so that both show
// the same number.
type Figure struct {
	Key    string `json:"key"`
	Title  string `json:"title"`
	Value  *int64 `json:"value"`            // nil: unknown, and Reason says why
	More   bool   `json:"more,omitempty"`   // more than Value, which was not counted further
	Text   string `json:"text,omitempty"`   // shown instead of the number, such as 3.2 小时
	Reason string `json:"reason,omitempty"` // why Value is unknown
	Href   string `json:"href,omitempty"`   // complete address below /admin
	Tone   string `json:"tone,omitempty"`   // green blue orange red grey
	Note   string `json:"note,omitempty"`   // such as the time at which it was true
}

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

// Number is a known figure.
func Number(n int64) *int64 { return &n }

// Counted makes a figure of a Find with Count: a nil total means more than 10,000.
func Counted(key, title, href, tone string, total *int64) Figure {
	if total == nil {
		return Figure{Key: key, Title: title, Href: href, Tone: tone, Value: Number(10_000), More: true}
	}
	return Figure{Key: key, Title: title, Href: href, Tone: tone, Value: total}
}

// Dashboard declares the plugin's cards for the 工作台, computed for the actor of the call. It must answer from the
// host's data, never by asking WeChat, and within a second or so: the page waits for it.
func (p *Plugin) Dashboard(cards func(ctx context.Context) ([]Card, error)) {
	p.Operation("dashboard", JSON(func(ctx context.Context, _ struct{}) ([]Card, error) {
		found, err := cards(ctx)
		if found == nil {
			found = []Card{}
		}
		return found, err
	}), hostOnly)
}
