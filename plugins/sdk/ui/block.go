package ui

import "minifleet/resource/dictionary"

// Block is a value that {{ui .}} renders. The types of this file are the blocks.
type Block interface{ block() string }

// Tag is a state: text and colour. Color is green, blue, orange, red or grey; Live adds the pulsing dot.
type Tag struct {
	Label, Color string
	Live         bool
}

// Empty is what a list shows without rows: a sentence and one way on.
type Empty struct {
	Title, Text    string
	Path, LinkText string // both or neither
}

// Alert is a failure or a remark within a page: what is wrong, what to do, and WeChat's request id.
type Alert struct {
	Color, Title, Text, RID string
	Refusal                 *dictionary.Refusal // WeChat's answer with what the dictionary says (wechat.RefusalOf), nil for none
}

// Field is one input with label, help and error.
type Field struct {
	Name, Label, Value string
	Type               string // text (default) number password search textarea select check hidden
	Required, Mono     bool
	Help, Error        string
	Placeholder        string
	Max                int // most characters, 0 unlimited
	Options            []Option
}

// Option is one choice of a select.
type Option struct{ Value, Label string }

// Pager leads through a list by keys: to the first page and the next.
type Pager struct {
	Total       *int64 // nil: unknown or more than 10,000
	First, Next string // addresses; empty: no such page
}

// Steps is a wizard's bar; Now counts from 0.
type Steps struct {
	Titles []string
	Now    int
}

// Moment is one entry of a Timeline.
type Moment struct {
	At    int64 // Unix milliseconds
	Text  string
	Note  string
	Color string
}

// Timeline is what happened, newest first.
type Timeline struct{ Moments []Moment }

// Stage is one row of Progress. State is wait, run, done or fail.
type Stage struct {
	Title, State, Note string
	Name               string // for tests and scripts
}

// Progress is the list of stages of a running work.
type Progress struct{ Stages []Stage }

// QR is a code to scan. Kind is auth, trial or pay; Over covers the picture with a state.
type QR struct {
	Src, Kind, Caption, Alt, Over string
}

// Copy is a text with a copy button. ID must be unique on the page.
type Copy struct{ ID, Text string }

// Confirm is a one-button form that asks first.
type Confirm struct {
	Action   string // complete address; posted to
	Label    string
	Question string
	OK       string // text of the button in the question
	Danger   bool
	Hidden   []Hidden
}

// Hidden is one hidden input of a form.
type Hidden struct{ Name, Value string }

// Pair is one line of Pairs.
type Pair struct {
	Label, Text string
	Mono        bool
}

// Pairs is a list of labels and texts.
type Pairs struct{ Pairs []Pair }

func (Tag) block() string      { return "ui-tag" }
func (Empty) block() string    { return "ui-empty" }
func (Alert) block() string    { return "ui-alert" }
func (Field) block() string    { return "ui-field" }
func (Pager) block() string    { return "ui-pager" }
func (Steps) block() string    { return "ui-steps" }
func (Timeline) block() string { return "ui-timeline" }
func (Progress) block() string { return "ui-progress" }
func (QR) block() string       { return "ui-qr" }
func (Copy) block() string     { return "ui-copy" }
func (Confirm) block() string  { return "ui-confirm" }
func (Pairs) block() string    { return "ui-pairs" }
