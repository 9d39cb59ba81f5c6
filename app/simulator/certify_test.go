package simulator

import (
	"fmt"
	"testing"
)

// certifyBody is a complete auth_data.
func (g *rig) certifyBody(at string, change object) object {
	g.t.Helper()
	out := g.upload("/wxa/sec/uploadauthmaterial?access_token="+at, "media", "a.png", fileOfType(g.t, "image/png"))
	data := object{"customer_type": 1, "contact_info": object{"name": "陈晨", "email": "chen@example.com"}, "invoice_info": object{"invoice_type": 1},
		"qualification": out["mediaid"], "account_name": "晨光文具铺", "account_name_type": 1, "pay_type": 2}
	for k, v := range change {
		data[k] = v
	}
	return object{"auth_data": data}
}

func TestCertificationFromThePhoneToTheBadge(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	g.control("miniprograms", object{"appid": testProgram, "verify_type": -1})
	AT := "?access_token=" + at
	made := g.ok("POST", "/wxa/sec/wxaauth"+AT, g.certifyBody(at, nil))
	id := made["taskid"]
	if push := g.platform.wait("notify_3rd_wxa_auth"); push["task_status"] != "0" || push["taskid"] != id {
		t.Errorf("first push %v", push)
	}
	g.refused(85050, "POST", "/wxa/sec/wxaauth"+AT, g.certifyBody(at, nil))
	is := func(task, apply float64) object {
		t.Helper()
		got := g.ok("POST", "/wxa/sec/queryauth"+AT, object{"taskid": id})
		if got["task_status"].(float64) != task || got["apply_status"].(float64) != apply {
			t.Errorf("state %v, want task %v apply %v", got, task, apply)
		}
		return got
	}
	is(0, 0)
	g.act(id, "agree")
	is(3, 0)
	g.act(id, "face_pass")
	if push := g.platform.wait("notify_3rd_wxa_auth"); push["task_status"] != "6" {
		t.Errorf("face push %v", push)
	}
	g.act(id, "phone_pass")
	if got := is(15, applyPay); got["orderid"] == "" {
		t.Errorf("no order to pay: %v", got)
	}
	g.act(id, "pay")
	if push := g.platform.wait("notify_3rd_wxa_auth"); push["task_status"] != "12" || push["apply_status"] != fmt.Sprint(applyReview) || push["provider"] == "" {
		t.Errorf("review push %v", push)
	}
	g.decide("certification", "营业执照模糊")
	if got := is(12, applyReturned); got["refill_reason"] != "营业执照模糊" {
		t.Errorf("returned %v", got)
	}
	g.refused(85060, "POST", "/wxa/sec/reauth"+AT, g.certifyBody(at, object{"taskid": "x"}))
	g.ok("POST", "/wxa/sec/reauth"+AT, g.certifyBody(at, object{"taskid": id}))
	g.refused(85050, "POST", "/wxa/sec/reauth"+AT, g.certifyBody(at, object{"taskid": id}))
	g.decide("certification", "")
	is(12, applyPassed)
	if basic := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo"+AT, nil); basic["wx_verify_info"].(object)["qualification_verify"] != true {
		t.Errorf("basic info %v", basic)
	}
	g.refused(85060, "POST", "/wxa/sec/queryauth"+AT, object{"taskid": "x"})
}

func TestCertificationPaidByTheProviderSkipsThePayment(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	id := g.ok("POST", "/wxa/sec/wxaauth"+AT, g.certifyBody(at, object{"pay_type": 1, "service_appid": "wx00000000000000f1"}))["taskid"]
	for _, action := range []string{"agree", "face_pass", "phone_pass"} {
		g.act(id, action)
	}
	if got := g.ok("POST", "/wxa/sec/queryauth"+AT, object{"taskid": id}); got["apply_status"].(float64) != applyReview {
		t.Errorf("state %v", got)
	}
}

func TestCertificationFailsForGoodAfterTooManyReturns(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	id := g.ok("POST", "/wxa/sec/wxaauth"+AT, g.certifyBody(at, object{"customer_type": 15, "auth_identification": "教师", "auth_ident_material": []string{}}))["taskid"]
	for _, action := range []string{"agree", "face_pass", "phone_pass", "pay"} {
		g.act(id, action)
	}
	for range maxReturns - 1 {
		g.decide("certification", "材料不足")
		g.ok("POST", "/wxa/sec/reauth"+AT, g.certifyBody(at, object{"taskid": id}))
	}
	g.decide("certification", "材料不足")
	if got := g.ok("POST", "/wxa/sec/queryauth"+AT, object{"taskid": id}); got["apply_status"].(float64) != applyFailed || got["fail_reason"] != "材料不足" {
		t.Errorf("state %v", got)
	}
	g.ok("POST", "/wxa/sec/wxaauth"+AT, g.certifyBody(at, nil)) // a new one may start
}

func TestCertificationFormIsJudged(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	path := "/wxa/sec/wxaauth" + AT
	g.refuses(t, []refusal{
		{"nothing", 40097, path, object{}},
		{"no qualification", 40097, path, g.certifyBody(at, object{"qualification": ""})},
		{"qualification lost", 40007, path, g.certifyBody(at, object{"qualification": "lost"})},
		{"provider pays without an appid", 40097, path, g.certifyBody(at, object{"pay_type": 1})},
		{"person without identity", 40097, path, g.certifyBody(at, object{"customer_type": 15})},
		{"material as one text", 40007, path, g.certifyBody(at, object{"auth_ident_material": "lost"})},
	})
	if got := g.upload("/wxa/sec/uploadauthmaterial"+AT, "media", "a.txt", fileOfType(t, "image/png")); errcode(got) != 40005 {
		t.Errorf("wrong extension: %v", got)
	}
	for _, method := range []string{"GET", "POST"} { // the sources disagree about the verb
		if got := g.ok(method, "/wxa/sec/authidentitytree"+AT, map[string]any{"POST": "{}", "GET": nil}[method]); len(got["identity_tree_list"].([]any)) == 0 {
			t.Errorf("%s: %v", method, got)
		}
	}
}

func TestCertificationAndFilingInOneProcedure(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	body := g.icpBody(at, g.faceChecked(at))
	body["auth_data"] = g.certifyBody(at, nil)["auth_data"]
	made := g.ok("POST", "/wxa/sec/submit_auth_and_icp"+AT, body)
	is := func(want float64) {
		t.Helper()
		if got := g.ok("POST", "/wxa/sec/query_auth_and_icp"+AT, object{"procedure_id": made["procedure_id"]}); got["procedure_status"].(float64) != want {
			t.Errorf("status %v, want %v", got, want)
		}
	}
	is(procedurePay)
	id := g.taskOf("certification")["id"]
	for _, action := range []string{"agree", "face_pass", "phone_pass", "pay"} {
		g.act(id, action)
	}
	is(procedureReview)
	g.decide("certification", "")
	is(procedureWechat)
	g.decide("icp_platform", "")
	is(procedureBureau)
	g.decide("icp_bureau", "")
	is(procedureDone)
	told := []string{}
	for range 6 {
		push := g.platform.wait("notify_3rd_wxa_auth_and_icp")
		told = append(told, push["procedure_status"])
		if push["procedure_status"] == fmt.Sprint(procedureDone) {
			break
		}
	}
	if fmt.Sprint(told) != "[15 17 19 22 24 26]" {
		t.Errorf("told %v", told)
	}
	g.refused(40097, "POST", "/wxa/sec/query_auth_and_icp"+AT, object{"procedure_id": "x"})
}

func TestCertificationIsRemindedOfAndEnds(t *testing.T) {
	g := startRig(t, Options{})
	g.long()
	_, at := g.ready()
	AT := "?access_token=" + at
	id := g.ok("POST", "/wxa/sec/wxaauth"+AT, g.certifyBody(at, object{"pay_type": 1, "service_appid": "wx00000000000000f1"}))["taskid"]
	for _, action := range []string{"agree", "face_pass", "phone_pass"} {
		g.act(id, action)
	}
	g.decide("certification", "")
	info := g.ok("GET", "/cgi-bin/account/getaccountbasicinfo"+AT, nil)["wx_verify_info"].(object)
	end := info["annual_review_end_time"].(float64)
	if info["annual_review"] != true || end-info["annual_review_begin_time"].(float64) != 60*24*3600 {
		t.Errorf("verify info %v", info)
	}
	for _, days := range []int{306, 30, 30} {
		g.advance(days * 24 * 3600)
		if push := g.platform.wait("notify_3rd_wxa_wxverify"); push["expired"] != fmt.Sprintf("%.0f", end) || push["appid"] != testProgram {
			t.Errorf("after %d days: %v", days, push)
		}
	}
	if m := g.control("miniprograms?appid="+testProgram, nil)["items"].([]any)[0].(object); m["verify_type"].(float64) != -1 {
		t.Errorf("verify type %v after the end", m["verify_type"])
	}
}
