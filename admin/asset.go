package admin

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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

type asset struct {
	body, zipped []byte
	etag, kind   string
}

// assets are the theme's files. They never change while the process lives, so each is read, mended and compressed
// at its first use. Safe for concurrent use.
type assets struct {
	loaded sync.Map
}

// address is where a file is found, with its content's hash.
func (s *assets) address(name string) (string, error) {
	a, ok := s.load(name)
	if !ok {
		return "", fmt.Errorf("no asset %s", name)
	}
	return assetPrefix + name + "?v=" + strings.Trim(a.etag, `"`), nil
}

// tags link the frame's own files around the shared ones, so that Sword's rules come first and ours last.
func (s *assets) tags(shared template.HTML) (template.HTML, error) {
	var urls [3]string
	for i, name := range []string{swordCSS, ownCSS, ownJS} {
		url, err := s.address(name)
		if err != nil {
			return "", err
		}
		urls[i] = url
	}
	sheet := func(url string) template.HTML { return template.HTML(`<link rel="stylesheet" href="` + url + `">`) }
	return sheet(urls[0]) + shared + sheet(urls[1]) + template.HTML(`<script src="`+urls[2]+`" defer></script>`), nil
}

// elsewhere is any address of another site inside a style sheet: Sword names none today, and shall not tomorrow.
var elsewhere = regexp.MustCompile(`(?i)@import[^;]*;|url\(\s*["']?\s*(?:https?:)?//[^)]*\)`)

func (s *assets) load(name string) (*asset, bool) {
	if a, ok := s.loaded.Load(name); ok {
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
	got, _ := s.loaded.LoadOrStore(name, a)
	return got.(*asset), true
}

// serve answers a file of the theme, and reports whether the address was one. Files need no login.
func (s *assets) serve(w http.ResponseWriter, r *http.Request) bool {
	name, ok := strings.CutPrefix(r.URL.Path, assetPrefix)
	if !ok {
		return false
	}
	a, ok := s.load(name)
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
