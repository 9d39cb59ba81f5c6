package plugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of static files.
const (
	assetMost      = 4 << 20  // bytes of one
	assetsMost     = 32 << 20 // bytes of one plugin's together
	assetsCount    = 200
	assetsRetained = 64 << 20 // bytes of all plugins' that are in memory; the least used goes first
)

// assetTypes are the media types a static file may have. No script and no page is among them: a file of a plugin is in the
// pages' own origin, where their policy would run it.
var assetTypes = []string{"text/css", "image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml", "font/woff2", "font/woff", "application/json", "text/plain"}

// assetPolicy is the content security policy of a static file that is opened by itself: a picture in SVG keeps its own
// styles, and runs nothing.
const assetPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"

var (
	assetPath = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/-]{0,119}$`)
	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// heldAsset is a declared file. A process that has lied about it is not asked again.
type heldAsset struct {
	declared *pluginpb.Asset
	mu       sync.Mutex // one request fetches, the others wait
	lie      error
}

func checkAssets(m *Manifest) (map[string]*heldAsset, error) {
	held := map[string]*heldAsset{}
	var sum int64
	for _, asset := range m.GetAssets() {
		path, media := asset.GetPath(), asset.GetType()
		base, _, err := mime.ParseMediaType(media)
		switch {
		case !assetPath.MatchString(path) || !fs.ValidPath(path) || held[path] != nil:
			return nil, fmt.Errorf("static file %q is badly named or declared twice", path)
		case !sha256Hex.MatchString(asset.GetSha256()):
			return nil, fmt.Errorf("static file %s: sum %q is no SHA-256 in hex", path, asset.GetSha256())
		case err != nil || !slices.Contains(assetTypes, base):
			return nil, fmt.Errorf("static file %s: type %q is none a plugin may serve", path, media)
		case asset.GetSize() < 0 || asset.GetSize() > assetMost:
			return nil, fmt.Errorf("static file %s: %d bytes are more than %d", path, asset.GetSize(), assetMost)
		}
		sum += asset.GetSize()
		held[path] = &heldAsset{declared: asset}
	}
	if len(held) > assetsCount || sum > assetsMost {
		return nil, fmt.Errorf("%d static files of %d bytes are more than %d and %d", len(held), sum, assetsCount, assetsMost)
	}
	return held, nil
}

// ServeAsset answers /p/{plugin}/assets/{sha256}/{path}: the file with exactly this sum, which never changes. The error says
// that there is none, or that the plugin cannot be asked now; nothing was answered then.
func (h *Host) ServeAsset(w http.ResponseWriter, r *http.Request, actor account.Actor, plugin, sum, path string) error {
	missing := fault.New(fault.NotFound, "plugin.asset", "没有这个文件")
	u := h.unit(plugin)
	if u == nil {
		return missing
	}
	if err := h.offered(r.Context(), actor, plugin); err != nil {
		return err
	}
	info := u.known()
	if info == nil {
		return away(plugin, u.current())
	}
	content, found := h.assets.get(plugin, path, sum)
	if !found {
		held := info.offers.assets[path]
		if held == nil || held.declared.GetSha256() != sum {
			return missing
		}
		var err error
		if content, err = h.fetchAsset(r.Context(), u, held, sum); err != nil {
			return err
		}
	}
	header := w.Header()
	header.Set("Content-Type", content.media)
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", assetPolicy)
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Content-Length", strconv.Itoa(len(content.body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content.body) // the reader may be gone
	}
	return nil
}

// fetchAsset asks the plugin for a file once and believes nothing of it but what the sum proves.
func (h *Host) fetchAsset(ctx context.Context, u *unit, held *heldAsset, sum string) (retained, error) {
	held.mu.Lock()
	defer held.mu.Unlock()
	path := held.declared.GetPath()
	if content, found := h.assets.get(u.id, path, sum); found {
		return content, nil
	}
	if held.lie != nil {
		return retained{}, held.lie
	}
	// The call is nobody's: the file is the same for everyone, and its maker learns of no reader.
	a := authority{kind: byEvent, requestID: trail.RequestID(ctx)}
	var body []byte
	err := h.call(context.WithoutCancel(ctx), u.id, a, pageTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
		answer, err := client.ServeHTTP(ctx, &pluginpb.HTTPRequest{Type: "asset", Method: http.MethodGet, Path: path})
		body = answer.GetBody()
		return err
	})
	var refused *fault.Error
	if errors.As(err, &refused) && refused.Kind == fault.Unavailable {
		return retained{}, err // it is down, not dishonest
	}
	if err == nil {
		err = proven(held.declared, body)
	}
	if err != nil {
		held.lie = fault.New(fault.NotFound, "plugin.asset", "没有这个文件").Because(err)
		u.remark("静态文件 " + path + " 与声明不符，不予提供")
		u.log.Warn("plugin asset refused", "path", path, "error", err.Error())
		return retained{}, held.lie
	}
	content := retained{media: held.declared.GetType(), body: body}
	h.assets.put(u.id, path, sum, content)
	return content, nil
}

func proven(declared *pluginpb.Asset, body []byte) error {
	if int64(len(body)) != declared.GetSize() {
		return fmt.Errorf("asset %s has %d bytes, declared are %d", declared.GetPath(), len(body), declared.GetSize())
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != declared.GetSha256() {
		return fmt.Errorf("asset %s has the sum %x, declared is %s", declared.GetPath(), sum, declared.GetSha256())
	}
	return nil
}

// remark adds a line to the plugin's history without a change of its state.
func (u *unit) remark(note string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.history = append(u.history, Change{At: time.Now(), State: u.state, Note: firstLine(note)})
	if len(u.history) > historyKept {
		u.history = u.history[len(u.history)-historyKept:]
	}
}

// retained is a file in memory.
type retained struct {
	media string
	body  []byte
}

type assetKey struct{ plugin, path, sum string }

// assetMemory keeps files up to a number of bytes; what was not asked for longest goes first.
type assetMemory struct {
	mu    sync.Mutex
	most  int
	bytes int
	held  map[assetKey]retained
	order []assetKey // least used first
}

func newAssetMemory() *assetMemory {
	return &assetMemory{most: assetsRetained, held: map[assetKey]retained{}}
}

func (m *assetMemory) get(plugin, path, sum string) (retained, bool) {
	key := assetKey{plugin, path, sum}
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.held[key]
	if ok {
		m.order = append(slices.DeleteFunc(m.order, func(k assetKey) bool { return k == key }), key)
	}
	return found, ok
}

func (m *assetMemory) put(plugin, path, sum string, content retained) {
	key := assetKey{plugin, path, sum}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, twice := m.held[key]; twice {
		return
	}
	m.held[key] = content
	m.order = append(m.order, key)
	for m.bytes += len(content.body); m.bytes > m.most && len(m.order) > 1; m.order = m.order[1:] {
		m.bytes -= len(m.held[m.order[0]].body)
		delete(m.held, m.order[0])
	}
}
