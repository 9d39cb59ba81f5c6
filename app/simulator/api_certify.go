package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
)

// certifyEndpoints are 代认证 and 年审, alone and together with the filing (01 E.6, 02 D.9).
func certifyEndpoints() []endpoint {
	const base = "/wxa/sec/"
	return []endpoint{
		{path: base + "authidentitytree", post: true, either: true, token: authorizerToken, sets: codeSets, run: identityTree},
		{path: base + "uploadauthmaterial", post: true, token: authorizerToken, sets: codeSets, file: "media", run: uploadCertifyMaterial},
		{path: base + "wxaauth", post: true, token: authorizerToken, sets: codeSets, run: startCertify},
		{path: base + "reauth", post: true, token: authorizerToken, sets: codeSets, run: restartCertify},
		{path: base + "queryauth", post: true, token: authorizerToken, sets: codeSets, run: queryCertify},
		{path: base + "submit_auth_and_icp", post: true, token: authorizerToken, sets: codeSets, run: submitAuthAndICP},
		{path: base + "query_auth_and_icp", post: true, token: authorizerToken, sets: codeSets, run: queryAuthAndICP},
	}
}

// certification is what one wxaauth asks for and how far WeChat's review of it is; its steps with the phone are a task.
type certification struct {
	TaskID    string `json:"taskid"`
	AppID     string `json:"appid"`
	Apply     int    `json:"apply_status"` // 0 none, 1 to pay, 2 in review, 3 returned, 4 passed, 5 failed for good
	OrderID   string `json:"orderid"`
	Reason    string `json:"reason"`
	Prepaid   bool   `json:"prepaid"` // pay_type 1: the provider's package, no payment step
	Dispatch  int64  `json:"dispatch_ms"`
	ReviewID  int64  `json:"review_id"`
	Returned  int    `json:"returned"` // how often a reviewer sent it back
	Procedure string `json:"procedure,omitempty"`
}

const (
	applyNone     = 0
	applyPay      = 1
	applyReview   = 2
	applyReturned = 3
	applyPassed   = 4
	applyFailed   = 5

	personalCustomer = 15
	maxReturns       = 3 // returned that often, an application has failed for good
)

// authData is auth_data of wxaauth and reauth as far as it is judged.
type authData struct {
	TaskID   string `json:"taskid"`
	Customer number `json:"customer_type"`
	Contact  struct {
		Name  string `json:"name"`
		Email string `json:"email"`
	} `json:"contact_info"`
	Qualification string          `json:"qualification"`
	Others        []string        `json:"qualification_other"`
	Name          string          `json:"account_name"`
	NameType      number          `json:"account_name_type"`
	Supplemental  []string        `json:"account_supplemental"`
	PayType       number          `json:"pay_type"`
	Identity      string          `json:"auth_identification"`
	Material      json.RawMessage `json:"auth_ident_material"` // an array in the documents, a text in one SDK
	ServiceAppID  string          `json:"service_appid"`
}

// materials are the media ids of auth_ident_material in either form.
func (d authData) materials() []string {
	var list []string
	if json.Unmarshal(d.Material, &list) == nil {
		return list
	}
	var one string
	if json.Unmarshal(d.Material, &one) == nil {
		return []string{one}
	}
	return nil
}

// check answers 40097 for what is missing and 40007 for a lost file.
func (d authData) check(w *world, c *apiCall) error {
	personal := d.Customer == personalCustomer
	switch {
	case d.Customer < 1, d.Contact.Name == "", !strings.Contains(d.Contact.Email, "@"), d.Name == "", d.NameType != 1 && d.NameType != 2:
		return refuse(40097)
	case d.PayType != 1 && d.PayType != 2, d.PayType == 1 && d.ServiceAppID == "":
		return refuse(40097)
	case !personal && d.Qualification == "", personal && d.Identity == "", len(d.Others) > 10:
		return refuse(40097)
	}
	ids := append([]string{d.Qualification}, d.Others...)
	return w.haveMedia(c, 40007, useCertify, append(append(ids, d.Supplemental...), d.materials()...)...)
}

func identityTree(*world, *apiCall) (any, error) {
	leafNode := func(id int, name, requirement string) map[string]any {
		return map[string]any{"node_id": id, "name": name, "leaf_info": map[string]any{"requirement": requirement}}
	}
	return fields{"identity_tree_list": []any{
		map[string]any{"node_id": 1, "name": "职业", "root_info": map[string]any{"type": 1}, "node_list": []any{
			leafNode(11, "教师", "教师资格证"), leafNode(12, "医生", "执业医师证"), leafNode(13, "律师", "律师执业证")}},
		map[string]any{"node_id": 2, "name": "兴趣", "root_info": map[string]any{"type": 2}, "node_list": []any{leafNode(21, "摄影", "作品证明")}},
	}}, nil
}

func uploadCertifyMaterial(w *world, c *apiCall) (any, error) {
	file, err := c.file("media")
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(file.name)
	if at := strings.LastIndex(name, "."); at < 0 || !strings.Contains(".png.jpg.jpeg.gif.", name[at:]+".") {
		return nil, refuse(40005)
	}
	if _, err := checkMedia(file.data, "image"); err != nil {
		return nil, err
	}
	return fields{"type": "image", "mediaid": w.keepMedia(c, useCertify, "image", file, 0).ID}, nil
}

// certifying is the certification of a mini program that still runs, or nil.
func (w *world) certifying(appID string) *certification {
	for _, c := range w.certifications.docs {
		t := w.tasks.get(c.TaskID)
		if c.AppID == appID && c.Apply != applyPassed && c.Apply != applyFailed && t != nil && t.open() {
			return c
		}
	}
	return nil
}

func startCertify(w *world, c *apiCall) (any, error) {
	var req struct {
		Data authData `json:"auth_data"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := req.Data.check(w, c); err != nil {
		return nil, err
	}
	if w.certifying(c.mp.AppID) != nil {
		return nil, refuse(85050)
	}
	_, t := w.newCertification(c, req.Data)
	return fields{"taskid": t.ID, "auth_url": t.URL}, nil
}

// newCertification starts the steps with the administrator's phone.
func (w *world) newCertification(c *apiCall, data authData) (*certification, *task) {
	t := &task{ID: w.ids.text(base62, 32), Kind: taskCertify, Component: c.component.AppID, AppID: c.mp.AppID, Person: c.mp.Admin, Name: data.Name}
	t.URL = c.taskURL(t.ID)
	w.addTask(t, c.now)
	cert := &certification{TaskID: t.ID, AppID: c.mp.AppID, Prepaid: data.PayType == 1}
	w.certifications.put(t.ID, cert)
	w.tellCertify(c.component, t, cert, c.now)
	return cert, t
}

// restartCertify takes a returned application again; the administrator confirms again.
func restartCertify(w *world, c *apiCall) (any, error) {
	var req struct {
		Data authData `json:"auth_data"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := req.Data.check(w, c); err != nil {
		return nil, err
	}
	cert, t := w.certifications.get(req.Data.TaskID), w.tasks.get(req.Data.TaskID)
	switch {
	case cert == nil || t == nil || cert.AppID != c.mp.AppID:
		return nil, refuse(85060)
	case cert.Apply != applyReturned:
		return nil, refuse(85050)
	}
	cert.Apply, cert.Reason = applyReview, ""
	w.certifications.put(cert.TaskID, cert)
	w.reviewCertification(c.component, c.mp, cert, t, c.now)
	return fields{"taskid": t.ID, "auth_url": t.URL}, nil
}

func queryCertify(w *world, c *apiCall) (any, error) {
	var req struct {
		TaskID string `json:"taskid"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	cert, t := w.certifications.get(req.TaskID), w.tasks.get(req.TaskID)
	if cert == nil || t == nil || cert.AppID != c.mp.AppID {
		return nil, refuse(85060)
	}
	out := fields{"appid": cert.AppID, "taskid": t.ID, "task_status": t.Status, "auth_url": t.URL, "apply_status": cert.Apply, "orderid": cert.OrderID}
	switch cert.Apply {
	case applyReturned:
		out["refill_reason"] = cert.Reason
	case applyFailed:
		out["fail_reason"] = cert.Reason
	}
	if cert.Dispatch > 0 {
		out["dispatch_info"] = map[string]any{"provider": reviewCompany, "contact": reviewContact, "dispatch_time": cert.Dispatch / 1000}
	}
	return out, nil
}

const (
	reviewCompany = "示例审核公司"
	reviewContact = "400-000-0000"
)

// certifyMoved follows the administrator's phone: payment, then the reviewers.
func (w *world) certifyMoved(c *component, t *task, now int64) error {
	cert, m := w.certifications.get(t.ID), w.miniPrograms.get(t.AppID)
	if cert == nil || m == nil {
		return fmt.Errorf("certification %s is gone", t.ID)
	}
	switch t.State {
	case stepPay:
		cert.OrderID, cert.Apply = "4"+w.ids.text(decimals, 17), applyPay
		w.certifications.put(cert.TaskID, cert)
		if cert.Prepaid {
			return w.actOnTask(t, "pay", 0, now)
		}
	case stepReview:
		w.reviewCertification(c, m, cert, t, now)
		return nil
	}
	w.tellCertify(c, t, cert, now)
	w.procedureMoved(c, m, cert.Procedure, now)
	return nil
}

// reviewCertification hands an application to a review company.
func (w *world) reviewCertification(c *component, m *miniProgram, cert *certification, t *task, now int64) {
	r := w.openReview(reviewCertify, m, c.AppID, "认证："+t.Name, cert.TaskID, now)
	cert.Apply, cert.Dispatch, cert.ReviewID = applyReview, now, r.ID
	w.certifications.put(cert.TaskID, cert)
	w.tellCertify(c, t, cert, now)
	w.procedureMoved(c, m, cert.Procedure, now)
}

// decideCertify passes, returns or, after too many returns, fails a certification.
func decideCertify(w *world, r *review, m *miniProgram, now int64) error {
	cert, t, c := w.certifications.get(r.Ref), w.tasks.get(r.Ref), w.components.get(r.Component)
	if cert == nil || t == nil || c == nil {
		return fmt.Errorf("certification %q is gone", r.Ref)
	}
	switch {
	case r.State == reviewPassed:
		cert.Apply = applyPassed
		t.State, t.DoneMs = stepDone, now
		m.VerifyType, m.CertifiedMs = 0, now+certifiedMs
		for _, before := range certifiedNotice {
			w.later(m.CertifiedMs-before, timerExpiry, m.AppID)
		}
		if t.Name != "" && !m.NameSet {
			m.NickName, m.NameSet = t.Name, true
		}
		w.miniPrograms.put(m.AppID, m)
	case cert.Returned+1 >= maxReturns:
		cert.Apply, cert.Reason = applyFailed, r.Reason
		t.State, t.DoneMs = stepFailed, now
	default:
		cert.Apply, cert.Reason = applyReturned, r.Reason
		cert.Returned++
	}
	w.tasks.put(t.ID, t)
	w.certifications.put(cert.TaskID, cert)
	w.tellCertify(c, t, cert, now)
	w.procedureMoved(c, m, cert.Procedure, now)
	return nil
}

// tellCertify pushes notify_3rd_wxa_auth when one of the two states became one WeChat tells about (01 B.6).
func (w *world) tellCertify(c *component, t *task, cert *certification, now int64) {
	told := cert.Apply >= applyReview
	switch t.Status {
	case 0, 6, 9, 12:
		told = true
	}
	if !told {
		return
	}
	nodes := []xmlNode{leaf("appid", cert.AppID), leaf("taskid", t.ID), leaf("task_status", t.Status), leaf("apply_status", cert.Apply), leaf("message", cert.Reason)}
	if cert.Dispatch > 0 {
		nodes = append(nodes, branch("dispatch_info", leaf("provider", reviewCompany), leaf("contact", reviewContact), leaf("dispatch_time", cert.Dispatch/1000)))
	}
	w.notify(c, "notify_3rd_wxa_auth", now, nodes...)
}

const (
	dayMs       = 24 * 3600 * 1000
	certifiedMs = 365 * dayMs // how long a certification counts
)

// certifiedNotice is how long before the end WeChat reminds: 60 and 30 days, and on the day. Read only.
var certifiedNotice = []int64{60 * dayMs, 30 * dayMs, 0}

// certificationNears pushes notify_3rd_wxa_wxverify and, when the day has come, takes the certification away.
func (w *world) certificationNears(appID string, now int64) {
	m := w.miniPrograms.get(appID)
	if m == nil || m.CertifiedMs == 0 || now < m.CertifiedMs-certifiedNotice[0] {
		return // certified again meanwhile
	}
	message := "认证即将到期，请尽快年审"
	if now >= m.CertifiedMs {
		message = "认证已到期"
		m.VerifyType = -1
		w.miniPrograms.put(m.AppID, m)
	}
	for _, id := range w.components.ids() {
		if auth := w.authorizationOf(id, appID); auth != nil && auth.Active {
			w.notify(w.components.get(id), "notify_3rd_wxa_wxverify", now, leaf("appid", appID), leaf("expired", m.CertifiedMs/1000), leaf("message", message))
		}
	}
}
