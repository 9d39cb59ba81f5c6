package admin

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
	"minifleet/app/transfer"
)

// guests is a list that takes names; the rights are the merchant's alone.
type guests struct{ came []string }

func (g *guests) Form(_ context.Context, who account.Actor, _ string) (transfer.Form, error) {
	if who.SpaceKind != account.Merchant {
		return transfer.Form{}, fault.New(fault.Forbidden, "forbidden", "你没有导入的权限")
	}
	return transfer.Form{Title: "来客", CanCreate: true, Fields: []transfer.Field{{Name: "name", Title: "名字", Required: true, Help: "每人一行"}}}, nil
}

func (g *guests) Try(_ context.Context, _ account.Actor, _ string, rows []transfer.Row) ([]transfer.Outcome, error) {
	out := make([]transfer.Outcome, len(rows))
	for i, r := range rows {
		if out[i].Note = "会请 " + r.Values["name"]; r.Values["name"] == "<b>小李" {
			out[i] = transfer.Outcome{Err: fault.InvalidInput().On("name", "已经来过")}
		}
	}
	return out, nil
}

func (g *guests) Apply(_ context.Context, _ account.Actor, _ string, rows []transfer.Row) ([]transfer.Outcome, error) {
	for _, r := range rows {
		g.came = append(g.came, r.Values["name"])
	}
	return make([]transfer.Outcome, len(rows)), nil
}

type knownPeople struct{}

func (knownPeople) Actor(_ context.Context, accountID, _ int64) (account.Actor, error) {
	for _, a := range people {
		if a.AccountID == accountID {
			return a, nil
		}
	}
	return account.Actor{}, fault.New(fault.NotFound, "member_not_found", "这个成员已不在该空间")
}

// send posts a multipart form as a browser does.
func (h *house) send(who, path, table, name, file string) answer {
	h.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("table", table); err != nil {
		h.t.Fatal(err)
	}
	part, err := form.CreateFormFile("file", name)
	if err == nil {
		_, err = io.WriteString(part, file)
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return h.do(who, "POST", path, nil, func(r *http.Request) {
		r.Body = io.NopCloser(&body)
		r.ContentLength = int64(body.Len())
		r.Header.Set("Content-Type", form.FormDataContentType())
	})
}

func TestAFileIsUploadedCheckedAndConfirmedOnScreen(t *testing.T) {
	db, list := storetest.Open(t), &guests{}
	carriers, err := transfer.New(transfer.Options{DB: db, Clock: clock.Fixed(start), Trail: trail.New(db, clock.Fixed(start)), Actors: knownPeople{}, Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir(), Poll: 5 * time.Millisecond,
		Targets: map[string]transfer.Target{"guests": list}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- carriers.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	h := open(t, Options{DB: db, Services: Services{Transfers: carriers}, Clock: clock.Fixed(start)})
	h.get("operator", "/admin/imports").want(t, 200, "这里没有你能导入的列表")
	h.get("merchant", "/admin/imports").want(t, 200, "「来客」每一列怎么填", "每人一行", ">来客</a>")
	h.send("merchant", "/admin/imports", "guests", "a.csv", "").want(t, 400, "文件是空的", `aria-invalid="true"`)
	h.send("operator", "/admin/imports", "guests", "a.csv", "名字\n小张\n").want(t, 403)
	a := h.send("merchant", "/admin/imports", "guests", "来客.csv", "名字\n小张\n<b>小李\n").want(t, 303)
	page := a.Header.Get("Location")
	if !strings.HasPrefix(page, "/admin/imports/") {
		t.Fatal(page)
	}
	h.get("merchant", page).want(t, 200, "待对应列", "来客.csv", "小张")
	h.get("operator", page).want(t, 404)
	waited := func(state string) answer {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if a := h.get("merchant", page); strings.Contains(a.text, state) {
				return a
			}
		}
		t.Fatalf("never came: %s", state)
		return answer{}
	}
	h.do("merchant", "POST", page+"/check", url.Values{"column-0": {"name"}}).want(t, 303)
	checked := waited("待确认").want(t, 200, "将新建 1 行", "会请 小张", "已经来过", "&lt;b&gt;小李").lacks(t, "<b>小李")
	if n := strings.Count(checked.text, "已经来过"); n != 1 {
		t.Errorf("what is wrong with a cell is said %d times", n)
	}
	if len(list.came) != 0 {
		t.Errorf("the dry run wrote %v", list.came)
	}
	h.do("merchant", "POST", page+"/confirm", url.Values{}).want(t, 303)
	waited("已完成").want(t, 200, "新建 1 行", "未导入 1 行", "已新建")
	if strings.Join(list.came, " ") != "小张" {
		t.Errorf("came %v", list.came)
	}
	h.get("merchant", page+"/problems").want(t, 200, "已经来过")
}
