package simulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"testing"
)

// number64 is a JSON number as it stands in a path.
func number64(v any) string { return fmt.Sprintf("%.0f", v) }

// long makes tokens live for a year, for tests that let months pass.
func (g *rig) long() { g.control("settings", object{"token_seconds": 366 * 24 * 3600}) }

// upload sends a file as multipart/form-data; fields come in pairs.
func (g *rig) upload(path, field, name string, data []byte, fields ...string) object {
	g.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := form.WriteField(fields[i], fields[i+1]); err != nil {
			g.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile(field, name)
	if err != nil {
		g.t.Fatal(err)
	}
	if _, err := part.Write(data); err != nil {
		g.t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		g.t.Fatal(err)
	}
	resp, err := http.Post(g.server.URL+path, form.FormDataContentType(), &b)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	out := object{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		g.t.Fatalf("%s: %v", path, err)
	}
	return out
}

// picture uploads a PNG as 临时素材 and gives its media id.
func (g *rig) picture(at string) string {
	g.t.Helper()
	out := g.upload("/cgi-bin/media/upload?type=image&access_token="+at, "media", "a.png", fileOfType(g.t, "image/png"))
	id, _ := out["media_id"].(string)
	if id == "" {
		g.t.Fatalf("upload %v", out)
	}
	return id
}

// decide passes or, with a reason, rejects the oldest waiting review of a kind.
func (g *rig) decide(kind, reason string) object {
	g.t.Helper()
	items := g.control("reviews?kind="+kind, nil)["items"].([]any)
	if len(items) == 0 {
		g.t.Fatalf("no review of kind %s waits", kind)
	}
	verdict := object{"result": "pass"}
	if reason != "" {
		verdict = object{"result": "reject", "reason": reason}
	}
	return g.control("reviews/"+number64(items[0].(object)["id"]), verdict)
}

// refusal is one call of a table of refusals.
type refusal struct {
	why  string
	code int
	path string // POST, with the token
	body any
}

func (g *rig) refuses(t *testing.T, cases []refusal) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			local := *g
			local.t = t
			local.refused(c.code, "POST", c.path, c.body)
		})
	}
}
