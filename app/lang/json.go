package lang

import (
	"bytes"
	"encoding/json"
)

// json translates every string of a JSON value; names of fields stay. What is no JSON comes back as it was.
func (d *Dictionary) json(raw []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return raw
	}
	out, err := json.Marshal(d.value(v))
	if err != nil {
		return raw
	}
	return out
}

func (d *Dictionary) value(v any) any {
	switch v := v.(type) {
	case string:
		english, _ := d.Translate(v)
		return english
	case []any:
		for i := range v {
			v[i] = d.value(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = d.value(v[k])
		}
	}
	return v
}
