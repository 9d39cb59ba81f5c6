package simulator

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// icpSets are any of the sets a filing needs. Read only.
var icpSets = []int{18, 156}

// icpEndpoints are 小程序备案 (02 I.1).
func icpEndpoints() []endpoint {
	const base = "/wxa/icp/"
	return []endpoint{
		{path: base + "get_icp_entrance_info", token: authorizerToken, sets: icpSets, run: icpEntrance},
		{path: base + "create_icp_verifytask", post: true, token: authorizerToken, sets: icpSets, run: createICPTask},
		{path: base + "query_icp_verifytask", post: true, token: authorizerToken, sets: icpSets, run: queryICPTask},
		{path: base + "upload_icp_media", post: true, token: authorizerToken, sets: icpSets, file: "media", run: uploadICPMedia},
		{path: base + "get_icp_media", token: authorizerToken, sets: icpSets, run: getICPMedia},
		{path: base + "apply_icp_filing", post: true, token: authorizerToken, sets: icpSets, run: applyICP},
		{path: base + "cancel_apply_icp_filing", post: true, token: authorizerToken, sets: icpSets, run: cancelApplyICP},
		{path: base + "cancel_icp_filing", post: true, token: authorizerToken, sets: icpSets, run: cancelICP},
		{path: base + "get_online_icp_order", token: authorizerToken, sets: icpSets, run: onlineICP},
		{path: base + "query_icp_service_content_types", token: authorizerToken, sets: icpSets, run: icpTable("content")},
		{path: base + "query_icp_certificate_types", token: authorizerToken, sets: icpSets, run: icpTable("certificate")},
		{path: base + "query_icp_district_code", token: authorizerToken, sets: icpSets, run: icpTable("district")},
		{path: base + "query_icp_nrlx_types", token: authorizerToken, sets: icpSets, run: icpTable("nrlx")},
		{path: base + "query_icp_subject_types", token: authorizerToken, sets: icpSets, run: icpTable("subject")},
	}
}

func icpEntrance(w *world, c *apiCall) (any, error) {
	f := w.filingOf(c.mp.AppID)
	status := f.shown(c.mp)
	info := map[string]any{"status": status, "is_canceling": false, "available": 0}
	if status == icpNone || status == icpWechatRejected || status == icpBureauRejected {
		info["available"] = 1
	}
	if len(f.Rejected) > 0 {
		info["audit_data"] = f.Rejected
	}
	if f.SMS != 0 {
		info["sms_verify_status"] = f.SMS
	}
	return fields{"info": info}, nil
}

func createICPTask(w *world, c *apiCall) (any, error) {
	var req struct {
		Along bool `json:"along_with_auth"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	t := &task{ID: w.ids.text(base62, 32), Kind: taskICP, Component: c.component.AppID, AppID: c.mp.AppID, Person: c.mp.Admin, Name: c.mp.NickName, Status: 1}
	out := fields{"task_id": t.ID}
	if req.Along {
		t.Data, t.URL = "along", c.taskURL(t.ID)
		out["verify_url"] = t.URL
	}
	w.addTask(t, c.now)
	return out, nil
}

func queryICPTask(w *world, c *apiCall) (any, error) {
	var req struct {
		TaskID string `json:"task_id"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	t := w.tasks.get(req.TaskID)
	if t == nil || t.Kind != taskICP || t.AppID != c.mp.AppID {
		return nil, refuse(40097)
	}
	out := fields{"is_finish": !t.open(), "face_status": t.Status}
	if t.Data == "along" && t.State == stepDone {
		out["along_with_auth_result"] = alongPassed
	}
	return out, nil
}

func uploadICPMedia(w *world, c *apiCall) (any, error) {
	file, err := c.file("media")
	if err != nil {
		return nil, err
	}
	want := file.fields["type"]
	if want != "image" && want != "video" {
		return nil, refuse(40004)
	}
	if _, err := checkMedia(file.data, want); err != nil {
		return nil, err
	}
	m := w.keepMedia(c, useICP, want, file, 0)
	m.Field = excerpt(file.fields["icp_order_field"], 200)
	w.media.put(m.ID, m)
	return fields{"type": m.Type, "media_id": m.ID, "created_at": c.now / 1000}, nil
}

func getICPMedia(w *world, c *apiCall) (any, error) {
	m := w.mediumOf(c.mp.AppID, useICP, c.query.Get("media_id"), c.now)
	if m == nil {
		return nil, refuse(40007)
	}
	return drawnPicture("icp", m.SHA256)
}

func applyICP(w *world, c *apiCall) (any, error) {
	var order icpOrder
	if err := c.decode(&order); err != nil {
		return nil, err
	}
	if code := w.mayFile(c.mp); code != 0 {
		return nil, refuse(code)
	}
	if hints := order.hints(w, c); len(hints) > 0 {
		return fields{"errcode": 86202, "errmsg": errcodeText(86202), "hints": hints}, nil
	}
	w.startFiling(c.mp, c.component.AppID, json.RawMessage(c.body), c.now)
	return fields{"hints": []any{}}, nil
}

// mayFile answers 86324 while an application is under review and 86358 when there is one at the bureau or a number.
func (w *world) mayFile(m *miniProgram) int {
	switch w.filingOf(m.AppID).Status {
	case icpWechat:
		return 86324
	case icpBureau, icpFiled:
		return 86358
	}
	return 0
}

func cancelApplyICP(w *world, c *apiCall) (any, error) {
	f := w.filingOf(c.mp.AppID)
	switch f.Status {
	case icpWechat, icpWechatRejected, icpBureauRejected:
	case icpBureau:
		return nil, refuse(86330)
	default:
		return nil, refuse(86368)
	}
	w.closeReview(f.ReviewID)
	w.filings.put(c.mp.AppID, &filing{})
	return fields{}, nil
}

func cancelICP(w *world, c *apiCall) (any, error) {
	var req struct {
		Type number `json:"cancel_type"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Type < 1 || req.Type > 3 {
		return nil, refuse(40097)
	}
	if w.filingOf(c.mp.AppID).Status != icpFiled {
		return nil, refuse(86328)
	}
	w.filings.put(c.mp.AppID, &filing{})
	return fields{}, nil
}

// onlineICP gives the filed order back, with the number and without the end of names and numbers of people.
func onlineICP(w *world, c *apiCall) (any, error) {
	f := w.filingOf(c.mp.AppID)
	if f.Status != icpFiled {
		return nil, refuse(86328)
	}
	out := fields{}
	if err := json.Unmarshal(f.Order, &out); err != nil {
		return nil, err
	}
	delete(out, "icp_materials")
	for _, part := range []string{"icp_subject", "icp_applets"} {
		section, ok := out[part].(map[string]any)
		if !ok {
			continue
		}
		if base, ok := section["base_info"].(map[string]any); ok {
			base["record_number"] = f.Record
			if part == "icp_subject" {
				base["record_number"] = strings.Split(f.Record, "-")[0]
			} else {
				base["appid"], base["name"] = c.mp.AppID, c.mp.NickName
			}
		}
		for _, who := range []string{"principal_info", "legal_person_info"} {
			maskPerson(section[who])
		}
	}
	return out, nil
}

// maskPerson keeps the first character of everything that tells who a person is.
func maskPerson(v any) {
	person, ok := v.(map[string]any)
	if !ok {
		return
	}
	for _, key := range []string{"name", "mobile", "email", "emergency_contact", "certificate_number"} {
		if text, ok := person[key].(string); ok && text != "" {
			_, size := utf8.DecodeRuneInString(text)
			person[key] = text[:size] + strings.Repeat("*", utf8.RuneCountInString(text)-1)
		}
	}
}

// icpTable answers one of the tables of codes.
func icpTable(name string) func(*world, *apiCall) (any, error) {
	return func(*world, *apiCall) (any, error) { return fields{"items": icpTables()[name]}, nil }
}

// icpTables are the simulator's short tables: real kinds, fewer rows.
func icpTables() map[string][]any {
	district := func(kind int, code, name string, below ...any) map[string]any {
		out := map[string]any{"type": kind, "code": code, "name": name}
		if len(below) > 0 {
			out["sub_list"] = below
		}
		return out
	}
	row := func(kind int, name string, more ...any) map[string]any {
		out := map[string]any{"type": kind, "name": name, "remark": ""}
		for i := 0; i+1 < len(more); i += 2 {
			if key, ok := more[i].(string); ok {
				out[key] = more[i+1]
			}
		}
		return out
	}
	return map[string][]any{
		"subject": {row(1, "个人"), row(4, "企业"), row(5, "社会团体"), row(7, "个体工商户")},
		"certificate": {row(1, "营业执照", "subject_type", 4), row(2, "居民身份证", "subject_type", 1), row(6, "社会团体法人登记证书", "subject_type", 5),
			row(1, "营业执照", "subject_type", 7)},
		"content": {row(3, "电商平台", "parent_type", 0), row(57, "网上购物", "parent_type", 3), row(5, "生活服务", "parent_type", 0), row(62, "餐饮", "parent_type", 5),
			row(63, "预约服务", "parent_type", 5)},
		"nrlx": {map[string]any{"type": 1, "name": "新闻"}, map[string]any{"type": 2, "name": "出版"}, map[string]any{"type": 8, "name": "药品和医疗器械"},
			map[string]any{"type": noneOfThem, "name": "以上都不涉及"}},
		"district": {
			district(1, "110000", "北京市", district(2, "110100", "北京市", district(3, "110101", "东城区"), district(3, "110108", "海淀区"))),
			district(1, "330000", "浙江省", district(2, "330100", "杭州市", district(3, "330106", "西湖区"), district(3, "330108", "滨江区"))),
			district(1, "440000", "广东省", district(2, "440100", "广州市", district(3, "440106", "天河区")), district(2, "440300", "深圳市", district(3, "440305", "南山区"))),
		},
	}
}
