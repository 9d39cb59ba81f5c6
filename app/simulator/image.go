package simulator

import (
	"bytes"
	"fmt"
	stdimage "image"
	"image/jpeg"
	"image/png"
	"strings"

	qrcode "github.com/skip2/go-qrcode"
)

const defaultCodeWidth = 430

// picture is a real image of a code that leads to link, in the wanted content type.
func picture(contentType, link string) (any, error) {
	return codePicture(contentType, link, defaultCodeWidth)
}

// codePicture draws the code width pixels wide.
func codePicture(contentType, link string, width int) (any, error) {
	code, err := qrcode.New(link, qrcode.Medium)
	if err != nil {
		return nil, refusef(40097, "too long for a code")
	}
	return encodePicture(contentType, "QRCode", code.Image(width))
}

// encodePicture writes a picture as WeChat sends it: an attachment named after its kind.
func encodePicture(contentType, name string, img stdimage.Image) (any, error) {
	var b bytes.Buffer
	var err error
	switch contentType {
	case "image/png":
		err = png.Encode(&b, img)
	default:
		contentType = "image/jpeg"
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: 90})
	}
	if err != nil {
		return nil, fmt.Errorf("encode picture: %w", err)
	}
	extension := strings.Replace(strings.TrimPrefix(contentType, "image/"), "jpeg", "jpg", 1)
	return image{contentType: contentType, fileName: name + "." + extension, data: b.Bytes()}, nil
}
