package simulator

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// goldenFiles are one request and answer per interface as WeChat's documents show them, shared with the client's tests.
//
//go:embed golden/*.json
var goldenFiles embed.FS

// golden is one entry of golden/*.json.
type golden struct {
	Name     string            `json:"name"`
	Variant  string            `json:"variant"`
	Source   string            `json:"source"`
	Method   string            `json:"method"`
	Path     string            `json:"path"`
	Token    string            `json:"token"` // component, authorizer or none
	Sets     []int             `json:"sets"`
	Query    map[string]string `json:"query"`
	Request  json.RawMessage   `json:"request"`
	File     *goldenFile       `json:"file"`
	Response json.RawMessage   `json:"response"`
	Image    string            `json:"image"`  // content type of a picture answer
	States   []int             `json:"states"` // errcodes that are a proper answer when the world is not in the state the request needs
}

// goldenFile is the file of a multipart entry.
type goldenFile struct {
	Field string `json:"field"`
	Name  string `json:"name"`
	Type  string `json:"type"`
}

// loadGolden reads every entry, once per process; a file that does not parse is a bug of the build.
var loadGolden = sync.OnceValues(readGolden)

func readGolden() ([]golden, error) {
	names, err := fs.Glob(goldenFiles, "golden/*.json")
	if err != nil {
		return nil, fmt.Errorf("golden files: %w", err)
	}
	all := []golden{}
	for _, name := range names {
		raw, err := goldenFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("golden files: %w", err)
		}
		entries := []golden{}
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&entries); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, entries...)
	}
	return all, nil
}

// endpoints is WeChat's whole interface: the state machines, and golden answers for every path that has none.
func endpoints(all []golden) []endpoint {
	out := slices.Concat(componentEndpoints(), templateEndpoints(), codeEndpoints(), auditEndpoints(), releaseEndpoints(),
		accountEndpoints(), mediaEndpoints(), registerEndpoints(), reuseEndpoints(), trialEndpoints(), trialOfficialEndpoints(), nicknameEndpoints(), profileEndpoints(),
		openEndpoints(), loginEndpoints(), quotaEndpoints(), categoryEndpoints(), privacyEndpoints(), icpEndpoints(), certifyEndpoints(),
		domainEndpoints(), supportEndpoints(), linkEndpoints(), qrcodeEndpoints(), jumpEndpoints(), pluginEndpoints(), violationEndpoints(), serviceEndpoints(),
		subscribeEndpoints(), orderEndpoints(), orderPathEndpoints(), analysisEndpoints(), operationEndpoints())
	known := map[string]bool{}
	for _, ep := range out {
		known[ep.path] = true
	}
	byPath, order := map[string][]golden{}, []string{}
	for _, g := range all {
		if known[g.Path] {
			continue
		}
		if byPath[g.Path] == nil {
			order = append(order, g.Path)
		}
		byPath[g.Path] = append(byPath[g.Path], g)
	}
	for _, path := range order {
		out = append(out, goldenEndpoint(path, byPath[path]))
	}
	return out
}

// goldenEndpoint checks a call as every endpoint does and answers from the entries of its path.
func goldenEndpoint(path string, entries []golden) endpoint {
	ep := endpoint{path: path, post: entries[0].Method == http.MethodPost, token: tokenOf(entries[0].Token),
		run: func(_ *world, c *apiCall) (any, error) { return goldenAnswer(entries, c) }}
	for _, g := range entries {
		ep.either = ep.either || (g.Method == http.MethodPost) != ep.post
		if tokenOf(g.Token) != ep.token {
			ep.token = anyToken
		}
		for _, set := range g.Sets {
			if !slices.Contains(ep.sets, set) {
				ep.sets = append(ep.sets, set)
			}
		}
		if g.File != nil {
			ep.file = g.File.Field
		}
	}
	if ep.token == anyToken {
		ep.sets = nil
	}
	return ep
}

// orderPathInfo is called with either verb: one SDK posts JSON, another asks with the query (02 I.3).
const orderPathInfo = "/wxa/security/getorderpathinfo"

func tokenOf(word string) tokenKind {
	switch word {
	case "component":
		return componentToken
	case "authorizer":
		return authorizerToken
	}
	return noToken
}

// goldenAnswer takes the first entry whose query the call has, the plainest one before its variants.
func goldenAnswer(entries []golden, c *apiCall) (any, error) {
	if err := c.requireFile(entries); err != nil {
		return nil, err
	}
	best := entries[0]
	for _, g := range entries {
		if len(g.Query) > 0 && holdsAll(c.query, g.Query) && sameAction(c.body, g.Request) {
			best = g
			break
		}
	}
	if len(best.Query) == 0 {
		for _, g := range entries {
			if sameAction(c.body, g.Request) {
				best = g
				break
			}
		}
	}
	if best.Image != "" {
		return picture(best.Image, c.publicURL+best.Path)
	}
	out := bareFields{}
	dec := json.NewDecoder(bytes.NewReader(best.Response))
	dec.UseNumber()
	if err := dec.Decode(&out); err != nil {
		return nil, fmt.Errorf("golden answer of %s: %w", best.Path, err)
	}
	return out, nil
}

// requireFile answers 41005 when the form has no file in the field it belongs into.
func (c *apiCall) requireFile(entries []golden) error {
	for _, g := range entries {
		if g.File != nil {
			_, err := c.file(g.File.Field)
			return err
		}
	}
	return nil
}

func holdsAll(have url.Values, want map[string]string) bool {
	for key, value := range want {
		if have.Get(key) != value {
			return false
		}
	}
	return true
}

// sameAction compares the field "action", by which some paths tell their calls apart.
func sameAction(body, request []byte) bool {
	var have, want struct {
		Action string `json:"action"`
	}
	if json.Unmarshal(body, &have) != nil || len(request) == 0 || json.Unmarshal(request, &want) != nil {
		return true // nothing to tell them apart by
	}
	return strings.EqualFold(have.Action, want.Action)
}
