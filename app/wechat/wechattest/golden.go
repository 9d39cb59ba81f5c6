package wechattest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"minifleet/app/wechat"
)

// Golden is one request and its answer as the facts show them.
type Golden struct {
	Name     string            `json:"name"`    // of the endpoint table
	Variant  string            `json:"variant"` // "" for the first of a name
	Source   string            `json:"source"`  // section of the facts
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Token    string            `json:"token"`
	Sets     []int             `json:"sets"`
	Query    map[string]string `json:"query"`   // without the token
	Request  json.RawMessage   `json:"request"` // JSON body, or the texts of an upload's form
	File     *GoldenFile       `json:"file"`
	Response json.RawMessage   `json:"response"`
	Image    string            `json:"image"`  // media type, instead of Response
	States   []int             `json:"states"` // errcodes that fit when the world is not as the request needs it

	Resource string `json:"-"` // the file it stands in, without .json
}

// GoldenFile is the file part of an upload.
type GoldenFile struct {
	Field string `json:"field"`
	Name  string `json:"name"`
	Type  string `json:"type"`
}

// Title names it in tests.
func (g Golden) Title() string {
	if g.Variant == "" {
		return g.Name
	}
	return g.Name + " " + g.Variant
}

// Endpoint is its row of the table.
func (g Golden) Endpoint() wechat.Endpoint {
	e, _ := wechat.LookupEndpoint(g.Name)
	return e
}

// Load reads all golden files of dir, and refuses what is not of their form.
func Load(dir string) ([]Golden, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no golden files in %s", dir)
	}
	var all []Golden
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.DisallowUnknownFields()
		var list []Golden
		if err := dec.Decode(&list); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for i := range list {
			list[i].Resource = strings.TrimSuffix(filepath.Base(name), ".json")
		}
		all = append(all, list...)
	}
	return all, nil
}
