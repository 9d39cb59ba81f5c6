package sdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"minifleet/plugins/sdk/pluginpb"
)

// maxAsset is the most bytes of one static file.
const maxAsset = 4 << 20

// assetTypes are the kinds of static files by the ends of their names. There
// is no script: the pages' policy runs none but the platform's own, and htmx
// attributes do what a page needs.
var assetTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp",
	".svg": "image/svg+xml", ".woff2": "font/woff2", ".woff": "font/woff", ".json": "application/json", ".txt": "text/plain; charset=utf-8",
}

// Assets declares every file of fsys (an embed.FS, usually below fs.Sub) as a
// static file: style sheets, pictures, fonts, at most 4 MiB each. The host
// asks for each once, checks its sum, keeps it, and lets browsers keep it for
// good; Asset gives its address.
func (p *Plugin) Assets(fsys fs.FS) {
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		where := fmt.Sprintf("asset %q", name)
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		media, known := assetTypes[strings.ToLower(path.Ext(name))]
		switch {
		case !known:
			p.mistaken(where, "files that end with %q are not served; style sheets, pictures, fonts, .json and .txt are", path.Ext(name))
			return nil
		case len(content) > maxAsset:
			p.mistaken(where, "%d bytes are more than %d", len(content), maxAsset)
			return nil
		case p.assets[name] != nil:
			p.mistaken(where, "declared twice")
			return nil
		}
		sum := sha256.Sum256(content)
		declared := &pluginpb.Asset{Path: name, Sha256: hex.EncodeToString(sum[:]), Type: media, Size: int64(len(content))}
		if p.assets == nil {
			p.assets = map[string]*asset{}
		}
		p.assets[name] = &asset{declared, content}
		p.manifest.Assets = append(p.manifest.Assets, declared)
		return nil
	})
	if err != nil {
		p.mistaken("assets", "%v", err)
	}
}

type asset struct {
	declared *pluginpb.Asset
	content  []byte
}

// Asset is the address of a static file that was declared with Assets:
// <link rel="stylesheet" href="{{asset "app.css"}}">. It changes with the
// file's content. A name that was not declared is a mistake of the author's:
// the address leads nowhere, and the log says so.
func Asset(ctx context.Context, name string) string {
	p, _ := ctx.Value(pluginKey{}).(*Plugin)
	if p == nil || p.assets[name] == nil {
		Log(ctx).Error("no such asset", "name", name)
		return "/p/unknown/assets/" + name
	}
	return "/p/" + p.ID() + "/assets/" + p.assets[name].declared.GetSha256() + "/" + name
}

// pluginKey finds the plugin that serves a call in the call's context.
type pluginKey struct{}

// asset answers the host's question for a static file.
func (s *Server) asset(name string) (*pluginpb.HTTPResponse, error) {
	found := s.plugin.assets[name]
	if found == nil {
		return nil, NotFound("plugin.asset", "没有这个文件")
	}
	return &pluginpb.HTTPResponse{Status: 200, Body: found.content}, nil
}
