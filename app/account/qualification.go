package account

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	_ "image/jpeg" // registers the decoder that DecodeConfig asks
	_ "image/png"  // registers the decoder that DecodeConfig asks
	"io"
	"strings"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
)

// MaxQualification is the most an uploaded qualification may hold, in bytes.
const MaxQualification = 5 << 20

// maxPixels bounds an image: what a browser of a reviewer can show without harm.
const maxPixels = 50_000_000

var errFileType = fault.New(fault.Invalid, "file_type", "只接受 JPG、PNG、WebP 图片或 PDF 文件，且文件内容要完整")

// inspect tells what a file is by its content, never by its name, and gives it back without what does not belong to it:
// for images only the picture's own parts are kept, so that neither a second file hidden behind it nor a place or a
// comment inside it is stored.
func inspect(raw []byte) (contentType string, clean []byte, err error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xd8\xff")):
		contentType, clean = "image/jpeg", cleanJPEG(raw)
	case bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")):
		contentType, clean = "image/png", cleanPNG(raw)
	case len(raw) > 16 && string(raw[:4]) == "RIFF" && string(raw[8:12]) == "WEBP":
		contentType, clean = "image/webp", cleanWebP(raw)
	case bytes.HasPrefix(raw, []byte("%PDF-")):
		return "application/pdf", raw, checkPDF(raw)
	}
	if clean == nil {
		return "", nil, errFileType
	}
	var size image.Config
	if contentType == "image/webp" {
		size, err = webpConfig(clean)
	} else {
		size, _, err = image.DecodeConfig(bytes.NewReader(clean))
	}
	if err != nil {
		return "", nil, errFileType
	}
	if size.Width*size.Height > maxPixels || size.Width == 0 || size.Height == 0 {
		return "", nil, fault.New(fault.Invalid, "image_too_large", "图片太大，请缩小到 5000 万像素以内")
	}
	return contentType, clean, nil
}

// cleanPNG keeps the chunks that make the picture and ends with IEND; nil when the chunks do not add up.
func cleanPNG(raw []byte) []byte {
	out, at := append([]byte(nil), raw[:8]...), 8
	for at+12 <= len(raw) {
		n := int(binary.BigEndian.Uint32(raw[at:]))
		if n < 0 || n > len(raw)-at-12 {
			return nil
		}
		chunk := raw[at : at+12+n]
		if crc32.ChecksumIEEE(chunk[4:8+n]) != binary.BigEndian.Uint32(chunk[8+n:]) {
			return nil
		}
		switch kind := string(chunk[4:8]); kind {
		case "IHDR", "PLTE", "IDAT", "tRNS", "gAMA", "sRGB", "cHRM", "sBIT", "pHYs", "bKGD":
			out = append(out, chunk...)
		case "IEND":
			return append(out, chunk...)
		default:
			if kind[0] >= 'A' && kind[0] <= 'Z' { // critical and unknown: not a PNG that we could show
				return nil
			}
		}
		at += 12 + n
	}
	return nil
}

// cleanJPEG keeps the segments that make the picture and ends with EOI; nil when the segments do not add up. Of the APP
// segments only JFIF's and Adobe's own, which decide the colours, stay.
func cleanJPEG(raw []byte) []byte {
	out, at := append([]byte(nil), raw[:2]...), 2
	for at+4 <= len(raw) {
		if raw[at] != 0xff {
			return nil
		}
		marker := raw[at+1]
		switch {
		case marker == 0xff:
			at++
			continue
		case marker == 0xd9:
			return append(out, 0xff, 0xd9)
		case marker == 0x00 || marker == 0x01 || marker >= 0xd0 && marker <= 0xd8:
			return nil
		}
		n := int(binary.BigEndian.Uint16(raw[at+2:]))
		if n < 2 || at+2+n > len(raw) {
			return nil
		}
		segment := raw[at : at+2+n]
		dropped := marker == 0xfe || marker >= 0xe1 && marker <= 0xef && marker != 0xee
		if !dropped {
			out = append(out, segment...)
		}
		at += 2 + n
		if marker != 0xda {
			continue
		}
		end := scanEnd(raw, at)
		if end < 0 {
			return nil
		}
		out = append(out, raw[at:end]...)
		at = end
		if raw[at+1] == 0xd9 {
			return append(out, 0xff, 0xd9)
		}
	}
	return nil
}

// scanEnd finds the marker that ends a scan's entropy-coded data: after 0xff neither a stuffed zero nor a restart.
func scanEnd(raw []byte, at int) int {
	for ; at+1 < len(raw); at++ {
		if raw[at] == 0xff && raw[at+1] != 0x00 && raw[at+1] != 0xff && (raw[at+1] < 0xd0 || raw[at+1] > 0xd7) {
			return at
		}
	}
	return -1
}

// cleanWebP keeps the chunks that make the picture; nil when they do not add up.
func cleanWebP(raw []byte) []byte {
	end := 8 + int(binary.LittleEndian.Uint32(raw[4:]))
	if end > len(raw) || end < 20 {
		return nil
	}
	out, picture := append([]byte(nil), raw[:12]...), false
	for at := 12; at+8 <= end; {
		n := int(binary.LittleEndian.Uint32(raw[at+4:]))
		padded := n + n%2
		if n < 0 || padded > end-at-8 {
			return nil
		}
		chunk := append([]byte(nil), raw[at:at+8+padded]...)
		switch string(chunk[:4]) {
		case "VP8 ", "VP8L":
			picture = true
			out = append(out, chunk...)
		case "ALPH":
			out = append(out, chunk...)
		case "VP8X":
			if n < 10 || chunk[8]&0x02 != 0 { // an animation is no document
				return nil
			}
			chunk[8] &= 0x10 // only alpha stays: no ICC, EXIF, XMP
			out = append(out, chunk...)
		}
		at += 8 + padded
	}
	if !picture {
		return nil
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// checkPDF refuses what is no whole PDF, and one that acts by itself. Readers open it from a download, never in a page.
func checkPDF(raw []byte) error {
	tail := raw[max(0, len(raw)-1024):]
	if len(raw) < 64 || raw[5] != '1' && raw[5] != '2' || !bytes.Contains(tail, []byte("%%EOF")) {
		return errFileType
	}
	if rest := tail[bytes.LastIndex(tail, []byte("%%EOF"))+5:]; len(bytes.TrimSpace(rest)) > 0 {
		return errFileType
	}
	head := strings.ToLower(string(raw[:min(len(raw), 2048)]))
	if strings.Contains(head, "<script") || strings.Contains(head, "<html") || strings.Contains(head, "<svg") {
		return errFileType
	}
	for _, word := range []string{"/JavaScript", "/JS ", "/JS(", "/JS<", "/Launch", "/EmbeddedFile", "/RichMedia", "/XFA"} {
		if bytes.Contains(raw, []byte(word)) {
			return fault.New(fault.Invalid, "pdf_active", "PDF 里含有脚本或附件，请用“打印为 PDF”另存后再上传")
		}
	}
	return nil
}

// column gives the column of a file's input.
func fileColumn(which string) (string, error) {
	switch which {
	case "license":
		return "license_blob", nil
	case "letter":
		return "letter_blob", nil
	default:
		return "", errNoFile
	}
}

var errNoFile = fault.New(fault.NotFound, "file_not_found", "没有找到这个文件")

// PutFile keeps an uploaded qualification of the actor's application: which is license or letter.
func (s *Spaces) PutFile(ctx context.Context, who Actor, which string, r io.Reader) (Application, error) {
	if err := s.mayApply(who); err != nil {
		return Application{}, err
	}
	column, err := fileColumn(which)
	if err != nil {
		return Application{}, err
	}
	// Before anything is stored: a locked application takes no file.
	if a, err := s.Application(ctx, who); err != nil || !a.Editable() {
		return Application{}, joined(err, errNotEditable)
	}
	raw, err := io.ReadAll(io.LimitReader(r, MaxQualification+1))
	if err != nil {
		return Application{}, fault.New(fault.Invalid, "file_broken", "文件没有传完，请重试").Because(err)
	}
	if len(raw) > MaxQualification {
		return Application{}, fault.InvalidInput().On(which, "文件超过 5 MB，请压缩后再上传")
	}
	kind, clean, err := inspect(raw)
	if err != nil {
		return Application{}, fault.InvalidInput().On(which, fault.From(err).Message).Because(err)
	}
	id := s.db.NewID()
	info, err := s.db.PutBlob(ctx, store.BlobInfo{ID: id, SpaceID: who.SpaceID, Kind: "qualification", Name: fmt.Sprintf("%s-%d%s", which, id, extension(kind)), ContentType: kind}, bytes.NewReader(clean), MaxQualification)
	if err != nil {
		return Application{}, fmt.Errorf("account: store qualification: %w", err)
	}
	if err := s.setFile(ctx, who, column, info.ID, which); err != nil {
		return Application{}, joined(s.db.DeleteBlob(context.WithoutCancel(ctx), info.ID), err)
	}
	return s.Application(ctx, who)
}

// RemoveFile takes an uploaded qualification back.
func (s *Spaces) RemoveFile(ctx context.Context, who Actor, which string) (Application, error) {
	if err := s.mayApply(who); err != nil {
		return Application{}, err
	}
	column, err := fileColumn(which)
	if err != nil {
		return Application{}, err
	}
	if err := s.setFile(ctx, who, column, 0, which); err != nil {
		return Application{}, err
	}
	return s.Application(ctx, who)
}

// setFile puts another blob into the application, and deletes the one before unless a round that was handed in shows it.
func (s *Spaces) setFile(ctx context.Context, who Actor, column string, blob int64, which string) error {
	var old int64
	err := s.act(ctx, who, "space.application", func(ctx context.Context, who Actor) error {
		row, err := s.editable(ctx, who)
		if err != nil {
			return err
		}
		if old = row.LicenseBlob; column == "letter_blob" {
			old = row.LetterBlob
		}
		if _, err := s.db.Exec(ctx, "UPDATE merchant_application SET "+column+"=?, version=version+1, updated_at=? WHERE id=?", blob, clock.Millis(s.clk.Now()), row.ID); err != nil {
			return err
		}
		kept, err := s.db.Int(ctx, "SELECT COUNT(*) FROM merchant_round WHERE application_id=? AND (license_blob=? OR letter_blob=?)", row.ID, old, old)
		if err != nil {
			return err
		}
		if kept > 0 {
			old = 0
		}
		return s.record(ctx, who, "application.file", which, "")
	})
	if err != nil || old == 0 {
		return wrapped("qualification", err)
	}
	return wrapped("qualification", s.db.DeleteBlob(ctx, old))
}

func extension(contentType string) string {
	switch contentType {
	case "image/jpeg":
		return ".jpg"
	case "image/png":
		return ".png"
	case "image/webp":
		return ".webp"
	default:
		return ".pdf"
	}
}

func (s *Spaces) fileInfo(ctx context.Context, blob int64) (*File, error) {
	if blob == 0 {
		return nil, nil
	}
	info, err := s.db.Blob(ctx, blob)
	if err != nil {
		return nil, fmt.Errorf("account: qualification: %w", err)
	}
	return &File{info.ContentType, info.Size, info.SHA256}, nil
}

// Download is a stored qualification, to be answered as an attachment only.
type Download struct {
	Name, ContentType string
	Body              []byte
}

// OwnFile reads a qualification of the actor's own application.
func (s *Spaces) OwnFile(ctx context.Context, who Actor, which string) (Download, error) {
	if err := s.mayApply(who); err != nil {
		return Download{}, err
	}
	row, found, err := s.applicationOf(ctx, who.SpaceID)
	if err != nil || !found {
		return Download{}, joined(err, errNoFile)
	}
	return s.download(ctx, which, row.LicenseBlob, row.LetterBlob)
}

func (s *Spaces) download(ctx context.Context, which string, license, letter int64) (Download, error) {
	if _, err := fileColumn(which); err != nil {
		return Download{}, err
	}
	blob := license
	if which == "letter" {
		blob = letter
	}
	if blob == 0 {
		return Download{}, errNoFile
	}
	info, r, err := s.db.OpenBlob(ctx, blob)
	if err != nil {
		return Download{}, err
	}
	body, err := io.ReadAll(io.LimitReader(r, MaxQualification))
	if err == nil {
		err = r.Close()
	}
	if err != nil {
		return Download{}, fmt.Errorf("account: read qualification: %w", err)
	}
	return Download{Name: info.Name, ContentType: info.ContentType, Body: body}, nil
}
