package simulator

import "testing"

func oneCategory(first, second int, media string) object {
	one := object{"first": first, "second": second}
	if media != "" {
		one["certicates"] = []object{{"key": "资质", "value": media, "is_permanent": 1}}
	}
	return object{"categories": []object{one}}
}

func TestCategoryWithQualificationWaitsForItsReview(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	add, modify := "/cgi-bin/wxopen/addcategory"+AT, "/cgi-bin/wxopen/modifycategory"+AT
	g.ok("POST", add, oneCategory(304, 321, ""))
	g.refused(53311, "POST", add, oneCategory(304, 326, ""))
	g.refused(40007, "POST", add, oneCategory(304, 326, "lost"))
	g.ok("POST", add, oneCategory(304, 326, g.picture(at)))
	g.refused(53308, "POST", "/cgi-bin/wxopen/deletecategory"+AT, object{"first": 304, "second": 326})
	state := func(second float64) (status float64, reason string) {
		t.Helper()
		for _, one := range g.ok("GET", "/cgi-bin/wxopen/getcategory"+AT, nil)["categories"].([]any) {
			if c := one.(object); c["second"].(float64) == second {
				return c["audit_status"].(float64), c["audit_reason"].(string)
			}
		}
		return 0, ""
	}
	if status, _ := state(326); status != categoryReviewing {
		t.Errorf("status %v while it is reviewed", status)
	}
	g.decide("category", "资质不清晰")
	if push := g.platform.wait("wxa_category_audit"); push["ret"] != "2" || push["first"] != "304" || push["second"] != "326" || push["reason"] != "资质不清晰" {
		t.Errorf("push %v", push)
	}
	if status, reason := state(326); status != categoryRejected || reason != "资质不清晰" {
		t.Errorf("status %v, %s", status, reason)
	}
	g.refused(53307, "POST", modify, object{"first": 304, "second": 321, "certicates": []object{}})
	g.refused(53306, "POST", modify, object{"first": 304, "second": 326})
	g.ok("POST", modify, object{"first": 304, "second": 326, "certicates": []object{{"key": "资质", "value": g.picture(at)}}})
	g.decide("category", "")
	if push := g.platform.wait("wxa_category_audit"); push["ret"] != "3" {
		t.Errorf("push %v", push)
	}
	list := g.ok("GET", "/wxa/get_category"+AT, nil)["category_list"].([]any)
	if len(list) != 3 {
		t.Errorf("categories for a submission %v", list)
	}
	g.ok("POST", "/cgi-bin/wxopen/deletecategory"+AT, object{"first": 304, "second": 326})
	if status, _ := state(326); status != 0 {
		t.Errorf("status %v after it was deleted", status)
	}
}

func TestCategoriesAreRefusedByNumber(t *testing.T) {
	g := startRig(t, Options{})
	g.long()
	ct, at := g.ready()
	AT := "?access_token=" + at
	add := "/cgi-bin/wxopen/addcategory" + AT
	g.control("settings", object{"retired_categories": []int{612}})
	media := g.picture(at)
	g.refuses(t, []refusal{
		{"nothing", 53303, add, object{"categories": []object{}}},
		{"unknown", 53303, add, oneCategory(304, 999, "")},
		{"father of another", 53303, add, oneCategory(220, 321, "")},
		{"retired", 53303, add, oneCategory(287, 612, "")},
		{"already there", 53304, add, oneCategory(304, 325, "")},
		{"needs ICP filing", 53305, add, oneCategory(110, 115, media)},
		{"to delete unknown", 53303, "/cgi-bin/wxopen/deletecategory" + AT, object{"first": 1, "second": 2}},
		{"to modify unknown", 53303, "/cgi-bin/wxopen/modifycategory" + AT, object{"first": 1, "second": 2}},
	})
	g.ok("POST", add, oneCategory(730, 739, ""))
	g.refused(53309, "POST", "/cgi-bin/wxopen/deletecategory"+AT, object{"first": 730, "second": 739})
	g.control("settings", object{"category_limit": 2})
	g.refused(53301, "POST", add, oneCategory(304, 321, ""))
	g.control("settings", object{"category_limit": 20, "category_edits": 1})
	g.refused(53300, "POST", add, oneCategory(304, 321, ""))
	if own := g.ok("GET", "/cgi-bin/wxopen/getcategory"+AT, nil); own["quota"].(float64) != 0 || own["limit"].(float64) != 1 {
		t.Errorf("own %v", own)
	}
	g.advance(32 * 24 * 3600)
	g.ok("POST", add, oneCategory(304, 321, ""))

	personal := "wx00000000000000a7"
	g.program(personal, object{"principal_type": 0})
	mine, _ := g.authorize(ct, personal)
	g.refused(53302, "POST", "/cgi-bin/wxopen/addcategory?access_token="+mine, oneCategory(304, 321, ""))
	count := func(body object) int {
		return len(g.ok("POST", "/cgi-bin/wxopen/getcategoriesbytype?access_token="+mine, body)["categories_list"].(object)["categories"].([]any))
	}
	if count(object{}) >= count(object{"verify_type": 1}) {
		t.Error("a person may choose as many categories as a company")
	}
}

func TestSubmissionWithARetiredOrSocialCategory(t *testing.T) {
	g := startRig(t, Options{})
	_, at := g.ready()
	AT := "?access_token=" + at
	g.ok("POST", "/cgi-bin/wxopen/addcategory"+AT, oneCategory(730, 732, ""))
	g.ok("POST", "/wxa/commit"+AT, commitBody("1"))
	g.advance(11)
	body := submitBody()
	item := body["item_list"].([]object)[0]
	item["first_class"], item["second_class"], item["first_id"], item["second_id"] = "社交", "笔记", 730, 732
	g.refused(85094, "POST", "/wxa/submit_audit"+AT, body)
	body["ugc_declare"] = object{"scene": []int{1, 4}, "method": []int{1}, "has_audit_team": 1, "audit_desc": "先审后发"}
	g.control("settings", object{"retired_categories": []int{732}})
	g.refused(85077, "POST", "/wxa/submit_audit"+AT, body)
	g.control("settings", object{"retired_categories": []int{}})
	g.ok("POST", "/wxa/submit_audit"+AT, body)
}
