package simulator

import (
	"bytes"
	"crypto/sha256"
	stdimage "image"
	"image/color"
	"image/png"
	"net/http"
	"strings"
)

const (
	avatarCell = 16
	avatarSide = 8 // cells
)

// avatarColors are calm colours for made-up avatars. Read only.
var avatarColors = []color.RGBA{{0x07, 0xc1, 0x60, 255}, {0x10, 0x8e, 0xe9, 255}, {0xfa, 0x8c, 0x16, 255}, {0x72, 0x2e, 0xd1, 255},
	{0x13, 0xa8, 0xa8, 255}, {0xeb, 0x2f, 0x96, 255}}

func appIDOfFile(file string) string { return strings.TrimSuffix(file, ".png") }

// avatar draws a small mirrored pattern that belongs to one appid, so that lists have something to look at.
func (s *Simulator) avatar(rw http.ResponseWriter, r *http.Request) {
	sum := sha256.Sum256([]byte(appIDOfFile(r.PathValue("file"))))
	back := avatarColors[int(sum[0])%len(avatarColors)]
	img := stdimage.NewRGBA(stdimage.Rect(0, 0, avatarCell*avatarSide, avatarCell*avatarSide))
	for y := range avatarCell * avatarSide {
		for x := range avatarCell * avatarSide {
			cx, cy := x/avatarCell, y/avatarCell
			if cx >= avatarSide/2 {
				cx = avatarSide - 1 - cx
			}
			inside := cx > 0 && cy > 0 && cy < avatarSide-1
			if inside && sum[1+cy*avatarSide/2+cx]&1 == 1 {
				img.Set(x, y, color.White)
			} else {
				img.Set(x, y, back)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	rw.Header().Set("Cache-Control", "max-age=86400")
	s.send(rw, r, reply{status: http.StatusOK, contentType: "image/png", body: b.Bytes()})
}
