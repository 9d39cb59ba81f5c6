package account

import (
	"encoding/binary"
	"image"
)

// webpConfig reads the size of a cleaned WebP from the heads of its chunks, without decoding a pixel: a picture of a few
// bytes may claim 16383 by 16383. A canvas that is not the picture's own size is refused.
func webpConfig(clean []byte) (image.Config, error) {
	var canvas, picture image.Config
	for at := 12; at+8 <= len(clean); {
		n := int(binary.LittleEndian.Uint32(clean[at+4:]))
		if n > len(clean)-at-8 {
			return image.Config{}, errFileType
		}
		body := clean[at+8 : at+8+n]
		switch string(clean[at : at+4]) {
		case "VP8X":
			if n < 10 {
				return image.Config{}, errFileType
			}
			canvas = image.Config{Width: 1 + uint24(body[4:]), Height: 1 + uint24(body[7:])}
		case "VP8 ": // a frame tag of three bytes, the start code, two sizes of 14 bits
			if n < 10 || body[3] != 0x9d || body[4] != 0x01 || body[5] != 0x2a {
				return image.Config{}, errFileType
			}
			picture = image.Config{Width: int(binary.LittleEndian.Uint16(body[6:]) & 0x3fff), Height: int(binary.LittleEndian.Uint16(body[8:]) & 0x3fff)}
		case "VP8L": // a signature, then 14 bits of width-1 and 14 of height-1
			if n < 5 || body[0] != 0x2f {
				return image.Config{}, errFileType
			}
			bits := int(binary.LittleEndian.Uint32(body[1:]))
			picture = image.Config{Width: 1 + bits&0x3fff, Height: 1 + bits>>14&0x3fff}
		}
		at += 8 + n + n%2
	}
	if picture.Width == 0 || canvas.Width != 0 && (canvas.Width != picture.Width || canvas.Height != picture.Height) {
		return image.Config{}, errFileType
	}
	return picture, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
