package account_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
)

// goodForm is an application with a code whose check digit is right.
func goodForm() account.ApplicationForm {
	return account.ApplicationForm{
		Company: "北京百度网讯科技有限公司", CreditCode: "91110000802100433b", LegalPerson: "梁志祥", Contact: "王小明", Phone: "+86 13800008000", Email: "Shop@Example.test", Category: "工具",
	}
}

func picture() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 24, 16))
	for x := range 24 {
		img.Set(x, x%16, color.RGBA{uint8(x * 10), 80, 160, 255})
	}
	return img
}

func pngBytes(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegBytes(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// webpBytes is the smallest lossless WebP, one pixel, with an EXIF chunk that must not be kept.
func webpBytes() []byte {
	chunk := func(kind string, data string) string {
		n := make([]byte, 4)
		binary.LittleEndian.PutUint32(n, uint32(len(data)))
		if len(data)%2 == 1 {
			data += "\x00"
		}
		return kind + string(n) + data
	}
	return webpOf(chunk("VP8L", "\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07") + chunk("EXIF", "place: home"))
}

func webpOf(chunks string) []byte {
	body := "WEBP" + chunks
	n := make([]byte, 4)
	binary.LittleEndian.PutUint32(n, uint32(len(body)))
	return []byte("RIFF" + string(n) + body)
}

// Heads of WebP pictures as their format says; the pixels are not there, as in a file that wants to be decoded at a cost.
func lossy(width, height int) string {
	return "VP8 \x0a\x00\x00\x00\x10\x00\x00\x9d\x01\x2a" + string([]byte{byte(width), byte(width >> 8), byte(height), byte(height >> 8)})
}

func lossless(width, height int) string {
	bits := uint32(width-1) | uint32(height-1)<<14
	return "VP8L\x05\x00\x00\x00\x2f" + string(binary.LittleEndian.AppendUint32(nil, bits)) + "\x00"
}

func canvas(width, height int) string {
	w, h := width-1, height-1
	return "VP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + string([]byte{byte(w), byte(w >> 8), byte(w >> 16), byte(h), byte(h >> 8), byte(h >> 16)})
}

func TestAWebPIsMeasuredBeforeItIsKept(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	boss := w.person("boss@example.test", account.Merchant)
	for _, c := range []struct{ name, chunks, words string }{
		{"lossy", lossy(640, 480), ""}, {"lossless", lossless(640, 480), ""}, {"on a canvas of its size", canvas(640, 480) + lossy(640, 480), ""},
		{"lossy of 256 megapixels", lossy(16000, 16000), "5000 万像素"}, {"lossless of 268 megapixels", lossless(16384, 16384), "5000 万像素"},
		{"just below the bound", lossless(10000, 5000), ""}, {"just above it", lossless(10000, 5001), "5000 万像素"},
		{"a canvas larger than the picture", canvas(1<<24, 1<<24) + lossy(640, 480), "文件内容要完整"}, {"a canvas alone", canvas(640, 480), "文件内容要完整"},
		{"nothing wide", lossy(0, 480), "文件内容要完整"}, {"no start code", "VP8 \x0a\x00\x00\x00" + strings.Repeat("\x00", 10), "文件内容要完整"},
		{"another signature", "VP8L\x05\x00\x00\x00\x2e\x00\x00\x00\x00\x00", "文件内容要完整"}, {"a head cut off", "VP8L\x01\x00\x00\x00\x2f\x00", "文件内容要完整"},
	} {
		_, err := w.spaces.PutFile(ctx, boss, "license", bytes.NewReader(webpOf(c.chunks)))
		said := ""
		if err != nil && len(fault.From(err).Fields) == 1 {
			said = fault.From(err).Fields[0].Message
		}
		if (err != nil) != (c.words != "") || !strings.Contains(said, c.words) {
			t.Errorf("%s: %q %v, want %q", c.name, said, err, c.words)
		}
	}
}

const plainPDF = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

func (w *estate) apply(boss account.Actor) account.Application {
	w.t.Helper()
	ctx := w.t.Context()
	if _, err := w.spaces.SaveApplication(ctx, boss, goodForm(), -1); err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.spaces.PutFile(ctx, boss, "license", bytes.NewReader(pngBytes(w.t))); err != nil {
		w.t.Fatal(err)
	}
	a, err := w.spaces.SubmitApplication(ctx, boss)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func TestAnIncompleteApplicationNamesEveryField(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	boss := w.person("boss@example.test", account.Merchant)
	for code, why := range map[string]string{
		"91110000802100433C": "校验位", "9111000080210043": "18 位", "91110000802100433I": "不含", "91440300708461136X": "校验位",
	} {
		form := goodForm()
		form.CreditCode = code
		if _, err := w.spaces.SaveApplication(ctx, boss, form, -1); err != nil {
			t.Fatal(err)
		}
		_, err := w.spaces.SubmitApplication(ctx, boss)
		got := fault.From(err).Fields
		if len(got) != 2 || got[0].Name != "credit_code" || !strings.Contains(got[0].Message, why) || got[1].Name != "license" {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := w.spaces.SaveApplication(ctx, boss, account.ApplicationForm{}, -1); err != nil {
		t.Fatalf("an empty draft: %v", err)
	}
	_, err := w.spaces.SubmitApplication(ctx, boss)
	if got := fault.From(err).Fields; len(got) != 8 {
		t.Errorf("an empty application names %d fields: %v", len(got), err)
	}
	_, err = w.spaces.SaveApplication(ctx, boss, goodForm(), 0)
	wantFault(t, "over a newer draft", err, fault.Conflict, "application_changed")
}

func TestARejectedApplicationComesBackWithReasonsAndKeepsItsRounds(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := settle(t, db), t.Context()
		boss, op := w.person("boss@example.test", account.Merchant), w.person("op@example.test", account.Platform)
		first := w.apply(boss)
		if first.State != account.ApplicationSubmitted || first.CreditCode != "91110000802100433B" || first.Phone != "13800008000" {
			t.Fatalf("%+v", first)
		}
		if ok, err := w.spaces.Approved(ctx, boss.SpaceID); err != nil || ok {
			t.Fatal("approved before anybody looked")
		}
		var sealed struct{ People string }
		if _, err := db.One(ctx, &sealed, "SELECT people FROM merchant_application WHERE id=?", first.ID); err != nil || sealed.People == "" || strings.Contains(sealed.People, "梁") || strings.Contains(sealed.People, "1380000") {
			t.Fatalf("personal data lies open: %q %v", sealed.People, err)
		}
		_, err := w.spaces.SaveApplication(ctx, boss, goodForm(), -1)
		wantFault(t, "a change during the review", err, fault.Conflict, "application_locked")
		page, err := w.spaces.Applications(ctx, op, account.ApplicationFilter{Query: "百度"})
		if err != nil || len(page.Items) != 1 || page.Items[0].LegalPerson != "梁**" || page.Items[0].Phone != "138****8000" {
			t.Fatalf("the list is not masked: %+v %v", page, err)
		}
		wantFault(t, "no reason", w.spaces.Decide(ctx, op, first.ID, account.Decision{Round: 1}), fault.Invalid, "")
		if err := w.spaces.Decide(ctx, op, first.ID, account.Decision{Round: 1, Reasons: map[string]string{"license": "照片模糊，请重新拍摄"}, Note: "其他资料没有问题"}); err != nil {
			t.Fatal(err)
		}
		again, err := w.spaces.Application(ctx, boss)
		if err != nil || again.State != account.ApplicationRejected || again.Reasons["license"] != "照片模糊，请重新拍摄" || again.LegalPerson != "梁志祥" {
			t.Fatalf("%+v %v", again, err)
		}
		second := w.apply(boss)
		if second.Round != 2 {
			t.Fatalf("round %d", second.Round)
		}
		wantFault(t, "a decision about the round before", w.spaces.Decide(ctx, op, first.ID, account.Decision{Round: 1, Approve: true}), fault.Conflict, "application_decided")
		got := race(6, func(int) error {
			return w.spaces.Decide(ctx, op, first.ID, account.Decision{Round: 2, Approve: true})
		})
		if got[""] != 1 || got["application_decided"] != 5 {
			t.Fatalf("decisions at once: %v", got)
		}
		if ok, err := w.spaces.Approved(ctx, boss.SpaceID); err != nil || !ok {
			t.Fatal("not approved")
		}
		r, err := w.spaces.Review(ctx, op, first.ID)
		if err != nil || len(r.Rounds) != 2 || r.Rounds[1].Reasons["license"] == "" || r.Rounds[1].License == nil {
			t.Fatalf("%+v %v", r, err)
		}
		if _, err := w.spaces.ReviewFile(ctx, op, first.ID, 1, "license"); err != nil {
			t.Fatalf("the first round's licence is gone: %v", err)
		}
	})
}

func TestApplicationsAreForTheirMembersAndOperatorsOnly(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	boss, other, op := w.person("boss@example.test", account.Merchant), w.person("other@example.test", account.Merchant), w.person("op@example.test", account.Platform)
	user := w.person("user@example.test", account.Personal)
	a := w.apply(boss)
	reader := w.hire(boss, "reader@example.test", account.RoleChoice{Key: account.RoleReadOnly}, account.Limit{})
	_, err := w.spaces.OwnFile(ctx, other, "license")
	wantFault(t, "another merchant's own file", err, fault.NotFound, "")
	_, err = w.spaces.OwnFile(ctx, reader, "license")
	wantFault(t, "a member without the permission", err, fault.Forbidden, "permission_missing")
	_, err = w.spaces.Application(ctx, user)
	wantFault(t, "a person without a merchant space", err, fault.Forbidden, "")
	_, err = w.spaces.Review(ctx, other, a.ID)
	wantFault(t, "a merchant reviews", err, fault.Forbidden, "operators_only")
	_, err = w.spaces.ReviewFile(ctx, other, a.ID, 1, "license")
	wantFault(t, "a merchant opens the review's file", err, fault.Forbidden, "operators_only")
	wantFault(t, "a merchant approves itself", w.spaces.Decide(ctx, boss, a.ID, account.Decision{Round: 1, Approve: true}), fault.Forbidden, "operators_only")
	_, err = w.spaces.Review(ctx, op, a.ID+1)
	wantFault(t, "an unknown one", err, fault.NotFound, "")
	_, err = w.spaces.ReviewFile(ctx, op, a.ID, 2, "license")
	wantFault(t, "an unknown round", err, fault.NotFound, "")
}

func TestOnlyWholePicturesAndQuietPDFsAreKept(t *testing.T) {
	w, ctx := settle(t, storetest.Open(t)), t.Context()
	boss := w.person("boss@example.test", account.Merchant)
	script := []byte("<script>alert(1)</script>PK\x03\x04evil.zip")
	withComment := append(append([]byte{}, jpegBytes(t)[:2]...), append([]byte("\xff\xfe\x00\x1b<script>alert(1)</script>"), jpegBytes(t)[2:]...)...)
	for name, c := range map[string]struct {
		raw  []byte
		kind string
	}{
		"png": {pngBytes(t), "image/png"}, "jpeg": {jpegBytes(t), "image/jpeg"}, "webp": {webpBytes(), "image/webp"}, "pdf": {[]byte(plainPDF), "application/pdf"},
		"png with a tail": {append(pngBytes(t), script...), "image/png"}, "jpeg with a tail": {append(jpegBytes(t), script...), "image/jpeg"},
		"jpeg with a comment": {withComment, "image/jpeg"}, "webp with a tail": {append(webpBytes(), script...), "image/webp"},
	} {
		a, err := w.spaces.PutFile(ctx, boss, "license", bytes.NewReader(c.raw))
		if err != nil || a.License.ContentType != c.kind {
			t.Errorf("%s: %+v %v", name, a.License, err)
			continue
		}
		d, err := w.spaces.OwnFile(ctx, boss, "license")
		if err != nil || bytes.Contains(d.Body, []byte("script")) || bytes.Contains(d.Body, []byte("place: home")) || d.ContentType != c.kind {
			t.Errorf("%s: kept %q as %s: %v", name, d.Body, d.ContentType, err)
		}
		if c.kind == "image/png" || c.kind == "image/jpeg" {
			if _, _, err := image.Decode(bytes.NewReader(d.Body)); err != nil {
				t.Errorf("%s: what is kept is no picture: %v", name, err)
			}
		}
	}
	for name, raw := range map[string]string{
		"html": "<html><script>alert(1)</script>", "svg": `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "gif": "GIF89a/*<script>*/=1;" + strings.Repeat("\x00", 80),
		"zip": "PK\x03\x04" + strings.Repeat("\x00", 80), "empty": "", "half a png": string(pngBytes(t)[:60]), "half a jpeg": string(jpegBytes(t)[:200]), "png head only": "\x89PNG\r\n\x1a\n<script>alert(1)</script>",
		"pdf with script": strings.Replace(plainPDF, "/Type/Catalog", "/OpenAction<</S/JavaScript/JS(app.alert(1))>>/Type/Catalog", 1),
		"pdf then html":   plainPDF + "<html><script>alert(1)</script>", "html then pdf": "<html>" + plainPDF, "html in the head": strings.Replace(plainPDF, "\n1 0", "\n<script>alert(1)</script>\n1 0", 1),
	} {
		_, err := w.spaces.PutFile(ctx, boss, "license", strings.NewReader(raw))
		if fault.KindOf(err) != fault.Invalid || len(fault.From(err).Fields) != 1 || fault.From(err).Fields[0].Name != "license" {
			t.Errorf("%s was taken: %v", name, err)
		}
	}
	_, err := w.spaces.PutFile(ctx, boss, "license", bytes.NewReader(append(pngBytes(t), make([]byte, account.MaxQualification)...)))
	wantFault(t, "too large", err, fault.Invalid, "")
	_, err = w.spaces.PutFile(ctx, boss, "../license", bytes.NewReader(pngBytes(t)))
	wantFault(t, "another name", err, fault.NotFound, "")
	if n, err := w.db.Int(ctx, "SELECT COUNT(*) FROM blob_file WHERE kind='qualification'"); err != nil || n != 1 {
		t.Errorf("%d files lie about, %v", n, err)
	}
}
