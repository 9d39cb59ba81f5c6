package simulator

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

func TestFiguresFollowTheDayAndTheRelease(t *testing.T) {
	g := startRig(t, Options{Start: time.Date(2026, 3, 2, 9, 0, 0, 0, shanghai)}) // a Monday
	_, at := g.online()
	g.advance(40 * 24 * 3600)
	at = g.control("tokens", object{"component_appid": testComponent, "appid": testProgram})["access_token"].(string)
	ask := func(name, begin, end string) object {
		return g.call("POST", "/datacube/getweanalysisappid"+name+"?access_token="+at, object{"begin_date": begin, "end_date": end})
	}
	for _, c := range []struct {
		name, begin, end string
		code             int
	}{
		{"dailyvisittrend", "2026-03-05", "2026-03-05", 61500}, {"dailyvisittrend", "20260305", "20260306", 61501}, {"dailyvisittrend", "20260411", "20260411", 61503},
		{"weeklyvisittrend", "20260303", "20260309", 61501}, {"weeklyvisittrend", "20260309", "20260315", 0}, {"monthlyvisittrend", "20260301", "20260331", 0},
		{"monthlyvisittrend", "20260302", "20260331", 61501}, {"monthlyvisittrend", "20260401", "20260430", 61503}, {"userportrait", "20260301", "20260303", 61501},
		{"userportrait", "20260305", "20260305", 0}, {"userportrait", "20260303", "20260309", 0}, {"visitpage", "20260310", "20260310", 0},
		{"visitdistribution", "20260310", "20260310", 0}, {"dailyretaininfo", "20260310", "20260310", 0}, {"weeklyretaininfo", "20260309", "20260315", 0},
		{"monthlyretaininfo", "20260301", "20260331", 0}, {"dailysummarytrend", "20260310", "20260310", 0},
	} {
		if out := ask(c.name, c.begin, c.end); errcode(out) != c.code {
			t.Errorf("%s %s-%s: %v, want %d", c.name, c.begin, c.end, out, c.code)
		}
	}
	day := func(date string) (uv, pv, fresh float64) {
		list := ask("dailyvisittrend", date, date)["list"].([]any)
		if len(list) == 0 {
			return 0, 0, 0
		}
		d := list[0].(object)
		return d["visit_uv"].(float64), d["visit_pv"].(float64), d["visit_uv_new"].(float64)
	}
	if uv, _, _ := day("20260301"); uv != 0 {
		t.Errorf("%v visitors before the release", uv)
	}
	uv, pv, fresh := day("20260310")
	if uv < 1 || pv < uv || fresh > uv {
		t.Errorf("uv %v pv %v new %v", uv, pv, fresh)
	}
	week, sum := ask("weeklyvisittrend", "20260309", "20260315")["list"].([]any)[0].(object), 0.0
	for d := 9; d <= 15; d++ {
		_, pv, _ := day(fmt.Sprintf("202603%02d", d))
		sum += pv
	}
	if week["visit_pv"] != sum || week["ref_date"] != "20260309-20260315" {
		t.Errorf("the week's pages %v, the days' %v", week["visit_pv"], sum)
	}
	if !reflect.DeepEqual(ask("dailyvisittrend", "20260310", "20260310"), ask("dailyvisittrend", "20260310", "20260310")) {
		t.Error("the same day has other figures when asked again")
	}
	g.control("miniprograms", object{"appid": testProgram, "daily_visits": 100_000})
	if more, _, _ := day("20260310"); more < 70_000 {
		t.Errorf("%v visitors, the trainer said about 100,000", more)
	}
	g.control("restrictions", object{"appid": testProgram, "game": true})
	if out := ask("dailyvisittrend", "20260310", "20260310"); errcode(out) != 61502 {
		t.Errorf("mini game: %v", out)
	}
	g.controlRefused(400, "daily_visits", "POST", "miniprograms", object{"appid": testProgram, "daily_visits": -1})
}

func TestErrorsAndFeedbackAreReadBack(t *testing.T) {
	g := startRig(t, Options{Start: time.Date(2026, 3, 2, 9, 0, 0, 0, shanghai)})
	_, at := g.online()
	AT := "?access_token=" + at
	for i, person := range []string{"lisi", "wangwu", "lisi"} {
		g.control("reports", object{"appid": testProgram, "error": "TypeError: a is undefined", "stack": "at pages/index/index.js:12", "count": i + 1, "person": person})
	}
	g.control("reports", object{"appid": testProgram, "error": "request:fail", "stack": "at app.js:3", "count": 9, "kind": 3})
	list := func(extra object) object {
		body := object{"appVersion": "0", "errType": "0", "startTime": "2026-03-01", "endTime": "2026-03-03", "keyword": "", "openid": "", "orderby": "uv", "desc": "1", "offset": 0, "limit": 30}
		for k, v := range extra {
			body[k] = v
		}
		return g.ok("POST", "/wxaapi/log/jserr_list"+AT, body)
	}
	all := list(nil)
	first := all["data"].([]any)[0].(object)
	if all["totalCount"] != float64(2) || first["uv"] != float64(2) || first["pv"] != float64(6) || first["uvPercent"] != "66.67%" {
		t.Errorf("errors %v", all)
	}
	if byPV := list(object{"orderby": "pv"})["data"].([]any)[0].(object); byPV["errorMsg"] != "request:fail" {
		t.Errorf("most often %v", byPV)
	}
	if frame := list(object{"errType": "3"}); frame["totalCount"] != float64(1) {
		t.Errorf("of the frame %v", frame)
	}
	if none := list(object{"startTime": "2026-02-01", "endTime": "2026-02-02"}); none["totalCount"] != float64(0) {
		t.Errorf("a month before %v", none)
	}
	detail := g.ok("POST", "/wxaapi/log/jserr_detail"+AT, object{"startTime": "2026-03-01", "endTime": "2026-03-03", "errorMsgMd5": first["errorMsgMd5"], "errorStackMd5": first["errorStackMd5"],
		"appVersion": "0", "offset": 0, "limit": 2, "desc": "1"})
	if len(detail["data"].([]any)) != 2 || detail["totalCount"] != float64(3) {
		t.Errorf("detail %v", detail)
	}
	g.refuses(t, []refusal{{"date", 40097, "/wxaapi/log/jserr_list" + AT, object{"startTime": "x", "endTime": "y"}}, {"limit", 40097, "/wxaapi/log/jserr_list" + AT, object{"startTime": "2026-03-01", "endTime": "2026-03-01", "limit": 31}}})
	g.control("reports", object{"appid": testProgram, "content": "打不开", "type": 1, "phone": "13100000005"})
	g.control("reports", object{"appid": testProgram, "content": "有点卡", "type": 3})
	got := g.ok("GET", "/wxaapi/feedback/list?type=1&page=1&num=20&access_token="+at, nil)
	if got["total_num"] != float64(1) || got["list"].([]any)[0].(object)["content"] != "打不开" {
		t.Errorf("feedback %v", got)
	}
	if both := g.ok("GET", "/wxaapi/feedback/list?page=2&num=1&access_token="+at, nil); both["total_num"] != float64(2) || len(both["list"].([]any)) != 1 {
		t.Errorf("second page %v", both)
	}
	g.controlRefused(400, "content", "POST", "reports", object{"appid": testProgram})
	g.controlRefused(404, "appid", "POST", "reports", object{"appid": "wx0", "content": "x"})
	g.controlRefused(400, "type", "POST", "reports", object{"appid": testProgram, "content": "x", "type": 9})
}
