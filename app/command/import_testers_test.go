package command_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// fileImport is an import as REST tells it.
type fileImport struct {
	ID, Phase, State, Error string
	Header                  []string
	Mapping                 map[string]string
	Creates, Refused        int
}

// rowTold is what an import says of one row.
type rowTold struct {
	No       int
	Verdict  string
	Problems map[string]string
}

// TestTestersComeFromAFile carries a merchant's CSV in: each row that cannot go says why before anything is sent, a row
// that only WeChat can judge says it afterwards, and the others are testers at WeChat once.
func TestTestersComeFromAFile(t *testing.T) {
	d := startDemo(t, binary(t))
	const mine = "wx00000000000000e7"
	u, m := client{d, d.login("user@example.test")}, client{d, d.login("merchant@example.test")}
	d.control("/control/miniprograms", map[string]any{"appid": walkShop, "nick_name": "青禾小馆", "admin": "zhaoliu"}, nil)
	d.control("/control/miniprograms", map[string]any{"appid": mine, "nick_name": "晨光示例", "admin": "zhaoliu"}, nil)
	for _, who := range []string{"tester-one", "tester-two"} {
		d.control("/control/people", map[string]any{"wechat_id": who, "name": who, "searchable": true}, nil)
	}
	install(d, u) // the user's own: the merchant may upload to it, and no more
	var bound struct{ Items []struct{ AppID string } }
	m.must(http.StatusOK, http.MethodGet, "/components", nil, &bound)
	var ticket struct{ Ticket string }
	m.must(http.StatusCreated, http.MethodPost, "/components/"+bound.Items[0].AppID+"/authorizations", map[string]any{}, &ticket)
	m.authorise(ticket.Ticket, mine)
	d.eventually("the merchant's own mini program", func() bool {
		return d.call(http.MethodGet, d.base+"/api/v1/miniprograms/"+mine, m.token, nil, nil) == http.StatusOK
	})

	rows := [][2]string{{mine, "tester-one"}, {mine, "tester-two"}, {"wx00000000000000ff", "tester-one"}, {walkShop, "tester-one"}, {mine, "张三"}, {mine, "nobody-there"}, {"", "tester-one"}}
	imp := m.upload("version_testers", "AppID,微信号", rows)
	if imp.Mapping["0"] != "appid" || imp.Mapping["1"] != "wechat_id" {
		t.Fatalf("the columns are taken for %v", imp.Mapping)
	}
	m.must(http.StatusOK, http.MethodPost, "/imports/"+imp.ID+"/check", map[string]any{"mapping": imp.Mapping}, nil)
	imp = m.settled(imp.ID, "check")
	if imp.Creates != 3 || imp.Refused != 4 {
		t.Errorf("the dry run: %+v", imp)
	}
	told := m.rowsTold(imp.ID)
	for no, c := range map[int][2]string{3: {"appid", "没有找到这个小程序"}, 4: {"appid", "没有“管理体验成员”的权限"}, 5: {"wechat_id", "微信号应为"}, 7: {"appid", "必填"}} {
		if got := told[no-1]; got.Verdict != "refused" || !strings.Contains(got.Problems[c[0]], c[1]) {
			t.Errorf("row %d: %+v, want %s: %s", no, got, c[0], c[1])
		}
	}
	var list struct {
		Items []struct {
			AppID    string
			WechatID string `json:"wechat_id"`
		}
		Total int
	}
	m.must(http.StatusOK, http.MethodGet, "/version/testers", nil, &list)
	if n := d.wechatCalls("/wxa/bind_tester", mine); n != 0 || list.Total != 0 {
		t.Fatalf("the dry run bound %d, listed %d", n, list.Total)
	}

	for range 2 { // confirmed twice, carried in once
		d.call(http.MethodPost, d.base+"/api/v1/imports/"+imp.ID+"/confirm", m.token, map[string]any{}, nil)
	}
	m.settled(imp.ID, "apply")
	told = m.rowsTold(imp.ID)
	if told[0].Verdict != "created" || told[1].Verdict != "created" || told[5].Verdict != "refused" || !strings.Contains(told[5].Problems["wechat_id"], "微信号不存在") {
		t.Errorf("afterwards: %+v", told)
	}
	m.must(http.StatusOK, http.MethodGet, "/version/testers?appid="+mine, nil, &list)
	if n := d.wechatCalls("/wxa/bind_tester", mine); n != 2 || list.Total != 2 || list.Items[0].WechatID != "te****wo" {
		t.Errorf("%d bound at WeChat, listed %+v", n, list)
	}
	if status, page := send(t, d, m.token, http.MethodGet, "/admin/info/version_testers", nil); status != http.StatusOK || !strings.Contains(page, "te****wo") || strings.Contains(page, "tester-two") {
		t.Errorf("the list: %d %.600s", status, page)
	}
	if status, page := click(t, d, m.token, "/admin/info/version_testers/new", url.Values{"appid": {mine}, "wechat_id": {"tester-two"}}); status != http.StatusBadRequest || !strings.Contains(page, "该用户已经是体验成员") {
		t.Errorf("a tester twice: %d %.600s", status, page)
	}
	if n := d.wechatCalls("/wxa/bind_tester", walkShop); n != 0 {
		t.Errorf("%d bound where the merchant may not", n)
	}
}

// upload brings a CSV for a list.
func (c client) upload(list, header string, rows [][2]string) fileImport {
	c.t.Helper()
	csv := header + "\n"
	for _, r := range rows {
		csv += fmt.Sprintf("%s,%s\n", r[0], r[1])
	}
	req, err := http.NewRequest(http.MethodPost, c.base+"/api/v1/imports?"+url.Values{"list": {list}, "name": {"testers.csv"}}.Encode(), strings.NewReader(csv))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "text/csv")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusCreated {
		body, err := io.ReadAll(res.Body)
		c.t.Fatalf("upload: %d %.400s %v", res.StatusCode, body, err)
	}
	var made struct{ Items []fileImport }
	c.must(http.StatusOK, http.MethodGet, "/imports", nil, &made)
	return made.Items[0]
}

// settled waits for the end of a phase.
func (c client) settled(id, phase string) (imp fileImport) {
	c.t.Helper()
	c.eventually("the end of "+phase, func() bool {
		c.must(http.StatusOK, http.MethodGet, "/imports/"+id, nil, &imp)
		return imp.Phase == phase && imp.State != "waiting" && imp.State != "running"
	})
	if imp.State != "done" {
		c.t.Fatalf("%s ended %+v", phase, imp)
	}
	return imp
}

func (c client) rowsTold(id string) []rowTold {
	c.t.Helper()
	var list struct{ Items []rowTold }
	c.must(http.StatusOK, http.MethodGet, "/imports/"+id+"/rows", nil, &list)
	return list.Items
}
