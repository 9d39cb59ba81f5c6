package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	stdimage "image"
	"image/color"
	"net/http"
	"strings"
)

// mediaEndpoints are uploads: material of a submission, 临时素材 and what reviewers send back.
func mediaEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/uploadmedia", post: true, token: authorizerToken, sets: codeSets, file: "media", run: uploadAuditMedia},
		{path: "/cgi-bin/media/upload", post: true, token: authorizerToken, file: "media", official: true, run: uploadMedia},
		{path: "/cgi-bin/media/get", token: authorizerToken, official: true, run: getMedia},
		{path: "/cgi-bin/material/get_material", post: true, token: authorizerToken, run: getMaterial},
	}
}

// medium is one uploaded file. Its bytes are not kept, only what is needed to judge its use.
type medium struct {
	ID        string `json:"id"`
	AppID     string `json:"appid"`
	Use       string `json:"use"`  // a use… constant: the interface that took it
	Type      string `json:"type"` // image, video or text
	Name      string `json:"name"`
	Bytes     int    `json:"bytes"`
	SHA256    string `json:"sha256"`
	Field     string `json:"field,omitempty"` // icp_order_field
	ExpiresMs int64  `json:"expires_ms"`      // 0: never
}

// What a file was uploaded for; an id of one interface is unknown to the others.
const (
	useAudit   = "audit"   // /wxa/uploadmedia
	useTemp    = "temp"    // /cgi-bin/media/upload
	usePrivacy = "privacy" // uploadprivacyextfile
	useICP     = "icp"     // upload_icp_media
	useCertify = "certify" // uploadauthmaterial
)

const (
	maxImageBytes = 2 << 20
	maxVideoBytes = 10 << 20
	mediaLifeMs   = 3 * 24 * 3600 * 1000
)

// mediaType judges a file by its content, as WeChat does: image, video or "".
func mediaType(data []byte) string {
	switch kind := http.DetectContentType(data); {
	case kind == "image/png" || kind == "image/jpeg" || kind == "image/gif" || kind == "image/bmp":
		return "image"
	case kind == "video/mp4":
		return "video"
	}
	return ""
}

// checkMedia answers 40005 for a wrong type and 40006 for a file that is too large.
func checkMedia(data []byte, allowed string) (string, error) {
	kind := mediaType(data)
	if kind == "" || !strings.Contains(allowed, kind) {
		return "", refuse(40005)
	}
	if limit := map[string]int{"image": maxImageBytes, "video": maxVideoBytes}[kind]; len(data) > limit {
		return "", refuse(40006)
	}
	return kind, nil
}

// keep stores what is known about an upload; life 0 keeps it for good.
func (w *world) keepMedia(c *apiCall, use, kind string, file *upload, life int64) *medium {
	sum := sha256.Sum256(file.data)
	m := &medium{ID: w.ids.text(base62, 43), AppID: c.mp.AppID, Use: use, Type: kind, Name: file.name, Bytes: len(file.data),
		SHA256: hex.EncodeToString(sum[:])}
	if life > 0 {
		m.ExpiresMs = c.now + life
	}
	w.media.put(m.ID, m)
	return m
}

// mediumOf finds a file of this mini program by its id; one that is unknown, of another interface or too old is nil.
func (w *world) mediumOf(appID, use, id string, now int64) *medium {
	m := w.media.get(id)
	if m == nil || m.AppID != appID || m.Use != use || (m.ExpiresMs > 0 && now >= m.ExpiresMs) {
		return nil
	}
	return m
}

// haveMedia answers the code when one of the ids is not a living file of this use; empty ids are not given.
func (w *world) haveMedia(c *apiCall, code int, use string, ids ...string) error {
	for _, id := range ids {
		if id != "" && w.mediumOf(c.mp.AppID, use, id, c.now) == nil {
			return refusef(code, "%s", id)
		}
	}
	return nil
}

func uploadAuditMedia(w *world, c *apiCall) (any, error) {
	file, err := c.file("media")
	if err != nil {
		return nil, err
	}
	kind, err := checkMedia(file.data, "image video")
	if err != nil {
		return nil, err
	}
	m := w.keepMedia(c, useAudit, kind, file, mediaLifeMs)
	return fields{"type": m.Type, "mediaid": m.ID}, nil
}

func uploadMedia(w *world, c *apiCall) (any, error) {
	file, err := c.file("media")
	if err != nil {
		return nil, err
	}
	want := c.query.Get("type")
	if want == "" {
		want = file.fields["type"]
	}
	if want != "image" && want != "video" && want != "thumb" {
		return nil, refuse(40004)
	}
	allowed := strings.Replace(want, "thumb", "image", 1)
	if _, err := checkMedia(file.data, allowed); err != nil {
		return nil, err
	}
	m := w.keepMedia(c, useTemp, want, file, mediaLifeMs)
	return bareFields{"type": m.Type, "media_id": m.ID, "created_at": c.now / 1000}, nil
}

// getMedia gives a picture back. The simulator keeps no bytes, so it is one drawn from the file's digest.
func getMedia(w *world, c *apiCall) (any, error) {
	m := w.mediumOf(c.mp.AppID, useTemp, c.query.Get("media_id"), c.now)
	if m == nil {
		return nil, refuse(40007)
	}
	if m.Type == "video" {
		return bareFields{"video_url": c.publicURL + "/sim/media/" + m.ID}, nil
	}
	return drawnPicture("media", m.SHA256)
}

// getMaterial gives the screenshots of a rejected submission; any id the reviewer named in one is good.
func getMaterial(w *world, c *apiCall) (any, error) {
	var req struct {
		MediaID string `json:"media_id"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	for _, a := range c.mp.Audits {
		for _, id := range a.Screenshots {
			if id == req.MediaID && id != "" {
				return drawnPicture("screenshot", id)
			}
		}
	}
	return nil, refuse(40007)
}

// drawnPicture is a small picture that belongs to one text.
func drawnPicture(name, text string) (any, error) {
	sum := sha256.Sum256([]byte(text))
	img := stdimage.NewRGBA(stdimage.Rect(0, 0, 240, 160))
	back := avatarColors[int(sum[0])%len(avatarColors)]
	for y := range 160 {
		for x := range 240 {
			img.Set(x, y, back)
			if sum[1+(x/30+y/20*8)%31]&1 == 1 {
				img.Set(x, y, color.White)
			}
		}
	}
	return encodePicture("image/jpeg", name, img)
}
