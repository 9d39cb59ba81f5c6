package simulator

import "fmt"

// orderPage are the pages where a mini program shows orders.
type orderPage struct {
	Message string        `json:"message"`
	Detail  string        `json:"detail"`
	Online  *orderPathJob `json:"online,omitempty"` // 购物订单 path in force
	Asked   *orderPathJob `json:"asked,omitempty"`  // the newest application
}

// orderPathJob is one application for a 购物订单 path (02 I.3).
type orderPathJob struct {
	Component string   `json:"component_appid"`
	ReviewID  int64    `json:"review_id"`
	Path      string   `json:"path"`
	Images    []string `json:"img_list"`
	Video     string   `json:"video"`
	Account   string   `json:"test_account"`
	Pwd       string   `json:"test_pwd"`
	Remark    string   `json:"test_remark"`
	Status    int      `json:"status"` // 2 审核中 3 失败 4 通过
	ApplyMs   int64    `json:"apply_ms"`
	AuditMs   int64    `json:"audit_ms"`
	Reason    string   `json:"reason"`
}

func (w *world) orderPageOf(appID string) *orderPage {
	if p := w.orderPages.get(appID); p != nil {
		return p
	}
	return &orderPage{}
}

// orderPathEndpoints are the 购物订单 page of many mini programs at once.
func orderPathEndpoints() []endpoint {
	return []endpoint{
		{path: "/wxa/security/applysetorderpathinfo", post: true, token: componentToken, run: applyOrderPath},
		{path: orderPathInfo, post: true, either: true, token: authorizerToken, sets: codeSets, run: getOrderPath},
	}
}

const maxOrderPathApps = 100

func applyOrderPath(w *world, c *apiCall) (any, error) {
	var req struct {
		Batch struct {
			Path    string   `json:"path"`
			AppIDs  []string `json:"appid_list"`
			Images  []string `json:"img_list"`
			Video   string   `json:"video"`
			Account string   `json:"test_account"`
			Pwd     string   `json:"test_pwd"`
			Remark  string   `json:"test_remark"`
		} `json:"batch_req"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	b := req.Batch
	switch {
	case len(b.AppIDs) > maxOrderPathApps:
		return nil, refuse(61042)
	case len(b.AppIDs) == 0 || len(b.Images) == 0:
		return nil, refuse(61043)
	case !pagePattern.MatchString(b.Path):
		return nil, refuse(61044)
	}
	told := []xmlNode{}
	for _, appID := range b.AppIDs {
		m, auth := w.miniPrograms.get(appID), w.authorizationOf(c.component.AppID, appID)
		if m == nil || auth == nil || !auth.Active {
			told = append(told, branch("list", leaf("appid", appID), leaf("audit_id", ""), leaf("status", 3), leaf("apply_time", c.now/1000),
				leaf("audit_time", c.now/1000), leaf("reason", "没有授权给这个第三方平台"), leaf("msg", "fail"), leaf("ret", 61003)))
			continue
		}
		w.closeReviewsOf(reviewOrderPath, appID)
		rv := w.openReview(reviewOrderPath, m, c.component.AppID, "购物订单页："+b.Path, appID, c.now)
		p := w.orderPageOf(appID)
		p.Asked = &orderPathJob{Component: c.component.AppID, ReviewID: rv.ID, Path: b.Path, Images: b.Images, Video: b.Video, Account: b.Account, Pwd: b.Pwd, Remark: b.Remark,
			Status: 2, ApplyMs: c.now}
		w.orderPages.put(appID, p)
		told = append(told, branch("list", leaf("appid", appID), leaf("audit_id", rv.ID), leaf("status", 2), leaf("apply_time", c.now/1000),
			leaf("audit_time", 0), leaf("reason", ""), leaf("msg", "ok"), leaf("ret", 0)))
	}
	w.notify(c.component, "order_path_apply_result_notify", c.now, told...)
	return fields{}, nil
}

func decideOrderPath(w *world, r *review, m *miniProgram, now int64) error {
	p := w.orderPageOf(m.AppID)
	if p.Asked == nil || p.Asked.ReviewID != r.ID {
		return nil // a newer application took its place
	}
	job, ret := p.Asked, 0
	job.Status, job.Reason, job.AuditMs = 3, r.Reason, now
	if r.State == reviewPassed {
		job.Status, p.Online = 4, job
	} else {
		ret = 61044
	}
	w.orderPages.put(m.AppID, p)
	c := w.components.get(job.Component)
	if c == nil {
		return fmt.Errorf("platform %s is gone", job.Component)
	}
	w.notify(c, "order_path_audit_result_notify", now, branch("list", leaf("appid", m.AppID), leaf("audit_id", r.ID), leaf("status", job.Status),
		leaf("apply_time", job.ApplyMs/1000), leaf("audit_time", now/1000), leaf("reason", r.Reason), leaf("msg", map[bool]string{true: "ok", false: "fail"}[ret == 0]), leaf("ret", ret)))
	return nil
}

func getOrderPath(w *world, c *apiCall) (any, error) {
	var req struct {
		Kind *number `json:"info_type"` // 0 线上版, 1 审核版
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	kind := c.queryInt("info_type", 0)
	if req.Kind != nil {
		kind = int(*req.Kind)
	}
	p := w.orderPageOf(c.mp.AppID)
	job := p.Online
	if kind == 1 {
		job = p.Asked
	}
	if job == nil {
		return nil, refuse(61041)
	}
	return fields{"msg": map[string]any{"path": job.Path, "img_list": notNil(job.Images), "video": job.Video, "test_account": job.Account, "test_pwd": job.Pwd,
		"test_remark": job.Remark, "status": job.Status, "apply_time": job.ApplyMs / 1000}}, nil
}
