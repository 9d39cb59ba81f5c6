package simulator

import (
	"fmt"
	"strings"
	"testing"
)

// online is a released mini program with every permission set.
func (g *rig) online() (ct, at string) {
	g.t.Helper()
	ct, at = g.ready()
	g.passed(at, "1.0.0")
	g.ok("POST", "/wxa/release?access_token="+at, object{})
	g.control("authorizations", object{"component_appid": testComponent, "appid": testProgram, "permission_sets": allSets(), "push": false})
	at = g.control("tokens", object{"component_appid": testComponent, "appid": testProgram})["access_token"].(string)
	return ct, at
}

func TestOrdersAreShippedAndReadBack(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.online()
	AT := "?access_token=" + at
	paid := g.control("orders", object{"appid": testProgram, "merchant_trade_no": "T1", "description": "咖啡豆", "paid_amount": 8800, "person": "lisi"})
	if got := g.platform.wait("trade_manage_remind_shipping")["merchant_trade_no"]; got != "T1" {
		t.Errorf("reminder for %q", got)
	}
	id := paid["transaction_id"].(string)
	get := object{"transaction_id": id}
	g.refused(10060001, "POST", "/wxa/sec/order/get_order"+AT, get) // right after the payment
	g.advance(61)
	shipping := func(number string) object {
		return object{"order_key": object{"order_number_type": 2, "transaction_id": id}, "logistics_type": 1, "delivery_mode": 1, "is_all_delivered": true,
			"shipping_list": []object{{"tracking_no": number, "express_company": "SF", "item_desc": "咖啡豆"}}, "upload_time": "2026-03-01T10:00:00.120+08:00", "payer": object{"openid": paid["openid"]}}
	}
	with := func(key string, value any) object { s := shipping("SF1"); s[key] = value; return s }
	const upload = "/wxa/sec/order/upload_shipping_info"
	g.refuses(t, []refusal{
		{"time", 268485216, upload + AT, with("upload_time", "gestern")}, {"mode", 40097, upload + AT, with("delivery_mode", 3)},
		{"two parcels at once", 40097, upload + AT, with("shipping_list", []object{{"tracking_no": "1", "express_company": "SF", "item_desc": "a"}, {"tracking_no": "2", "express_company": "SF", "item_desc": "b"}})},
		{"no number", 40097, upload + AT, with("shipping_list", []object{{"item_desc": "a"}})},
		{"other order", 10060001, upload + AT, with("order_key", object{"order_number_type": 1, "mchid": "1900000001", "out_trade_no": "T2"})},
	})
	g.ok("POST", upload+AT, shipping("SF1"))
	order := g.ok("POST", "/wxa/sec/order/get_order"+AT, object{"merchant_id": "1900000001", "merchant_trade_no": "T1"})["order"].(object)
	if order["order_state"] != float64(orderShipped) || order["shipping"].(object)["shipping_list"].([]any)[0].(object)["tracking_no"] != "SF1" {
		t.Errorf("order %v", order)
	}
	g.refused(10060023, "POST", upload+AT, shipping("SF1"))
	g.ok("POST", upload+AT, shipping("SF2"))
	g.refused(10060003, "POST", upload+AT, shipping("SF3"))
	g.ok("POST", "/wxa/sec/order/notify_confirm_receive"+AT, object{"transaction_id": id, "received_time": 1})
	g.refused(10060004, "POST", "/wxa/sec/order/notify_confirm_receive"+AT, object{"transaction_id": id, "received_time": 1})
	g.control("orders", object{"appid": testProgram, "transaction_id": id, "order_state": orderDone})
	g.platform.wait("trade_manage_order_settlement")
	g.refused(10060004, "POST", upload+AT, shipping("SF4"))
	for i := range 3 {
		g.control("orders", object{"appid": testProgram, "merchant_trade_no": fmt.Sprintf("M%d", i)})
	}
	g.advance(61)
	list := g.ok("POST", "/wxa/sec/order/get_order_list"+AT, object{"order_state": orderWaits, "page_size": 2})
	next := g.ok("POST", "/wxa/sec/order/get_order_list"+AT, object{"order_state": orderWaits, "page_size": 2, "last_index": list["last_index"]})
	if len(list["order_list"].([]any)) != 2 || list["has_more"] != true || len(next["order_list"].([]any)) != 1 || next["has_more"] != false {
		t.Errorf("lists %v %v", list, next)
	}
	g.ok("POST", "/wxa/sec/order/update_order_detail_path"+AT, object{"path": "pages/order/detail"})
	if got := g.ok("POST", "/wxa/sec/order/get_order_detail_path"+AT, object{})["path"]; got != "pages/order/detail" {
		t.Errorf("path %v", got)
	}
	g.controlRefused(404, "transaction_id", "POST", "orders", object{"appid": testProgram, "transaction_id": "x", "order_state": 3})
	g.controlRefused(400, "order_state", "POST", "orders", object{"appid": testProgram, "transaction_id": id, "order_state": 9})
}

func TestOrderPathsAreReviewedAndReadBack(t *testing.T) {
	g := startRig(t, Options{})
	ct, at := g.online()
	const apply, read = "/wxa/security/applysetorderpathinfo?access_token=", "/wxa/security/getorderpathinfo?access_token="
	batch := func(path string, apps ...string) object {
		return object{"batch_req": object{"path": path, "appid_list": apps, "img_list": []string{"https://img.example.com/1.png"}, "test_account": "a", "test_pwd": "b"}}
	}
	g.refused(61041, "POST", read+at, object{"info_type": 0})
	many := make([]string, 101)
	g.refuses(t, []refusal{{"too many", 61042, apply + ct, batch("pages/order/list", many...)}, {"nobody", 61043, apply + ct, batch("pages/order/list")},
		{"path", 61044, apply + ct, batch("/pages order", testProgram)}})
	g.ok("POST", apply+ct, batch("pages/order/list", testProgram, "wx00000000000000ee"))
	if told := g.platform.wait("order_path_apply_result_notify"); told["ret"] != "61003" { // the last of the list
		t.Errorf("told %v", told)
	}
	if got := g.ok("POST", read+at, object{"info_type": 1})["msg"].(object); got["status"] != float64(2) || got["path"] != "pages/order/list" {
		t.Errorf("asked %v", got)
	}
	review := g.control("reviews", nil)["items"].([]any)[0].(object)
	g.control("reviews/"+idOf(review), object{"result": "reject", "reason": "页面无法打开"})
	if told := g.platform.wait("order_path_audit_result_notify"); told["status"] != "3" || told["reason"] != "页面无法打开" {
		t.Errorf("told %v", told)
	}
	g.refused(61041, "POST", read+at, object{"info_type": 0})
	g.ok("POST", apply+ct, batch("pages/order/all", testProgram))
	g.platform.wait("order_path_apply_result_notify")
	for _, r := range g.control("reviews", nil)["items"].([]any) {
		if r.(object)["state"] == reviewWaiting {
			g.control("reviews/"+idOf(r.(object)), object{"result": "pass"})
		}
	}
	g.platform.wait("order_path_audit_result_notify")
	if got := g.ok("GET", "/wxa/security/getorderpathinfo?info_type=0&access_token="+at, nil)["msg"].(object); got["status"] != float64(4) || got["path"] != "pages/order/all" {
		t.Errorf("online %v", got)
	}
}

func TestSubscribeTemplatesAreAddedSentAndDeleted(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.online()
	AT, base := "access_token="+at, "/wxaapi/newtmpl/"
	add := func(tid any, scene string, kids ...int) object {
		return object{"tid": tid, "kidList": kids, "sceneDesc": scene}
	}
	category := g.ok("GET", base+"getcategory?"+AT, nil)["data"].([]any)[0].(object)["id"]
	titles := g.ok("GET", fmt.Sprintf(base+"getpubtemplatetitles?ids=%v&start=0&limit=30&", category)+AT, nil)
	if titles["count"] != float64(len(publicTemplates)) {
		t.Errorf("titles %v", titles)
	}
	g.refused(200016, "GET", base+"getpubtemplatetitles?ids=1&limit=1&"+AT, nil)
	g.refused(200017, "GET", base+"getpubtemplatetitles?ids=1&start=0&"+AT, nil)
	g.refused(200018, "GET", base+"getpubtemplatetitles?start=0&limit=1&"+AT, nil)
	g.refused(200014, "GET", base+"getpubtemplatekeywords?tid=1&"+AT, nil)
	g.refuses(t, []refusal{{"tid", 200014, base + "addtemplate?" + AT, add("1", "付款", 1, 2)}, {"one keyword", 200020, base + "addtemplate?" + AT, add("99", "付款", 1)},
		{"no such keyword", 200020, base + "addtemplate?" + AT, add("99", "付款", 1, 9)}, {"scene", 200021, base + "addtemplate?" + AT, add("99", "", 1, 2)}})
	id := g.ok("POST", base+"addtemplate?"+AT, add(99, "付款通知", 1, 2))["priTmplId"].(string)
	for range maxSubscribeTemplates - 1 {
		g.ok("POST", base+"addtemplate?"+AT, add("100", "发货通知", 1, 2))
	}
	g.refused(200012, "POST", base+"addtemplate?"+AT, add("101", "预约", 1, 2))
	list := g.ok("GET", base+"gettemplate?"+AT, nil)["data"].([]any)
	if len(list) != maxSubscribeTemplates || !strings.Contains(list[0].(object)["content"].(string), "{{thing1.DATA}}") {
		t.Errorf("templates %v", list)
	}
	const send = "/cgi-bin/message/subscribe/send?"
	message := func(template string) object {
		return object{"template_id": template, "touser": "oUser1", "data": object{"thing1": object{"value": "笔"}, "amount2": object{"value": "￥1.00"}}}
	}
	g.refused(40037, "POST", send+AT, message("x"))
	g.refused(43101, "POST", send+AT, message(id))
	g.control("consents", object{"appid": testProgram, "template_id": id, "openid": "oUser1"})
	if told := g.platform.wait("subscribe_msg_popup_event"); told["SubscribeStatusString"] != "accept" {
		t.Errorf("told %v", told)
	}
	missing := message(id)
	missing["data"] = object{"thing1": object{"value": "笔"}}
	g.refused(47003, "POST", send+AT, missing)
	g.ok("POST", send+AT, message(id))
	if told := g.platform.wait("subscribe_msg_sent_event"); told["ErrorStatus"] != "success" || told["FromUserName"] != "oUser1" {
		t.Errorf("told %v", told)
	}
	g.refused(43101, "POST", send+AT, message(id)) // one consent, one message
	g.ok("POST", base+"deltemplate?"+AT, object{"priTmplId": id})
	g.refused(200014, "POST", base+"deltemplate?"+AT, object{"priTmplId": id})
	g.controlRefused(404, "template_id", "POST", "consents", object{"appid": testProgram, "template_id": id, "openid": "oUser1"})
}
