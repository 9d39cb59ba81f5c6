package plugin

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"minifleet/app/fault"
)

// order is a column and a direction; id breaks ties.
type order struct {
	column     string
	kind       string
	descending bool
	text       string // as asked, part of the cursor
	id         string // what holds the id
}

func (c *collection) order(text string) (order, error) {
	if text == "" {
		text = "-id"
	}
	name, descending := strings.CutPrefix(text, "-")
	if !c.sortable[name] {
		return order{}, mistake("%s cannot be sorted by %q: declare an index", c.name, name)
	}
	if name == "created_at" { // ids grow with time
		name = "id"
	}
	return order{column: name, kind: c.byName[name].GetType(), descending: descending, text: text, id: "`id`"}, nil
}

func (o order) sql() string {
	direction := " ASC"
	if o.descending {
		direction = " DESC"
	}
	if o.column == "id" {
		return o.id + direction
	}
	return "`" + o.column + "`" + direction + "," + o.id + direction
}

type cursorKey struct {
	Sort  string `json:"s"`
	Text  string `json:"t,omitempty"`
	Value int64  `json:"v,omitempty"`
	ID    int64  `json:"i"`
}

// cursor points behind the row that scanner holds. It is not secret: visibility is checked again on the next page.
func (o order) cursor(s *scanner) string {
	key := cursorKey{Sort: o.text}
	for i, column := range s.columns {
		if column.GetName() == "id" {
			key.ID = s.numbers[i].Int64
		}
		if column.GetName() == o.column {
			key.Text, key.Value = s.texts[i].String, s.numbers[i].Int64
		}
	}
	encoded, err := json.Marshal(key)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(encoded)
}

func (o order) after(cursor string) (predicate, error) {
	var key cursorKey
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(raw, &key)
	}
	if err != nil || key.Sort != o.text {
		return nothing, fault.New(fault.Invalid, "plugin.cursor", "分页位置已失效，请从第一页重新开始").Because(err)
	}
	sign := ">"
	if o.descending {
		sign = "<"
	}
	if o.column == "id" {
		return predicate{o.id + sign + "?", []any{key.ID}}, nil
	}
	var at any = key.Value
	if o.kind == "text" {
		at = key.Text
	}
	name := "`" + o.column + "`"
	return predicate{name + sign + "=? AND (" + name + sign + "? OR `id`" + sign + "?)", []any{at, at, key.ID}}, nil
}
