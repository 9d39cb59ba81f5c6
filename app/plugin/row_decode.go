package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"minifleet/app/fault"
)

// decodeRow reads one row that came over the wire: a JSON object whose numbers stay json.Number, so that ids stay exact.
// Flat rows of plain cells, nearly all there are, are read without a decoder: at twenty rows a page it costs more than the
// way through the sockets. Whatever is not plain goes to encoding/json, which also decides what is wrong.
func decodeRow(raw []byte) (map[string]any, error) {
	if row, ok := plainRow(raw); ok {
		return row, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var row map[string]any
	err := decoder.Decode(&row)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one JSON value in a row")
		}
	}
	if err != nil {
		return nil, fault.New(fault.Internal, "plugin.answer", "插件的回答有误，请稍后重试").Because(err)
	}
	return row, nil
}

// plainRow reads an object without spaces whose values are strings without escapes, numbers, true, false and null. It says
// no to everything else, wrong or not.
func plainRow(raw []byte) (map[string]any, bool) {
	if len(raw) < 2 || raw[0] != '{' || raw[len(raw)-1] != '}' || !utf8.Valid(raw) {
		return nil, false
	}
	text := string(raw[1 : len(raw)-1]) // cells are parts of this one copy
	row := make(map[string]any, 8)
	if text == "" {
		return row, true
	}
	for {
		name, rest, ok := plainText(text)
		if !ok || len(rest) < 2 || rest[0] != ':' {
			return nil, false
		}
		cell, rest, ok := plainCell(rest[1:])
		if !ok {
			return nil, false
		}
		row[name] = cell
		if rest == "" {
			return row, true
		}
		if rest[0] != ',' {
			return nil, false
		}
		text = rest[1:]
	}
}

// plainText takes a string without escapes off the front.
func plainText(text string) (value, rest string, ok bool) {
	if text == "" || text[0] != '"' {
		return "", "", false
	}
	for i := 1; i < len(text); i++ {
		switch b := text[i]; {
		case b == '"':
			return text[1:i], text[i+1:], true
		case b == '\\' || b < ' ':
			return "", "", false
		}
	}
	return "", "", false
}

func plainCell(text string) (cell any, rest string, ok bool) {
	if text[0] == '"' {
		return plainText(text)
	}
	end := 0
	for end < len(text) && text[end] != ',' {
		end++
	}
	switch word := text[:end]; {
	case word == "true":
		return true, text[end:], true
	case word == "false":
		return false, text[end:], true
	case word == "null":
		return nil, text[end:], true
	case plainNumber(word):
		return json.Number(word), text[end:], true
	}
	return nil, "", false
}

// plainNumber knows integers as JSON writes them.
func plainNumber(word string) bool {
	if word != "" && word[0] == '-' {
		word = word[1:]
	}
	if word == "" || word[0] == '0' && len(word) > 1 {
		return false
	}
	for i := range len(word) {
		if word[i] < '0' || word[i] > '9' {
			return false
		}
	}
	return true
}
