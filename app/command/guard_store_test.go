package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"testing"

	"minifleet/app/account"
)

// uploaded hands in files that are not what they say, by both doors, and looks at how a good one comes back.
func (w *world) uploaded(t *testing.T) {
	who, err := w.p.accounts.Seed(t.Context(), account.Registration{Login: "uploads@example.test", Password: "walk-Passw0rd-1", Name: "C", Kind: account.Merchant, SpaceName: "空间C", Agreed: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.p.accounts.SessionFor(t.Context(), who, "127.0.0.1", "test")
	if err != nil {
		t.Fatal(err)
	}
	w.tokens["C"] = s.Token
	var picture bytes.Buffer
	if err := png.Encode(&picture, demoLicense()); err != nil {
		t.Fatal(err)
	}
	if status, answer, _ := w.as("C", "GET", "/admin/application", "", func(*http.Request) {}); status != 200 {
		t.Fatalf("the form: %d %s", status, short(answer))
	}
	stored := func() int64 {
		n, err := w.p.db.Int(t.Context(), "SELECT COUNT(*) FROM blob_file WHERE space_id=?", who.SpaceID)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for name, content := range map[string]string{
		"license.html": "<!doctype html><script>alert(1)</script>", "license.svg": `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "license.php": "<?php system($_GET['c']); ?>",
		"license.png": "<html><body onload=alert(1)>", "license.exe": "MZ\x90\x00\x03", "license.jpg": "GIF89a/*\x00\x00*/=alert(1)", "license.pdf": "%PDF-1.4 <html><script>alert(1)</script>", "license.svgz": "\x1f\x8b\x08\x00", "../../public/x.js": "alert(1)",
	} {
		for _, kind := range []string{"image/png", "text/html"} {
			status, answer := w.upload(t, "PUT", "/api/v1/applications/mine/files/license", "file", name, kind, []byte(content))
			if status != http.StatusBadRequest {
				t.Errorf("REST takes %s as %s: %d %s", name, kind, status, short(answer))
			}
			status, answer = w.upload(t, "POST", "/admin/application", "license", name, kind, []byte(content))
			if status < 400 || status >= 500 {
				t.Errorf("the form takes %s as %s: %d %s", name, kind, status, short(answer))
			}
		}
	}
	if n := stored(); n != 0 {
		t.Fatalf("%d refused files are stored", n)
	}
	// A real picture under a name that a server might run and a browser might show, with a script behind its end.
	evil := append(slices.Clone(picture.Bytes()), "<script>alert(1)</script>"...)
	if status, answer := w.upload(t, "PUT", "/api/v1/applications/mine/files/license", "file", `../../"evil.html`, "text/html", evil); status != http.StatusOK {
		t.Fatalf("a picture: %d %s", status, short(answer))
	}
	var names []string
	for _, path := range []string{"/api/v1/applications/mine/files/license", "/admin/application/files/license"} {
		status, body, header := w.as("C", "GET", path, "", func(*http.Request) {})
		how, params, err := mime.ParseMediaType(header.Get("Content-Disposition"))
		if status != 200 || err != nil || how != "attachment" || header.Get("Content-Type") != "image/png" || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Security-Policy") == "" {
			t.Errorf("GET %s: %d %v", path, status, header)
		}
		if !regexp.MustCompile(`^license-[0-9]+\.png$`).MatchString(params["filename"]) || strings.Contains(body, "script") {
			t.Errorf("GET %s gives %q with what was behind the picture: %v", path, params["filename"], strings.Contains(body, "script"))
		}
		names = append(names, params["filename"])
	}
	if names[0] != names[1] || stored() != 1 {
		t.Errorf("names %q, %d files", names, stored())
	}
	for _, import_ := range []struct{ name, content string }{{"a.html", "<html><script>alert(1)</script>"}, {"a.csv", "\x00\x01\x02MZ"}, {"a.xlsx", "PK\x03\x04"}} {
		if status, answer := w.upload(t, "POST", "/api/v1/imports?list=version_templates", "file", import_.name, "text/csv", []byte(import_.content)); status < 400 || status >= 500 {
			t.Errorf("an import of %s: %d %s", import_.name, status, short(answer))
		}
	}
}

// upload sends one file as a form of this site.
func (w *world) upload(t *testing.T, method, path, field, name, kind string, content []byte) (int, string) {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("version", "-1"); err != nil && field == "license" {
		t.Fatal(err)
	}
	part, err := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, field, name)}, "Content-Type": {kind}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	status, answer, _ := w.as("C", method, path, body.String(), func(r *http.Request) { w.fromHere(r); r.Header.Set("Content-Type", form.FormDataContentType()) })
	return status, answer
}

// searched looks through every row of every table for the password that everybody logged in with.
func (w *world) searched(t *testing.T) {
	const typed = "walk-Passw0rd-1"
	for _, login := range []string{"user@example.test", "merchant@example.test"} {
		w.as("", "POST", "/login", "login="+login+"&password="+typed, w.fromHere)
	}
	w.as("A", "POST", "/my/security/password", "password="+typed+"-wrong&new_password="+typed+"-new&again="+typed+"-new", w.fromHere)
	read := 0
	for _, table := range w.tables(t) {
		rows, err := w.p.db.Maps(t.Context(), "SELECT * FROM `"+table+"`")
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			read++
			if text := fmt.Sprintf("%s", row); strings.Contains(text, typed) {
				t.Errorf("%s holds a password: %.300s", table, text)
			}
		}
		if table == "goadmin_operation_log" && len(rows) > 0 {
			t.Errorf("GoAdmin logs again: %v", rows[0])
		}
	}
	if read < 100 {
		t.Errorf("only %d rows were read", read)
	}
}

func (w *world) tables(t *testing.T) []string {
	t.Helper()
	rows, err := w.p.db.Maps(t.Context(), "SELECT name FROM sqlite_master WHERE type='table' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range rows {
		out = append(out, fmt.Sprint(r["name"]))
	}
	return out
}

// free are the columns, of whatever table, that hold what people, plugins, WeChat or other servers wrote.
var free = strings.Fields(`name title text body note notes summary description nick_name user_name principal signature file_name object detail actor plugin_name
	via_name behalf disabled_reason user_agent ip last_ip company decider developer audit_reason trial_desc audit_desc online_desc user_desc template_name trial_template_name audit_template_name online_template_name
	trial_by audit_by online_by pending_by submitted_by made_by failure remedy hint last_error subject request response asked_by error recipient rid origin role_title login category slug_title component_name`)

// addresses are the columns that a page might link to or show.
var addresses = strings.Fields(`url link head_img return_to`)

// ours are tables whose words are our own, or which no page shows.
var ours = regexp.MustCompile(`^(goadmin_|event_(sub|que|int|jour|rate)|lease|throttle|goose|plugin_schema|sqlite_|idempotency|checklist|blob_chunk)`)

// within are the keys, in columns of JSON, whose values are such words too; the elements of arrays are as well.
var within = strings.Fields(`label help default title note notes error action user_desc developer source_miniprogram before after rid shop_name field`)

// planted overwrites every such column with a script and reads every page as everybody, in both languages.
func (w *world) planted(t *testing.T) {
	w.ids["title-view"] = w.plant("admin_list_view", map[string]any{"kind": "filter", "list_name": "miniprograms", "title": hostile, "content": "{}", "member_id": w.ids["member"]})
	w.tokens["C"] = ""
	if _, err := w.p.db.Exec(t.Context(), "UPDATE trail SET changes=?", `[{"field":"x","before":"x","after":"y"}]`); err != nil {
		t.Fatal(err)
	}
	columns := w.overwrite(t)
	if columns < 60 {
		t.Errorf("only %d columns were planted", columns)
	}
	seen, pages := 0, 0
	link := regexp.MustCompile(`(?i)(href|src|action|formaction|hx-[a-z]+|data-[a-z-]+)\s*=\s*["']?\s*(javascript|data:text)`)
	for _, route := range w.routes() {
		method, path := w.split(route)
		if method != http.MethodGet {
			continue
		}
		if q := tenancy()[route].fill["?"]; q != "" {
			path += "?" + w.filled(q)
		}
		paths := []string{path}
		if strings.HasPrefix(path, "/p/") {
			paths = append(paths, "/admin"+path)
		}
		for _, path := range paths {
			for _, who := range []string{"A", "U", "O"} {
				for _, lang := range []string{"zh", "en"} {
					status, answer, header := w.as(who, http.MethodGet, path, "", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "mf_lang", Value: lang}) })
					kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
					if status >= 500 {
						t.Errorf("%s GET %s: %d %s", who, path, status, short(answer))
					}
					if header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Security-Policy") == "" {
						t.Errorf("%s GET %s has neither nosniff nor a policy: %v", who, path, header)
					}
					if kind != "text/html" {
						continue
					}
					pages++
					if at := strings.Index(answer, raw); at >= 0 {
						t.Errorf("%s GET %s (%s) shows a script: …%s…", who, path, lang, answer[max(0, at-120):min(len(answer), at+60)])
					}
					if found := link.FindString(answer); found != "" {
						t.Errorf("%s GET %s (%s) links to a script: %s", who, path, lang, found)
					}
					if strings.Contains(answer, "&lt;svg/onload") || strings.Contains(answer, `\u003csvg/onload`) {
						seen++
					}
				}
			}
		}
	}
	if seen < 60 {
		t.Errorf("of %d pages only %d show what was planted: the walk proves too little", pages, seen)
	}
	t.Logf("%d columns, %d pages, %d of them show what was planted", columns, pages, seen)
}

// overwrite puts hostile into what is free and gives the number of columns.
func (w *world) overwrite(t *testing.T) int {
	t.Helper()
	done := 0
	for _, table := range w.tables(t) {
		if ours.MatchString(table) {
			continue
		}
		columns, err := w.p.db.Maps(t.Context(), "PRAGMA table_info("+table+")")
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range columns {
			name := fmt.Sprint(c["name"])
			value := hostile
			switch {
			case fmt.Sprint(c["type"]) == "BIGINT": // a number by the name of a text elsewhere
				continue
			case slices.Contains(addresses, name):
				value = "javascript:alert(1)//" + hostile
			case !slices.Contains(free, name):
				done += w.overwriteJSON(t, table, name)
				continue
			}
			if _, err := w.p.db.Exec(t.Context(), "UPDATE `"+table+"` SET `"+name+"`=?", value); err != nil {
				// A unique column, such as a login: each row its own.
				if _, err := w.p.db.Exec(t.Context(), "UPDATE `"+table+"` SET `"+name+"`=? || rowid", value); err != nil {
					t.Errorf("%s.%s: %v", table, name, err)
					continue
				}
			}
			done++
		}
	}
	return done
}

// overwriteJSON puts hostile into what is free within a column of JSON; 1 when there was any.
func (w *world) overwriteJSON(t *testing.T, table, column string) (done int) {
	t.Helper()
	rows, err := w.p.db.Maps(t.Context(), "SELECT rowid AS at, `"+column+"` AS value FROM `"+table+"` WHERE `"+column+"` LIKE '[%' OR `"+column+"` LIKE '{%'")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		var value any
		if json.Unmarshal([]byte(fmt.Sprint(row["value"])), &value) != nil {
			continue // begins like JSON and is none
		}
		changed, did := poison(value, "")
		if !did {
			continue
		}
		text, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.p.db.Exec(t.Context(), "UPDATE `"+table+"` SET `"+column+"`=? WHERE rowid=?", string(text), row["at"]); err != nil {
			t.Fatal(err)
		}
		done = 1
	}
	return done
}

// poison gives a value with hostile in every string that stands below a key of within, or in an array.
func poison(value any, key string) (any, bool) {
	did := false
	switch v := value.(type) {
	case string:
		if key == "[]" || slices.Contains(within, key) {
			return hostile, true
		}
	case []any:
		for i := range v {
			changed, one := poison(v[i], "[]")
			v[i], did = changed, did || one
		}
	case map[string]any:
		for k := range v {
			changed, one := poison(v[k], k)
			v[k], did = changed, did || one
		}
	}
	return value, did
}
