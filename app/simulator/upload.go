package simulator

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
)

// upload is the file of a multipart call and the fields beside it.
type upload struct {
	name   string
	data   []byte
	fields map[string]string
}

// file reads the form of the call; without a file in the field it is 41005.
func (c *apiCall) file(field string) (*upload, error) {
	kind, params, err := mime.ParseMediaType(c.mediaType)
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, refuse(41005)
	}
	out := &upload{fields: map[string]string{}}
	found := false
	form := multipart.NewReader(bytes.NewReader(c.body), params["boundary"])
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, refuse(47001)
		}
		data, err := io.ReadAll(part) // bounded: the whole body is
		if err != nil {
			return nil, refuse(47001)
		}
		switch {
		case part.FormName() == field && part.FileName() != "":
			out.name, out.data, found = part.FileName(), data, true
		case part.FileName() == "":
			out.fields[part.FormName()] = string(data)
		}
	}
	if !found || len(out.data) == 0 {
		return nil, refuse(41005)
	}
	return out, nil
}
