package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"minifleet/app/account"
)

// Template is an empty CSV with the fields' titles, to be filled in.
func (s *Service) Template(ctx context.Context, who account.Actor, list string) (*File, error) {
	_, form, err := s.form(ctx, who, list)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := newCSV(&b)
	if err != nil {
		return nil, err
	}
	header := make([]cell, 0, len(form.Fields))
	for _, f := range form.Fields {
		title := f.Title
		if f.Required {
			title += "*"
		}
		header = append(header, cell{text: defuse(title)})
	}
	if err := errors.Join(w.row(header), w.finish()); err != nil {
		return nil, err
	}
	return &File{Name: clean(form.Title, 40) + "-导入模板.csv", ContentType: ContentType(CSV), Content: b.Bytes()}, nil
}

// Problems is a CSV of the refused rows with the reason in front, to be mended and brought again.
func (s *Service) Problems(ctx context.Context, who account.Actor, id int64) (*File, error) {
	imp, err := s.Import(ctx, who, id)
	if err != nil {
		return nil, err
	}
	_, form, err := s.form(ctx, who, imp.List)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := newCSV(&b)
	if err != nil {
		return nil, err
	}
	header := []cell{{text: "行号"}, {text: "原因"}}
	for _, title := range imp.Header {
		header = append(header, cell{text: defuse(title)})
	}
	if err := w.row(header); err != nil {
		return nil, err
	}
	count := 0
	for after := 0; ; {
		rows, err := s.rows(ctx, id, Refused, after, 500)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			line := []cell{{text: fmt.Sprint(r.No)}, {text: defuse(r.Reason(form))}}
			for _, c := range r.Cells {
				line = append(line, cell{text: defuse(rearm(c))})
			}
			if err := w.row(line); err != nil {
				return nil, err
			}
			after = r.No
			count++
		}
		if len(rows) < 500 {
			break
		}
	}
	if err := w.finish(); err != nil {
		return nil, err
	}
	return &File{Name: clean(imp.Title, 40) + "-未导入的行.csv", ContentType: ContentType(CSV), Content: b.Bytes(), Rows: count}, nil
}

// Reason is all that is wrong with a row, in one sentence.
func (r ImportRow) Reason(form Form) string {
	var out []string
	for _, f := range form.Fields {
		if p := r.Problems[f.Name]; p != "" {
			out = append(out, f.Title+"："+p)
		}
	}
	if p := r.Problems[""]; p != "" {
		out = append(out, p)
	}
	text := ""
	for i, o := range out {
		if i > 0 {
			text += "；"
		}
		text += o
	}
	return text
}
