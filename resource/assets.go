package resource

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:public
var public embed.FS

// AssetPrefix is the address below which the assets are served.
const AssetPrefix = "/assets/"

// Assets is the built style sheet and scripts under names that change with their content. Safe for concurrent use.
type Assets struct {
	names map[string]string // app.css → app-HASH.css
	files map[string]asset  // app-HASH.css → its bytes
}

type asset struct {
	zipped []byte // gzip, as built
	kind   string // Content-Type
}

// Load reads the embedded bundle. A binary built without the pages gives an empty one (see Missing): its pages work
// without style.
func Load() (*Assets, error) {
	sub, err := fs.Sub(public, "public")
	if err != nil {
		return nil, fmt.Errorf("resource: %w", err)
	}
	return bundle(sub)
}

func bundle(files fs.FS) (*Assets, error) {
	b := &Assets{names: map[string]string{}, files: map[string]asset{}}
	manifest, err := fs.ReadFile(files, "manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("resource: %w", err)
	}
	if err := json.Unmarshal(manifest, &b.names); err != nil {
		return nil, fmt.Errorf("resource: manifest.json: %w", err)
	}
	for name, file := range b.names {
		zipped, err := fs.ReadFile(files, file+".gz")
		if err != nil {
			return nil, fmt.Errorf("resource: %s of the manifest: %w", name, err)
		}
		b.files[file] = asset{zipped: zipped, kind: kindOf(file)}
	}
	return b, nil
}

// kindOf names the types itself where the system's table may differ.
func kindOf(file string) string {
	switch path.Ext(file) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	}
	if kind := mime.TypeByExtension(path.Ext(file)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// Missing reports whether the binary was built without the pages; `make pages` builds them.
func (b *Assets) Missing() bool { return len(b.names) == 0 }

// URL is the address of a source like "app.css", "" when the pages were not built.
func (b *Assets) URL(name string) string {
	file, ok := b.names[name]
	if !ok {
		return ""
	}
	return AssetPrefix + file
}

// Head is what the head of every page links.
func (b *Assets) Head() template.HTML {
	url := b.URL("app.css")
	if url == "" {
		return ""
	}
	return template.HTML(`<link rel="stylesheet" href="` + template.HTMLEscapeString(url) + `">`)
}

// Foot is what every page ends with: the script, which runs after the page was read.
func (b *Assets) Foot() template.HTML {
	url := b.URL("app.js")
	if url == "" {
		return ""
	}
	return template.HTML(`<script src="` + template.HTMLEscapeString(url) + `" defer></script>`)
}

// Swagger is a whole page that shows the OpenAPI document at specURL. It loads nothing from another site.
func (b *Assets) Swagger(specURL string) []byte {
	script := b.URL("swagger.js")
	if script == "" {
		return []byte("<!DOCTYPE html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>API</title><p>页面资源尚未构建，请运行 make pages；接口文档见 <a href=\"" +
			template.HTMLEscapeString(specURL) + "\">" + template.HTMLEscapeString(specURL) + "</a>")
	}
	return []byte(`<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>API · MiniFleet</title>` +
		`<link rel="icon" href="data:,"><link rel="stylesheet" href="` + b.URL("swagger.css") + `"></head><body><div id="swagger" data-spec="` +
		template.HTMLEscapeString(specURL) + `"></div><script src="` + script + `" defer></script></body></html>`)
}

// Handler serves the assets at AssetPrefix. A name changes with its content, so browsers keep a file for ever.
func (b *Assets) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, inside := strings.CutPrefix(r.URL.Path, AssetPrefix)
		file, ok := b.files[name]
		if !inside || !ok {
			http.Error(w, "没有这个文件", http.StatusNotFound)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "只能读取", http.StatusMethodNotAllowed)
			return
		}
		file.serve(w, r, `"`+name+`"`)
	})
}

func (a asset) serve(w http.ResponseWriter, r *http.Request, etag string) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", etag)
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(a.zipped)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(a.zipped) // the reader may be gone
		}
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	plain, err := gzip.NewReader(bytes.NewReader(a.zipped))
	if err != nil {
		http.Error(w, "文件损坏，请重新构建页面（make pages）", http.StatusInternalServerError)
		return
	}
	_, _ = io.Copy(w, plain) // the reader may be gone
}

func acceptsGzip(header string) bool {
	for _, part := range strings.Split(header, ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(coding, "gzip") || coding == "*" {
			return !strings.HasPrefix(strings.ReplaceAll(weight, " ", ""), "q=0") || strings.Contains(weight, "0.")
		}
	}
	return false
}
