package transfer

import (
	"context"
	"slices"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// Choice is one value of a closed choice and its word.
type Choice struct{ Value, Label string }

// Field is one thing that a row of a file can bring.
type Field struct {
	Name, Title, Help string
	Type              string // text, longtext, int, bool, time or json
	Required          bool
	Size              int // the most characters of a text, 0 for no bound of its own
	Choices           []Choice
}

// Form is what can be imported into a list that a person was admitted to.
type Form struct {
	Title     string
	Fields    []Field
	CanCreate bool
	CanUpdate bool // rows whose id is in the file
	// Keyed says that Apply writes in the transaction of its context and never twice for the same key. Without it a row that
	// was in hand when the process died is reported and not repeated.
	Keyed bool
	// Once names a field whose value only one row of a file may bring, compared as Plain gives it (nil: as it is); "" for none.
	Once  string
	Plain func(value string) string
	// Room bounds the new rows; nil when there is no bound.
	Room *Room
}

// Room is how many new rows a list has place for, and the sentence for a row beyond.
type Room struct {
	Left int64
	Full string
}

// RowID is the field that names the row to update, empty for a new one.
const RowID = "id"

// Row is one row as the target gets it: raw values by field; Key is the row's own for ever.
type Row struct {
	Key    string
	ID     int64 // 0 for a new row
	Values map[string]string
}

// Outcome is what became, or would become, of a row.
type Outcome struct {
	ID  int64
	Err error // a fault whose fields name the cells at fault
	// Note is what the person should know of a row that goes, or went, in; "" for nothing.
	Note string
}

// Target is a list that can be imported into.
type Target interface {
	// Form admits the person with the rights of this moment: Forbidden or NotFound otherwise.
	Form(ctx context.Context, who account.Actor, list string) (Form, error)
	// Try tells what Apply would do and changes nothing.
	Try(ctx context.Context, who account.Actor, list string, rows []Row) ([]Outcome, error)
	// Apply writes the rows, each by itself: a refused one does not keep the others back.
	Apply(ctx context.Context, who account.Actor, list string, rows []Row) ([]Outcome, error)
}

func (s *Service) target(list string) (Target, error) {
	if t := s.o.Targets[list]; t != nil {
		return t, nil
	}
	if s.o.Into == nil {
		return nil, errNoList
	}
	return s.o.Into, nil
}

// form admits the person to a list that takes rows at all.
func (s *Service) form(ctx context.Context, who account.Actor, list string) (Target, Form, error) {
	t, err := s.target(list)
	if err != nil {
		return nil, Form{}, err
	}
	f, err := t.Form(ctx, who, list)
	if err == nil && !f.CanCreate && !f.CanUpdate {
		err = errNotImportable
	}
	if f.CanUpdate {
		f.Fields = append([]Field{{Name: RowID, Title: "编号", Type: "int", Help: "填已有数据的编号表示修改，留空表示新建"}}, f.Fields...)
	}
	return t, f, err
}

// Importable names the lists that the person may import into today, by name.
func (s *Service) Importable(ctx context.Context, who account.Actor) ([]List, error) {
	var out []List
	for name, t := range s.o.Targets {
		f, err := t.Form(ctx, who, name)
		switch k := fault.KindOf(err); {
		case err == nil && (f.CanCreate || f.CanUpdate):
			out = append(out, List{name, f.Title})
		case err != nil && k != fault.Forbidden && k != fault.NotFound:
			return nil, err
		}
	}
	if s.o.Importable != nil {
		out = append(out, s.o.Importable(ctx, who)...)
	}
	slices.SortFunc(out, func(a, b List) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// guess finds the field that a column's title means, "" for none.
func (f Form) guess(title string) string {
	wanted := plainTitle(title)
	for _, field := range f.Fields {
		if wanted != "" && (wanted == plainTitle(field.Title) || wanted == plainTitle(field.Name)) {
			return field.Name
		}
	}
	return ""
}

// plainTitle leaves out what people add to a title.
func plainTitle(s string) string {
	s = strings.NewReplacer("*", "", "＊", "", "（必填）", "", "(必填)", "", " ", "", "\t", "", "　", "", "：", "", ":", "").Replace(s)
	return strings.ToLower(strings.TrimSpace(s))
}

func (f Form) field(name string) (Field, bool) {
	for _, field := range f.Fields {
		if field.Name == name {
			return field, true
		}
	}
	return Field{}, false
}

// value turns a cell into the field's raw value: a choice's word into its value, 是 into true.
func (f Field) value(text string) string {
	text = strings.TrimSpace(rearm(text))
	for _, c := range f.Choices {
		if text == c.Label {
			return c.Value
		}
	}
	if f.Type == "bool" {
		switch strings.ToLower(text) {
		case "是", "true", "1", "yes", "y", "√":
			return "true"
		case "否", "false", "0", "no", "n", "":
			return "false"
		}
	}
	return text
}
