package simulator

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// icpFile uploads a document of the filing.
func (g *rig) icpFile(at, field string) string {
	g.t.Helper()
	out := g.upload("/wxa/icp/upload_icp_media?access_token="+at, "media", "a.png", fileOfType(g.t, "image/png"), "type", "image", "icp_order_field", field)
	id, _ := out["media_id"].(string)
	if id == "" {
		g.t.Fatalf("upload %v", out)
	}
	return id
}

// icpBody is a complete application; taskID is a face check that passed.
func (g *rig) icpBody(at, taskID string) object {
	g.t.Helper()
	person := func(extra object) object {
		p := object{"name": "陈晨", "mobile": "13100000001", "email": "chen@example.com", "emergency_contact": "13100000004", "certificate_type": 2,
			"certificate_number": "330000190001010000", "certificate_validity_date_start": "20200101", "certificate_validity_date_end": "长期",
			"certificate_photo_front": g.icpFile(at, "front"), "certificate_photo_back": g.icpFile(at, "back")}
		for k, v := range extra {
			p[k] = v
		}
		return p
	}
	return object{
		"icp_subject": object{"base_info": object{"type": 4, "name": "晨光文具有限公司", "province": "330000", "city": "330100", "district": "330106", "address": "示例路 1 号"},
			"organize_info":  object{"certificate_type": 1, "certificate_number": "91330000MA0DEMO001", "certificate_address": "示例路", "certificate_photo": g.icpFile(at, "licence")},
			"principal_info": person(nil)},
		"icp_applets": object{"base_info": object{"service_content_types": []int{57}, "nrlx_details": []object{{"type": 24}},
			"comment": strings.Repeat("本小程序展示文具。", 3)}, "principal_info": person(object{"verify_task_id": taskID})},
	}
}

// faceChecked is a face check of the responsible person that passed.
func (g *rig) faceChecked(at string) string {
	g.t.Helper()
	id := g.ok("POST", "/wxa/icp/create_icp_verifytask?access_token="+at, object{"along_with_auth": true})["task_id"].(string)
	g.act(id, "face_pass")
	return id
}

func TestFilingGoesThroughBothReviewsToItsNumber(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	entrance := func() object { return g.ok("GET", "/wxa/icp/get_icp_entrance_info"+AT, nil)["info"].(object) }
	g.control("miniprograms", object{"appid": testProgram, "verify_type": -1, "intro_set": false})
	if got := entrance(); got["status"].(float64) != icpNone+icpNoProfile+icpNotCertified || got["available"].(float64) != 0 {
		t.Errorf("incomplete: %v", got)
	}
	g.control("miniprograms", object{"appid": testProgram, "verify_type": 0, "intro_set": true})
	if got := entrance(); got["status"].(float64) != icpNone || got["available"].(float64) != 1 {
		t.Errorf("ready: %v", got)
	}

	task := g.ok("POST", "/wxa/icp/create_icp_verifytask"+AT, object{"along_with_auth": true})
	query := object{"task_id": task["task_id"]}
	if got := g.ok("POST", "/wxa/icp/query_icp_verifytask"+AT, query); got["is_finish"] != false || got["face_status"].(float64) != 1 || task["verify_url"] == "" {
		t.Errorf("waiting: %v", got)
	}
	g.act(task["task_id"], "face_pass")
	if push := g.platform.wait("notify_icpfiling_verify_result"); push["result"] != "3" || push["along_with_auth_result"] != "9" || push["verify_appid"] != testProgram {
		t.Errorf("push %v", push)
	}
	if got := g.ok("POST", "/wxa/icp/query_icp_verifytask"+AT, query); got["is_finish"] != true || got["face_status"].(float64) != 3 {
		t.Errorf("passed: %v", got)
	}

	body := g.icpBody(at, task["task_id"].(string))
	g.ok("POST", "/wxa/icp/apply_icp_filing"+AT, body)
	g.refused(86324, "POST", "/wxa/icp/apply_icp_filing"+AT, body)
	status := func(kind, reason string, want float64) {
		t.Helper()
		g.decide(kind, reason)
		push := g.platform.wait("notify_apply_icpfiling_result")
		if got := entrance()["status"].(float64); got != want || push["beian_status"] != fmt.Sprint(want) || push["authorizer_appid"] != testProgram {
			t.Errorf("status %v, push %v, want %v", got, push, want)
		}
	}
	status("icp_platform", "证件不清晰", icpWechatRejected)
	if got := entrance(); fmt.Sprint(got["audit_data"]) == "<nil>" || got["available"].(float64) != 1 {
		t.Errorf("rejected: %v", got)
	}
	g.refused(86328, "GET", "/wxa/icp/get_online_icp_order"+AT, nil)
	g.ok("POST", "/wxa/icp/apply_icp_filing"+AT, body)
	status("icp_platform", "", icpBureau)
	g.refused(86330, "POST", "/wxa/icp/cancel_apply_icp_filing"+AT, "{}")
	g.refused(86358, "POST", "/wxa/icp/apply_icp_filing"+AT, body)
	status("icp_bureau", "", icpFiled)
	online := g.ok("GET", "/wxa/icp/get_online_icp_order"+AT, nil)
	applet := online["icp_applets"].(object)["base_info"].(object)
	person := online["icp_subject"].(object)["principal_info"].(object)
	if !strings.Contains(applet["record_number"].(string), "ICP") || applet["appid"] != testProgram || person["name"] != "陈*" {
		t.Errorf("online order %v", online)
	}
	g.refused(40097, "POST", "/wxa/icp/cancel_icp_filing"+AT, object{"cancel_type": 9})
	g.ok("POST", "/wxa/icp/cancel_icp_filing"+AT, object{"cancel_type": 2})
	g.refused(86328, "POST", "/wxa/icp/cancel_icp_filing"+AT, object{"cancel_type": 2})
}

func TestFilingIsRefusedWithAHintPerField(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	task := g.faceChecked(at)
	body := g.icpBody(at, task)
	subject, applets := body["icp_subject"].(object), body["icp_applets"].(object)
	subject["base_info"].(object)["name"] = ""
	subject["organize_info"].(object)["certificate_photo"] = "lost"
	subject["principal_info"].(object)["emergency_contact"] = "13100000001"
	subject["principal_info"].(object)["certificate_validity_date_end"] = "20200102"
	applets["base_info"].(object)["comment"] = "太短"
	applets["principal_info"].(object)["verify_task_id"] = "none"
	body["icp_materials"] = object{"promise_video": []string{"lost"}}
	out := g.call("POST", "/wxa/icp/apply_icp_filing"+AT, body)
	if errcode(out) != 86202 {
		t.Fatalf("answer %v", out)
	}
	raw, err := json.Marshal(out["hints"])
	if err != nil {
		t.Fatal(err)
	}
	var hints []icpHint
	if err := json.Unmarshal(raw, &hints); err != nil {
		t.Fatal(err)
	}
	for _, want := range []icpHint{
		{Errcode: hintMissing, Field: "icp_subject.base_info.name"},
		{Errcode: hintPicture, Field: "icp_subject.organize_info.certificate_photo"},
		{Errcode: hintMissing, Field: "icp_subject.principal_info.emergency_contact"},
		{Errcode: hintDates, Field: "icp_subject.principal_info.certificate_validity_date_end"},
		{Errcode: hintMissing, Field: "icp_applets.base_info.comment"},
		{Errcode: hintMissing, Field: "icp_applets.principal_info.verify_task_id"},
		{Errcode: hintPicture, Field: "icp_materials.promise_video"},
	} {
		if !slices.ContainsFunc(hints, func(h icpHint) bool { return h.Errcode == want.Errcode && h.Field == want.Field && h.Errmsg != "" }) {
			t.Errorf("no hint %d for %s in %v", want.Errcode, want.Field, hints)
		}
	}
	if len(hints) != 7 {
		t.Errorf("%d hints, want 7: %v", len(hints), hints)
	}
}

func TestWithdrawnFilingIsForgotten(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	g.refused(86368, "POST", "/wxa/icp/cancel_apply_icp_filing"+AT, "{}")
	body := g.icpBody(at, g.faceChecked(at))
	g.ok("POST", "/wxa/icp/apply_icp_filing"+AT, body)
	g.ok("POST", "/wxa/icp/cancel_apply_icp_filing"+AT, "{}")
	if items := g.control("reviews?kind=icp_platform", nil)["items"].([]any); len(items) != 0 {
		t.Errorf("the review desk still shows %v", items)
	}
	g.ok("POST", "/wxa/icp/apply_icp_filing"+AT, body)
}

func TestFaceCheckThatFailsOrNobodyMakes(t *testing.T) {
	g := startRig(t, Options{})
	g.long()
	_, at := g.ready()
	AT := "?access_token=" + at
	for why, act := range map[string]func(id any){
		"failed": func(id any) { g.act(id, "face_fail") },
		"nobody": func(any) { g.advance(24*3600 + 1) },
	} {
		id := g.ok("POST", "/wxa/icp/create_icp_verifytask"+AT, object{})["task_id"]
		act(id)
		if push := g.platform.wait("notify_icpfiling_verify_result"); push["result"] != "2" || push["task_id"] != id {
			t.Errorf("%s: push %v", why, push)
		}
	}
	g.refused(40097, "POST", "/wxa/icp/query_icp_verifytask"+AT, object{"task_id": "x"})
}

func TestReleaseWaitsForTheFilingWhenTheSettingSaysSo(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	g.passed(at, "1.0.0")
	g.control("settings", object{"release_icp_errcode": 85020})
	g.refused(85020, "POST", "/wxa/release"+AT, "{}")
	g.ok("POST", "/wxa/icp/apply_icp_filing"+AT, g.icpBody(at, g.faceChecked(at)))
	g.decide("icp_platform", "")
	g.decide("icp_bureau", "")
	g.ok("POST", "/wxa/release"+AT, "{}")
}
