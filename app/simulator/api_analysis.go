package simulator

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// analysisEndpoints are the figures of 02 J. They are not recorded but computed from appid and day, so that the same day
// always has the same figures; a mini program has visitors from the day after it was first online.
func analysisEndpoints() []endpoint {
	const base = "/datacube/getweanalysisappid"
	return []endpoint{
		{path: base + "dailysummarytrend", post: true, token: authorizerToken, sets: codeSets, run: analysis(oneDay, summaryFigures)},
		{path: base + "dailyvisittrend", post: true, token: authorizerToken, sets: codeSets, run: analysis(oneDay, visitFigures)},
		{path: base + "weeklyvisittrend", post: true, token: authorizerToken, sets: codeSets, run: analysis(oneWeek, visitFigures)},
		{path: base + "monthlyvisittrend", post: true, token: authorizerToken, sets: codeSets, run: analysis(oneMonth, visitFigures)},
		{path: base + "visitdistribution", post: true, token: authorizerToken, sets: codeSets, run: analysis(oneDay, distributionFigures)},
		{path: base + "dailyretaininfo", post: true, token: authorizerToken, sets: codeSets, run: analysis(oneDay, retentionFigures(0, 1, 2, 3, 4, 5, 6, 7, 14, 30))},
		{path: base + "weeklyretaininfo", post: true, token: authorizerToken, sets: codeSets, run: analysis(oneWeek, retentionFigures(0, 1, 2, 3, 4))},
		{path: base + "monthlyretaininfo", post: true, token: authorizerToken, sets: codeSets, run: analysis(oneMonth, retentionFigures(0, 1))},
		{path: base + "visitpage", post: true, token: authorizerToken, sets: codeSets, run: analysis(oneDay, pageFigures)},
		{path: base + "userportrait", post: true, token: authorizerToken, sets: codeSets, run: analysis(portraitRange, portraitFigures)},
	}
}

// analysis checks the days and computes the figures of them.
func analysis(rule analysisRange, figures func(w *world, m *miniProgram, days []time.Time, ref string) fields) func(*world, *apiCall) (any, error) {
	return func(w *world, c *apiCall) (any, error) {
		days, ref, err := analysisDays(c, rule)
		if err != nil {
			return nil, err
		}
		return bareFields(figures(w, c.mp, days, ref)), nil
	}
}

// analysisRange tells whether begin and end are what an interface takes, and how it names them.
type analysisRange func(begin, end time.Time) (ref string, ok bool)

func oneDay(begin, end time.Time) (string, bool) { return begin.Format("20060102"), begin.Equal(end) }

func oneWeek(begin, end time.Time) (string, bool) {
	return begin.Format("20060102-") + end.Format("20060102"), begin.Weekday() == time.Monday && end.Equal(begin.AddDate(0, 0, 6))
}

func oneMonth(begin, end time.Time) (string, bool) {
	return begin.Format("200601"), begin.Day() == 1 && end.Equal(begin.AddDate(0, 1, -1))
}

func portraitRange(begin, end time.Time) (string, bool) {
	days := int(end.Sub(begin) / (24 * time.Hour))
	ref := begin.Format("20060102")
	if days > 0 {
		ref += end.Format("-20060102")
	}
	return ref, days == 0 || days == 6 || days == 29
}

// analysisDays answers 61500 for a date that is none, 61501 for a wrong range, 61503 for days whose figures are not ready and
// 61502 for a mini game.
func analysisDays(c *apiCall, fits analysisRange) (days []time.Time, ref string, err error) {
	var req struct {
		Begin string `json:"begin_date"`
		End   string `json:"end_date"`
	}
	if err := c.decode(&req); err != nil {
		return nil, "", err
	}
	if c.mp.Game {
		return nil, "", refuse(61502)
	}
	begin, err1 := time.ParseInLocation("20060102", req.Begin, shanghai)
	end, err2 := time.ParseInLocation("20060102", req.End, shanghai)
	if err1 != nil || err2 != nil {
		return nil, "", refuse(61500)
	}
	ref, ok := fits(begin, end)
	if !ok {
		return nil, "", refuse(61501)
	}
	if end.UnixMilli() >= dayStart(c.now) {
		return nil, "", refuse(61503)
	}
	for day := begin; !day.After(end); day = day.AddDate(0, 0, 1) {
		days = append(days, day)
	}
	return days, ref, nil
}

// chance is a number from 0 to 1 that belongs to a mini program and a text, always the same.
func chance(appID, about string) float64 {
	return float64(binary.BigEndian.Uint32(sha256Sum(appID+"/"+about)))/math.MaxUint32 + 1e-12
}

// traffic are the visitors of some days.
type traffic struct{ uv, fresh, sessions, pv, shares int }

// firstOnline is when a mini program was first released, 0 when never.
func (m *miniProgram) firstOnline() int64 {
	first := int64(0)
	for _, p := range m.History {
		first = p.ReleasedMs
	}
	if first == 0 && m.Online != nil {
		first = m.Online.ReleasedMs
	}
	return first
}

func (m *miniProgram) trafficOf(days []time.Time) traffic {
	t, first := traffic{}, m.firstOnline()
	for _, day := range days {
		if first == 0 || day.UnixMilli() < dayStart(first) {
			continue
		}
		base := float64(cmp.Or(m.DailyVisits, 40+int(chance(m.AppID, "size")*900)))
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			base *= 1.35
		}
		uv := int(base * (0.8 + 0.4*chance(m.AppID, day.Format("20060102"))))
		t.uv += uv
		t.fresh += uv * 13 / 100
		t.sessions += uv * 134 / 100
		t.pv += uv * 38 / 10
		t.shares += uv * 4 / 100
	}
	if len(days) > 1 { // the same people come on several days
		t.uv = t.uv * 62 / 100
	}
	return t
}

func share(n, percent int) int { return n * percent / 100 }

func summaryFigures(_ *world, m *miniProgram, days []time.Time, ref string) fields {
	t, list := m.trafficOf(days), []any{}
	if t.uv > 0 {
		age := int(time.Duration(days[0].UnixMilli()-dayStart(m.firstOnline())) * time.Millisecond / (24 * time.Hour))
		list = append(list, map[string]any{"ref_date": ref, "visit_total": t.uv + t.fresh*age, "share_pv": t.shares * 2, "share_uv": t.shares})
	}
	return fields{"list": list}
}

func visitFigures(_ *world, m *miniProgram, days []time.Time, ref string) fields {
	t, list := m.trafficOf(days), []any{}
	if t.uv > 0 {
		list = append(list, map[string]any{"ref_date": ref, "session_cnt": t.sessions, "visit_pv": t.pv, "visit_uv": t.uv, "visit_uv_new": t.fresh,
			"stay_time_uv": 75.25, "stay_time_session": 56.5, "visit_depth": 2.125})
	}
	return fields{"list": list}
}

func distributionFigures(_ *world, m *miniProgram, days []time.Time, ref string) fields {
	t := m.trafficOf(days)
	items := func(total int, withUV bool, parts map[int]int, keys ...int) []any {
		out := []any{}
		for _, key := range keys {
			item := map[string]any{"key": key, "value": share(total, parts[key])}
			if withUV {
				item["access_source_visit_uv"] = share(t.uv, parts[key])
			}
			if share(total, parts[key]) > 0 {
				out = append(out, item)
			}
		}
		return out
	}
	return fields{"ref_date": ref, "list": []any{
		map[string]any{"index": "access_source_session_cnt", "item_list": items(t.sessions, true, map[int]int{1: 34, 2: 12, 3: 18, 4: 21, 7: 6, 10: 9}, 1, 2, 3, 4, 7, 10)},
		map[string]any{"index": "access_staytime_info", "item_list": items(t.sessions, false, map[int]int{1: 22, 2: 17, 3: 16, 4: 14, 5: 11, 6: 10, 7: 7, 8: 3}, 1, 2, 3, 4, 5, 6, 7, 8)},
		map[string]any{"index": "access_depth_info", "item_list": items(t.sessions, false, map[int]int{1: 41, 2: 24, 3: 15, 4: 9, 5: 5, 6: 4, 7: 2}, 1, 2, 3, 4, 5, 6, 7)}}}
}

// retentionFigures falls off with every period.
func retentionFigures(keys ...int) func(*world, *miniProgram, []time.Time, string) fields {
	return func(_ *world, m *miniProgram, days []time.Time, ref string) fields {
		t := m.trafficOf(days)
		curve := func(start int, keep float64) []any {
			out := []any{}
			for _, key := range keys {
				value := start
				if key > 0 {
					value = int(float64(start) * keep / math.Sqrt(float64(key)))
				}
				out = append(out, map[string]any{"key": key, "value": value})
			}
			return out
		}
		return fields{"ref_date": ref, "visit_uv_new": curve(t.fresh, 0.31), "visit_uv": curve(t.uv, 0.46)}
	}
}

func pageFigures(_ *world, m *miniProgram, days []time.Time, ref string) fields {
	t, list := m.trafficOf(days), []any{}
	if t.uv > 0 && m.Online != nil {
		left := 60
		for _, page := range m.Online.Build.Pages {
			list = append(list, map[string]any{"page_path": page, "page_visit_pv": share(t.pv, left), "page_visit_uv": share(t.uv, left), "page_staytime_pv": 8.5,
				"entrypage_pv": share(t.sessions, left), "exitpage_pv": share(t.sessions, left/2), "page_share_pv": share(t.shares*2, left), "page_share_uv": share(t.shares, left)})
			if left /= 2; left == 0 || len(list) == 200 {
				break
			}
		}
	}
	return fields{"ref_date": ref, "list": list}
}

func portraitFigures(_ *world, m *miniProgram, days []time.Time, ref string) fields {
	t := m.trafficOf(days)
	of := func(total int, ids bool, names ...string) []any {
		out := []any{}
		for i, name := range names {
			item := map[string]any{"name": name, "value": total / (i + 2)}
			if ids {
				item["id"] = i + 1
			}
			out = append(out, item)
		}
		return out
	}
	people := func(total int) map[string]any {
		return map[string]any{"province": of(total, true, "浙江", "广东", "江苏"), "city": of(total, true, "杭州", "广州", "南京"),
			"genders": of(total, true, "女", "男"), "platforms": of(total, true, "Android", "iPhone"), "devices": of(total, false, "示例手机 9", "示例手机 10"),
			"ages": of(total, true, "25-29岁", "30-39岁", "18-24岁")}
	}
	return fields{"ref_date": ref, "visit_uv_new": people(t.fresh), "visit_uv": people(t.uv)}
}

// checkDailyVisits bounds what a person may say about a mini program's visitors.
func checkDailyVisits(n *int) error {
	if n != nil && (*n < 0 || *n > 10_000_000) {
		return badRequest("daily_visits", fmt.Sprintf("每天的访问人数应在 0 到 %d 之间，0 由模拟器决定", 10_000_000))
	}
	return nil
}
