package web

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/app/transfer"
)

// transfers is the room with one list, "numbers", of merchants only.
func transfers(t *testing.T, db *store.DB, clk clock.Clock, acts *trail.Log, people *account.Service) *transfer.Service {
	t.Helper()
	s, err := transfer.New(transfer.Options{DB: db, Clock: clk, Trail: acts, Actors: people, Poll: 5 * time.Millisecond, TempDir: t.TempDir(),
		Sources: map[string]transfer.Source{"numbers": transfer.SourceFunc(numbers)}, Targets: map[string]transfer.Target{"numbers": target{}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func numbers(_ context.Context, who account.Actor, _ string, _ transfer.Query) (transfer.Sheet, error) {
	if who.SpaceKind != account.Merchant {
		return transfer.Sheet{}, fault.New(fault.Forbidden, "forbidden", "你没有查看这个列表的权限")
	}
	return transfer.Sheet{Title: "数字", Columns: []transfer.Column{{Name: "n", Title: "数"}}, Page: func(_ context.Context, cursor string) ([][]string, string, error) {
		at, _ := strconv.Atoi(cursor)
		rows := [][]string{{strconv.Itoa(at)}}
		if at == 30 {
			return rows, "", nil
		}
		return rows, strconv.Itoa(at + 1), nil
	}}, nil
}

type target struct{}

func (target) Form(_ context.Context, who account.Actor, _ string) (transfer.Form, error) {
	if who.SpaceKind != account.Merchant {
		return transfer.Form{}, fault.New(fault.Forbidden, "forbidden", "你没有导入的权限")
	}
	return transfer.Form{Title: "数字", CanCreate: true, Keyed: true, Fields: []transfer.Field{{Name: "n", Title: "数", Required: true}}}, nil
}

func (target) Try(_ context.Context, _ account.Actor, _ string, rows []transfer.Row) ([]transfer.Outcome, error) {
	out := make([]transfer.Outcome, len(rows))
	for i, r := range rows {
		if _, err := strconv.Atoi(r.Values["n"]); err != nil {
			out[i].Err = fault.InvalidInput().On("n", "应为整数")
		}
	}
	return out, nil
}

func (t target) Apply(ctx context.Context, who account.Actor, list string, rows []transfer.Row) ([]transfer.Outcome, error) {
	return t.Try(ctx, who, list, rows)
}

func TestAFileIsAskedForMadeAndDownloadedByItsOwnerOnly(t *testing.T) {
	h := newHouse(t)
	session, _ := h.person(account.Merchant, "m@example.test")
	a := h.as(session, "POST", "/api/v1/exports", `{"list":"numbers","format":"csv"}`)
	id, _ := a.json(t)["id"].(string)
	if a.status != 202 || id == "" {
		t.Fatalf("start: %d %s", a.status, a.text)
	}
	h.await("the file", func() bool { return h.as(session, "GET", "/api/v1/exports/"+id, "").json(t)["state"] == transfer.Done })
	file := h.as(session, "GET", "/api/v1/exports/"+id+"/file", "")
	_, params, err := mime.ParseMediaType(file.header.Get("Content-Disposition"))
	if err != nil || file.status != 200 || !strings.HasPrefix(params["filename"], "数字-") || strings.Count(file.text, "\n") != 32 || file.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Fatalf("%d %q %v: %s", file.status, params, err, file.text)
	}
	colleague, _ := h.person(account.Merchant, "n@example.test")
	for _, call := range []string{"GET /exports/" + id, "GET /exports/" + id + "/file", "POST /exports/" + id + "/cancel", "DELETE /exports/" + id} {
		method, path, _ := strings.Cut(call, " ")
		if a := h.as(colleague, method, "/api/v1"+path, ""); a.status != 404 {
			t.Errorf("%s by somebody else: %d %s", call, a.status, a.text)
		}
	}
	personal, _ := h.person(account.Personal, "p@example.test")
	if a := h.as(personal, "POST", "/api/v1/exports", `{"list":"numbers","format":"csv"}`); a.status != 403 {
		t.Errorf("a list that the person may not read: %d %s", a.status, a.text)
	}
	if a := h.as(session, "POST", "/api/v1/exports", `{"list":"letters","format":"csv"}`); a.status != 404 {
		t.Errorf("no such list: %d %s", a.status, a.text)
	}
	if a := h.as(session, "DELETE", "/api/v1/exports/"+id, ""); a.status != 200 {
		t.Errorf("delete: %d %s", a.status, a.text)
	}
	if a := h.as(session, "GET", "/api/v1/exports/"+id+"/file", ""); a.status != 404 {
		t.Errorf("after its deletion: %d", a.status)
	}
}

func TestAnImportGoesThroughItsStepsByREST(t *testing.T) {
	h := newHouse(t)
	session, _ := h.person(account.Merchant, "m@example.test")
	template := h.as(session, "GET", "/api/v1/imports/template?list=numbers", "")
	if template.status != 200 || !strings.Contains(template.text, "数*") {
		t.Fatalf("template: %d %s", template.status, template.text)
	}
	a := h.as(session, "POST", "/api/v1/imports?list=numbers&name=a.csv", "数\n1\nx\n3\n", "Content-Type", "text/csv")
	id, _ := a.json(t)["id"].(string)
	if a.status != 201 || id == "" {
		t.Fatalf("upload: %d %s", a.status, a.text)
	}
	if a := h.as(session, "POST", "/api/v1/imports/"+id+"/check", `{"mapping":{"0":"m"}}`); a.status != 400 {
		t.Errorf("an unknown field: %d %s", a.status, a.text)
	}
	if a := h.as(session, "POST", "/api/v1/imports/"+id+"/check", `{"mapping":{"0":"n"}}`); a.status != 200 {
		t.Fatalf("check: %d %s", a.status, a.text)
	}
	is := func(phase string) func() bool {
		return func() bool {
			i := h.as(session, "GET", "/api/v1/imports/"+id, "").json(t)
			return i["phase"] == phase && i["state"] == transfer.Done
		}
	}
	h.await("the dry run", is(transfer.PhaseCheck))
	rows := h.as(session, "GET", "/api/v1/imports/"+id+"/rows?verdict=refused", "")
	if !strings.Contains(rows.text, `"problems":{"n":"应为整数"}`) || strings.Count(rows.text, `"no"`) != 1 {
		t.Errorf("rows: %s", rows.text)
	}
	if a := h.as(session, "GET", "/api/v1/imports/"+id+"/problems", ""); a.status != 200 || !strings.Contains(a.text, "数：应为整数") {
		t.Errorf("problems: %d %s", a.status, a.text)
	}
	if a := h.as(session, "POST", "/api/v1/imports/"+id+"/confirm", ""); a.status != 200 {
		t.Fatalf("confirm: %d %s", a.status, a.text)
	}
	h.await("the import", is(transfer.PhaseApply))
	other, _ := h.person(account.Merchant, "n@example.test")
	for _, call := range []string{"GET /imports/" + id, "GET /imports/" + id + "/rows", "GET /imports/" + id + "/problems", "POST /imports/" + id + "/confirm", "DELETE /imports/" + id} {
		method, path, _ := strings.Cut(call, " ")
		if a := h.as(other, method, "/api/v1"+path, ""); a.status != 404 {
			t.Errorf("%s by somebody else: %d %s", call, a.status, a.text)
		}
	}
}

func TestAnUploadMayBeAForm(t *testing.T) {
	h := newHouse(t)
	session, _ := h.person(account.Merchant, "m@example.test")
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "../数.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, "数\n1\n"); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	a := h.as(session, "POST", "/api/v1/imports?list=numbers", body.String(), "Content-Type", form.FormDataContentType())
	var got struct {
		FileName string `json:"file_name"`
	}
	if err := json.Unmarshal([]byte(a.text), &got); err != nil || a.status != http.StatusCreated || got.FileName != "数.csv" {
		t.Fatalf("%d %s %v", a.status, a.text, err)
	}
	if a := h.as(session, "POST", "/api/v1/imports?list=numbers", strings.Repeat("x", transfer.MaxImportBytes+1), "Content-Type", "text/csv"); a.status != 400 || !strings.Contains(a.text, "8 MB") {
		t.Errorf("a file that is too large: %d %s", a.status, a.text)
	}
}
