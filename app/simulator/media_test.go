package simulator

import (
	"bytes"
	"image/jpeg"
	"testing"
)

// movie is the beginning of an MP4 file, n bytes long.
func movie(n int) []byte {
	head := append([]byte{0, 0, 0, 0x18}, "ftypmp42\x00\x00\x00\x00mp42isom"...)
	return append(head, make([]byte, max(0, n-len(head)))...)
}

func TestUploadsAreJudgedByTypeAndSize(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "access_token=" + at
	picture := fileOfType(t, "image/png")
	for why, c := range map[string]struct {
		path string
		data []byte
		code int
	}{
		"picture for a submission":  {"/wxa/uploadmedia?" + AT, picture, 0},
		"film for a submission":     {"/wxa/uploadmedia?" + AT, movie(5000), 0},
		"film too large":            {"/wxa/uploadmedia?" + AT, movie(maxVideoBytes + 1), 40006},
		"picture too large":         {"/wxa/uploadmedia?" + AT, append(picture, make([]byte, maxImageBytes)...), 40006},
		"text for a submission":     {"/wxa/uploadmedia?" + AT, []byte("not a picture"), 40005},
		"temporary picture":         {"/cgi-bin/media/upload?type=image&" + AT, picture, 0},
		"temporary film as picture": {"/cgi-bin/media/upload?type=image&" + AT, movie(100), 40005},
		"no type said":              {"/cgi-bin/media/upload?" + AT, picture, 40004},
		"empty file":                {"/wxa/uploadmedia?" + AT, nil, 41005},
	} {
		t.Run(why, func(t *testing.T) {
			local := *g
			local.t = t
			if got := local.upload(c.path, "media", "a.bin", c.data); errcode(got) != c.code {
				t.Errorf("%v, want %d", got, c.code)
			}
		})
	}
	if got := g.upload("/wxa/uploadmedia?"+AT, "other", "a.png", picture); errcode(got) != 41005 {
		t.Errorf("file in another field: %v", got)
	}
}

func TestMaterialLivesThreeDaysAndBelongsToItsUse(t *testing.T) {
	g := startRig(t, Options{})
	g.long()
	_, at := g.ready()
	AT := "?access_token=" + at
	shot := g.upload("/wxa/uploadmedia"+AT, "media", "a.png", fileOfType(t, "image/png"))["mediaid"]
	temp := g.picture(at)
	g.ok("POST", "/wxa/commit"+AT, commitBody("1"))
	g.advance(11)
	with := func(preview any, stuff string) object {
		body := submitBody()
		body["preview_info"] = object{"pic_id_list": []any{preview}}
		body["feedback_stuff"] = stuff
		return body
	}
	submit := "/wxa/submit_audit" + AT
	g.refused(85092, "POST", submit, with(temp, temp)) // of another interface
	g.refused(40007, "POST", submit, with(shot, "lost"))
	g.refused(40097, "POST", submit, with(shot, "a|b|c|d|e|f"))
	status, body := g.send("GET", "/cgi-bin/media/get"+AT+"&media_id="+temp, nil)
	if _, err := jpeg.Decode(bytes.NewReader(body)); err != nil || status != 200 {
		t.Errorf("media: HTTP %d, %v", status, err)
	}
	g.advance(3*24*3600 - 100)
	g.ok("POST", submit, with(shot, temp))
	g.ok("GET", "/wxa/undocodeaudit"+AT, nil)
	g.advance(200)
	g.refused(85092, "POST", submit, with(shot, ""))
	g.refused(40007, "GET", "/cgi-bin/media/get"+AT+"&media_id="+temp, nil)
}

func TestScreenshotsOfARejectionCanBeFetched(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	g.submitted(at, "1.0.0")
	g.control("audits/"+testProgram, object{"result": "reject", "reason": "不符", "screenshots": []string{"shotA"}})
	g.refused(40007, "POST", "/cgi-bin/material/get_material"+AT, object{"media_id": "shotB"})
	status, body := g.send("POST", "/cgi-bin/material/get_material"+AT, object{"media_id": "shotA"})
	if _, err := jpeg.Decode(bytes.NewReader(body)); err != nil || status != 200 {
		t.Errorf("screenshot: HTTP %d, %v", status, err)
	}
}
