package simulator

import "strconv"

// releaseEndpoints are everything that changes what customers see.
func releaseEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/release", post: true, token: authorizerToken, sets: codeSets, run: releaseCode},
		{path: "/wxa/grayrelease", post: true, token: authorizerToken, sets: codeSets, run: grayRelease},
		{path: "/wxa/getgrayreleaseplan", token: authorizerToken, sets: codeSets, run: getGrayReleasePlan},
		{path: "/wxa/revertgrayrelease", token: authorizerToken, sets: codeSets, run: revertGrayRelease},
		{path: "/wxa/revertcoderelease", token: authorizerToken, sets: codeSets, run: revertCodeRelease},
		{path: "/wxa/change_visitstatus", post: true, token: authorizerToken, sets: codeSets, run: changeVisitStatus},
		{path: "/wxa/getvisitstatus", post: true, token: authorizerToken, sets: codeSets, run: getVisitStatus},
	}
}

func releaseCode(w *world, c *apiCall) (any, error) {
	m := c.mp
	last := m.lastAudit()
	switch {
	case last == nil:
		return nil, refuse(85019)
	case m.Approved == nil && last.Status == auditPassed && last.Released:
		return nil, refuse(85052)
	case m.Approved == nil:
		return nil, refuse(85020)
	case !m.NameSet || !m.AvatarSet || !m.IntroSet:
		return nil, refuse(86002)
	case w.settings.ReleaseICPErrcode != 0 && w.filingOf(m.AppID).Status != icpFiled:
		return nil, refuse(w.settings.ReleaseICPErrcode)
	}
	w.publish(m, c.now)
	w.miniPrograms.put(m.AppID, m)
	return fields{}, nil
}

// publish puts the approved version online, and with it what waits for a release: the privacy guide and the domains.
func (w *world) publish(m *miniProgram, now int64) {
	m.publish(*m.Approved, now)
	w.privacyReleased(m, now)
	w.domainsReleased(m)
}

func grayRelease(w *world, c *apiCall) (any, error) {
	var req struct {
		Percentage       *int `json:"gray_percentage"`
		ExperiencerFirst bool `json:"support_experiencer_first"`
		DebuggerFirst    bool `json:"support_debuger_first"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	m := c.mp
	switch {
	case req.Percentage == nil:
		return nil, refuse(40097)
	case *req.Percentage < 0 || *req.Percentage > 100:
		return nil, refuse(85081)
	case *req.Percentage == 0 && !req.ExperiencerFirst && !req.DebuggerFirst:
		return nil, refuse(85081)
	case m.Online == nil:
		return nil, refuse(85079)
	case m.Approved == nil:
		return nil, refuse(85080)
	case !m.NameSet || !m.AvatarSet || !m.IntroSet:
		return nil, refuse(86002)
	}
	if m.grayIsRunning() && m.Gray.AuditID == m.ApprovedAudit {
		if *req.Percentage <= m.Gray.Percentage {
			return nil, refuse(85082)
		}
		m.Gray.Percentage = *req.Percentage
		m.Gray.ExperiencerFirst, m.Gray.DebuggerFirst = req.ExperiencerFirst, req.DebuggerFirst
	} else {
		m.Gray = &grayPlan{Status: grayRunning, Percentage: *req.Percentage, ExperiencerFirst: req.ExperiencerFirst,
			DebuggerFirst: req.DebuggerFirst, CreatedMs: c.now, AuditID: m.ApprovedAudit, Build: *m.Approved}
	}
	if *req.Percentage == 100 {
		w.publish(m, c.now)
	}
	w.miniPrograms.put(m.AppID, m)
	return fields{}, nil
}

func getGrayReleasePlan(_ *world, c *apiCall) (any, error) {
	plan := c.mp.Gray
	if plan == nil {
		plan = &grayPlan{}
	}
	return fields{"gray_release_plan": map[string]any{"status": plan.Status, "create_timestamp": plan.CreatedMs / 1000,
		"gray_percentage": plan.Percentage, "support_debuger_first": plan.DebuggerFirst,
		"support_experiencer_first": plan.ExperiencerFirst}}, nil
}

func revertGrayRelease(w *world, c *apiCall) (any, error) {
	switch {
	case c.mp.Online == nil:
		return nil, refuse(85079)
	case !c.mp.grayIsRunning():
		return nil, refusef(85080, "no gray release is running")
	}
	c.mp.Gray.Status = grayDeleted
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

func revertCodeRelease(w *world, c *apiCall) (any, error) {
	m := c.mp
	switch c.query.Get("action") {
	case "get_history_version":
		list := []any{}
		for _, p := range m.History {
			list = append(list, map[string]any{"app_version": p.AppVersion, "user_version": p.Build.Version,
				"user_desc": p.Build.Desc, "commit_time": p.Build.CommittedMs / 1000})
		}
		return fields{"version_list": list}, nil
	case "":
	default:
		return nil, refuse(40097)
	}
	if m.grayIsRunning() {
		return nil, refuse(87011)
	}
	if m.Online == nil || m.Online.Reverted || len(m.History) == 0 {
		return nil, refuse(87012)
	}
	target := 0
	if wanted := c.query.Get("app_version"); wanted != "" {
		version, err := strconv.Atoi(wanted)
		if err != nil {
			return nil, refuse(40097)
		}
		if target = m.historyIndex(version); target < 0 {
			return nil, refuse(87012)
		}
	}
	// what lay above the target goes away with the version that was online: neither can be reached again
	back := m.History[target]
	m.History = append([]published(nil), m.History[target+1:]...)
	back.Reverted, back.ReleasedMs = true, c.now
	m.Online = &back
	w.miniPrograms.put(m.AppID, m)
	return fields{}, nil
}

func (m *miniProgram) historyIndex(appVersion int) int {
	for i, p := range m.History {
		if p.AppVersion == appVersion {
			return i
		}
	}
	return -1
}

func changeVisitStatus(w *world, c *apiCall) (any, error) {
	var req struct {
		Action string `json:"action"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Action != "open" && req.Action != "close" {
		return nil, refuse(85022)
	}
	if c.mp.Online == nil {
		return nil, refuse(85021)
	}
	c.mp.VisitClosed = req.Action == "close"
	w.miniPrograms.put(c.mp.AppID, c.mp)
	return fields{}, nil
}

func getVisitStatus(_ *world, c *apiCall) (any, error) {
	if c.mp.VisitClosed {
		return fields{"status": 0}, nil
	}
	return fields{"status": 1}, nil
}
