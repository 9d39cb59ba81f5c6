package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

type Ticket struct {
	sdk.Row
	AppID  string   `col:"appid,小程序,text,required,filter:eq,size:64"`
	Name   string   `col:"name,名称,text,required,filter:like,size:10"`
	Stock  int64    `col:"stock,库存,int"`
	Until  int64    `col:"until,有效期至,time,required"`
	Level  string   `col:"level,等级,text,filter:eq,options:gold=金|orange;silver=银"`
	Closed bool     `col:"closed,已停用,bool,filter:eq,readonly"`
	Secret string   `col:"secret,内部编号,text,hidden"`
	Tags   []string `col:"tags,标签,json"`
}

func tickets() (*sdk.Plugin, *sdk.Registered[Ticket]) {
	p := sdk.New("ticket", "券", "1.0.0")
	list := sdk.Register[Ticket](p, "tickets", "优惠券", sdk.Visible{Kind: sdk.MiniProgram, Column: "appid"}, sdk.Unique("appid", "name"), sdk.Sorted("-until"))
	stop := func(context.Context, Ticket) (sdk.Set, error) { return sdk.Set{"closed": true}, nil }
	list.Change("stop", "停用", stop, sdk.Confirm("确定停用？"), sdk.When("closed", "false"))
	p.Cron("expire", "停用过期的券", "5 0 * * *", func(ctx context.Context) (string, error) {
		n, err := list.Each(ctx, sdk.Query{Where: []sdk.Where{sdk.Lt("until", sdk.Now(ctx).UnixMilli()), sdk.Eq("closed", false)}}, stop)
		return fmt.Sprintf("停用 %d 张", n), err
	})
	return p, list
}

func newTickets(t *testing.T) *sdktest.Harness {
	p, _ := tickets()
	return sdktest.New(t, p, sdktest.Options{Actor: owner, MiniPrograms: []sdk.MiniProgramInfo{{AppID: "wxa", OwnerSpace: 11}, {AppID: "wxb", OwnerSpace: 22}}})
}

var owner = sdk.ActorInfo{AccountID: 1, SpaceID: 11, SpaceKind: "merchant", Role: "owner"}

func TestOneDeclarationMakesListFormMenuPermissionAndREST(t *testing.T) {
	p, _ := tickets()
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	m := p.Manifest()
	table := m.GetTables()[0]
	var listed, formed []string
	for _, c := range table.GetColumns() {
		listed = append(listed, c.GetName())
	}
	for _, c := range table.GetForm() {
		formed = append(formed, c.GetName())
	}
	if want := "appid name stock until level closed"; strings.Join(listed, " ") != want {
		t.Errorf("listed %v, want %s", listed, want)
	}
	if want := "appid name stock until level"; strings.Join(formed, " ") != want {
		t.Errorf("in the form %v, want %s", formed, want)
	}
	if !table.GetCanCreate() || !table.GetCanEdit() || !table.GetCanRemove() || table.GetSort() != "-until" || table.GetPermission() != "ticket.tickets" || table.GetSaveHook() {
		t.Errorf("table %v", table)
	}
	if a := table.GetActions(); len(a) != 1 || a[0].GetWhenColumn() != "closed" || !a[0].GetBatch() || a[0].GetPermission() != "ticket.tickets" {
		t.Errorf("actions %v", a)
	}
	if menu := m.GetMenu()[0]; menu.GetPath() != "table:tickets" || menu.GetGroup() != "券" || menu.GetPermission() != "ticket.tickets" {
		t.Errorf("menu %v", menu)
	}
	if m.GetPermissions()[0].GetName() != "ticket.tickets" || m.GetJobs()[0].GetPlatform() {
		t.Errorf("permissions %v, jobs %v", m.GetPermissions(), m.GetJobs())
	}
	var routes []string
	for _, r := range m.GetRoutes() {
		routes = append(routes, r.GetMethod()+" "+r.GetPattern())
		if r.GetSummary() == "" || r.GetPermission() != "ticket.tickets" || !json.Valid(r.GetOutputSchema()) {
			t.Errorf("route %v", r)
		}
	}
	want := []string{"GET /tickets", "GET /tickets/{id}", "POST /tickets", "PATCH /tickets/{id}", "DELETE /tickets/{id}", "POST /tickets/{id}/stop"}
	if !slices.Equal(routes, want) {
		t.Errorf("routes %v", routes)
	}
	created := string(m.GetRoutes()[2].GetInputSchema())
	for _, part := range []string{`"required":["appid","name","until"]`, `"enum":["gold","silver",""]`, `"additionalProperties":false`, `"maxLength":10`} {
		if !strings.Contains(created, part) {
			t.Errorf("%s is not in the schema of POST\n%s", part, created)
		}
	}
	if strings.Contains(created, "closed") || strings.Contains(created, "secret") {
		t.Errorf("what is not in the form is in the schema of POST: %s", created)
	}
}

// wired is a row as REST shows it.
type wired struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
	Name    string `json:"name"`
	Stock   int64  `json:"stock"`
	Closed  bool   `json:"closed"`
}

func TestTheRESTOfARegisteredCollectionWorks(t *testing.T) {
	h := newTickets(t)
	body := func(name string) map[string]any {
		return map[string]any{"appid": "wxa", "name": name, "until": 1_900_000_000_000, "stock": 5, "level": "gold"}
	}
	var made wired
	if err := h.API("POST", "/tickets", body("满减券"), &made); err != nil || made.ID == "" || made.Stock != 5 || made.Version != 1 {
		t.Fatalf("made %+v, %v", made, err)
	}
	if err := h.API("PATCH", "/tickets/"+made.ID, map[string]any{"stock": 7, "version": 1}, &made); err != nil || made.Stock != 7 || made.Version != 2 || made.Name != "满减券" {
		t.Errorf("changed %+v, %v", made, err)
	}
	if err := h.API("PATCH", "/tickets/"+made.ID, map[string]any{"stock": 8, "version": 1}, nil); !errors.Is(err, sdk.ErrAborted) {
		t.Errorf("an outdated version gave %v", err)
	}
	if err := h.API("POST", "/tickets", body("另一张"), nil); err != nil {
		t.Fatal(err)
	}
	var page struct {
		Items []wired
		Next  *string
		Total *int64
	}
	if err := h.API("GET", "/tickets?name=满减&appid=wxa&closed=false&level=gold&limit=1", nil, &page); err != nil || len(page.Items) != 1 || page.Items[0].Name != "满减券" || *page.Total != 1 {
		t.Errorf("list %+v, %v", page, err)
	}
	var said struct{ Message string }
	if err := h.API("POST", "/tickets/"+made.ID+"/stop", nil, &said); err != nil || said.Message != "停用：1 条" {
		t.Errorf("the action said %+v, %v", said, err)
	}
	var failure *sdk.Error
	if err := h.API("POST", "/tickets/"+made.ID+"/stop", nil, nil); !errors.As(err, &failure) || failure.Kind != sdk.KindConflict {
		t.Errorf("stopping twice gave %v", err)
	}
	if err := h.API("GET", "/tickets/"+made.ID, nil, &made); err != nil || !made.Closed {
		t.Errorf("read %+v, %v", made, err)
	}
	if err := h.API("DELETE", "/tickets/"+made.ID, nil, nil); err != nil {
		t.Error(err)
	}
	if err := h.API("GET", "/tickets/"+made.ID, nil, nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("the removed one gave %v", err)
	}
}

func TestWhatDoesNotFitIsRefusedOnItsField(t *testing.T) {
	h := newTickets(t)
	good := map[string]any{"appid": "wxa", "name": "券", "until": 1_900_000_000_000}
	for _, bad := range []struct {
		name  string
		value any
		want  string
	}{
		{"name", "", "必填"}, {"name", nil, "不能是 null"}, {"name", "一二三四五六七八九十一", "最多 10 个字"}, {"name", 3, "类型不正确"},
		{"until", 0, "必填"}, {"level", "iron", "请从列表中选择"}, {"closed", true, "不认识的字段"}, {"secret", "x", "不认识的字段"}, {"nmae", "x", "不认识的字段"},
	} {
		body := map[string]any{}
		for name, value := range good {
			body[name] = value
		}
		body[bad.name] = bad.value
		if err := h.API("POST", "/tickets", body, nil); sdk.FieldErrors(err)[bad.name] != bad.want {
			t.Errorf("%s %v gave %v", bad.name, bad.value, err)
		}
	}
	for address, field := range map[string]string{"/tickets?limit=many": "limit", "/tickets/x": "id"} {
		if err := h.API("GET", address, nil, nil); sdk.FieldErrors(err)[field] == "" {
			t.Errorf("%s gave %v", address, err)
		}
	}
	if err := h.As(sdk.ActorInfo{AccountID: 2, SpaceID: 22, Role: "owner"}).API("POST", "/tickets", good, nil); err == nil {
		t.Error("a row on another's mini program was taken")
	}
}

func TestACheckHoldsFormAndREST(t *testing.T) {
	p, list := tickets()
	list.Check(func(_ context.Context, row *Ticket) error {
		if row.Stock < 0 {
			return sdk.Fail("stock", "请检查填写的内容").On("stock", "不能小于 0")
		}
		row.Secret = "S-" + row.Name
		return nil
	})
	h := sdktest.New(t, p, sdktest.Options{Actor: owner, MiniPrograms: []sdk.MiniProgramInfo{{AppID: "wxa", OwnerSpace: 11}}})
	form := map[string]string{"appid": "wxa", "name": "券", "until": "2030-01-02 03:04:05", "stock": "-1"}
	if _, err := h.Save("tickets", 0, 0, form); sdk.FieldErrors(err)["stock"] != "不能小于 0" {
		t.Errorf("the form gave %v", err)
	}
	form["stock"] = "3"
	id, err := h.Save("tickets", 0, 0, form)
	if err != nil {
		t.Fatal(err)
	}
	var row struct{ Secret, Until any }
	if err := h.API("GET", fmt.Sprintf("/tickets/%d", id), nil, &row); err != nil || row.Secret != "S-券" || row.Until != 1893524645000.0 {
		t.Errorf("saved %+v, %v", row, err)
	}
	if _, err := h.Save("tickets", id, 1, map[string]string{"until": "soon"}); sdk.FieldErrors(err)["until"] == "" {
		t.Errorf("a time of %q gave %v", "soon", err)
	}
	if _, err := h.Save("tickets", id, 1, map[string]string{"stock": "9"}); err != nil {
		t.Error(err)
	}
	if err := h.API("PATCH", fmt.Sprintf("/tickets/%d", id), map[string]any{"stock": -2}, nil); sdk.FieldErrors(err)["stock"] == "" {
		t.Errorf("REST gave %v", err)
	}
}

func TestAJobChangesWhatFits(t *testing.T) {
	h := newTickets(t)
	for name, until := range map[string]int64{"旧": 1_000, "新": 4_000_000_000_000} {
		if err := h.API("POST", "/tickets", map[string]any{"appid": "wxa", "name": name, "until": until}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"停用 1 张", "停用 0 张"} {
		if note, err := h.Job("expire"); err != nil || note != want {
			t.Errorf("the job noted %q, %v", note, err)
		}
	}
	result, err := h.Act("tickets", "stop", 1)
	if !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("an unknown row gave %v, %v", result, err)
	}
}

func TestAReadOnlyListHasNoFormAndNoREST(t *testing.T) {
	p := sdk.New("ticket", "券", "1.0.0")
	sdk.Register[Ticket](p, "tickets", "优惠券", sdk.ReadOnly(), sdk.InGroup("运营"), sdk.Intro("自动生成"), sdk.ForKinds("merchant"))
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	table := p.Manifest().GetTables()[0]
	if len(table.GetForm()) > 0 || table.GetCanCreate() || table.GetIntro() == "" || len(table.GetKinds()) != 1 || p.Manifest().GetMenu()[0].GetGroup() != "运营" {
		t.Errorf("table %v", table)
	}
	for _, r := range p.Manifest().GetRoutes() {
		if r.GetMethod() != "GET" {
			t.Errorf("there is %s %s", r.GetMethod(), r.GetPattern())
		}
	}
}

func TestMistakesInARegistrationAreTold(t *testing.T) {
	p := sdk.New("ticket", "券", "1.0.0")
	list := sdk.Register[badFit](p, "rows", "", sdk.Sorted("nmae"))
	list.Change("stop", "停用", nil, sdk.When("state", "on"))
	list.Check(nil)
	p.Asks(sdk.ToHosts("https://example.com"), sdk.ToCore("grant create"))
	err := p.Err()
	for _, want := range []string{
		"badFit.Name: Go type string", `sdk.Register of "rows": the title is empty`, `sorted by "nmae"`, `action "stop": needs a name`,
		`shown when "state"`, "Check needs one function", `capability hosts "https://example.com": is not written like hooks.example.com`, `capability core "grant create"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told\n%v", want, err)
		}
	}
}
