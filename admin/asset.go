package admin

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"html/template"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/GoAdminGroup/themes/sword/resource"
)

// assetPrefix is where the theme's files are served. A query of their content's hash makes them immutable.
const assetPrefix = Prefix + "/assets/"

// The files of the frame. Sword's style sheet is one of them; of its 2 MB of scripts none is.
const (
	swordCSS = "dist/css/all.min.dd4b069ab5.css"
	ownCSS   = "admin.css"
	ownJS    = "admin.js"
)

var assetTags = template.HTML(`<link rel="stylesheet" href="` + assetURL(swordCSS) + `">`)

var ownTags = template.HTML(`<link rel="stylesheet" href="` + assetURL(ownCSS) + `"><script src="` + assetURL(ownJS) + `" defer></script>`)

type asset struct {
	body, zipped []byte
	etag, kind   string
}

// asset files never change while the process lives, so each is read, mended and compressed once.
var assets sync.Map

func assetURL(name string) string {
	a, ok := loadAsset(name)
	if !ok {
		panic("admin: no asset " + name)
	}
	return assetPrefix + name + "?v=" + strings.Trim(a.etag, `"`)
}

// elsewhere is any address of another site inside a style sheet: Sword names none today, and shall not tomorrow.
var elsewhere = regexp.MustCompile(`(?i)@import[^;]*;|url\(\s*["']?\s*(?:https?:)?//[^)]*\)`)

func loadAsset(name string) (*asset, bool) {
	if a, ok := assets.Load(name); ok {
		return a.(*asset), true
	}
	var body []byte
	var err error
	if name == ownCSS || name == ownJS {
		body, err = themeFiles.ReadFile("theme/" + name)
	} else {
		body, err = resource.AssetFS.ReadFile("assets/" + name)
	}
	if err != nil {
		return nil, false
	}
	if path.Ext(name) == ".css" {
		body = elsewhere.ReplaceAllLiteral(body, []byte("url()"))
	}
	sum := sha256.Sum256(body)
	a := &asset{body: body, etag: `"` + hex.EncodeToString(sum[:8]) + `"`, kind: mime.TypeByExtension(path.Ext(name))}
	if a.kind == "" {
		a.kind = "application/octet-stream"
	}
	if strings.HasPrefix(a.kind, "text/") {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		_, _ = w.Write(body) // a buffer takes everything
		_ = w.Close()
		a.zipped = z.Bytes()
	}
	got, _ := assets.LoadOrStore(name, a)
	return got.(*asset), true
}

// serveAsset answers a file of the theme, and reports whether the address was one. Files need no login.
func serveAsset(w http.ResponseWriter, r *http.Request) bool {
	name, ok := strings.CutPrefix(r.URL.Path, assetPrefix)
	if !ok {
		return false
	}
	a, ok := loadAsset(name)
	if !ok || path.Clean(name) != name || (r.Method != http.MethodGet && r.Method != http.MethodHead) {
		http.Error(w, "没有这个文件", http.StatusNotFound)
		return true
	}
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", a.etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.Header.Get("If-None-Match") == a.etag {
		w.WriteHeader(http.StatusNotModified)
		return true
	}
	body := a.body
	if a.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = a.zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return true
	}
	_, _ = w.Write(body) // the reader may be gone
	return true
}
