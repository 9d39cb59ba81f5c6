package simulator

import "encoding/json"

// procedure is one submit_auth_and_icp: a certification and a filing that follow each other.
type procedure struct {
	ID     string          `json:"id"`
	AppID  string          `json:"appid"`
	TaskID string          `json:"taskid"`
	Order  json.RawMessage `json:"order"`
	Told   int             `json:"told"` // the status the platform was told last
}

// procedure_status of query_auth_and_icp.
const (
	procedurePay        = 15
	procedureReview     = 17
	procedureReturned   = 18
	procedureCertified  = 19
	procedureFailed     = 20
	procedureWechat     = 22
	procedureWechatBack = 23
	procedureBureau     = 24
	procedureBureauBack = 25
	procedureDone       = 26
)

func submitAuthAndICP(w *world, c *apiCall) (any, error) {
	var req struct {
		Data authData `json:"auth_data"`
	}
	var order icpOrder
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := c.decode(&order); err != nil {
		return nil, err
	}
	if err := req.Data.check(w, c); err != nil {
		return nil, err
	}
	if w.certifying(c.mp.AppID) != nil {
		return nil, refuse(85050)
	}
	if code := w.mayFile(c.mp); code != 0 {
		return nil, refuse(code)
	}
	if hints := order.hints(w, c); len(hints) > 0 {
		return fields{"errcode": 86202, "errmsg": errcodeText(86202), "hints": hints}, nil
	}
	cert, t := w.newCertification(c, req.Data)
	p := &procedure{ID: w.ids.text(base62, 24), AppID: c.mp.AppID, TaskID: t.ID, Order: json.RawMessage(c.body)}
	w.procedures.put(p.ID, p)
	cert.Procedure = p.ID
	w.certifications.put(cert.TaskID, cert)
	return fields{"procedure_id": p.ID, "pay_url": t.URL, "hints": []any{}}, nil
}

func queryAuthAndICP(w *world, c *apiCall) (any, error) {
	var req struct {
		ID string `json:"procedure_id"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	p := w.procedures.get(req.ID)
	if p == nil || p.AppID != c.mp.AppID {
		return nil, refuse(40097)
	}
	return fields{"procedure_status": w.procedureStatus(p)}, nil
}

// procedureStatus reads the status off the two parts.
func (w *world) procedureStatus(p *procedure) int {
	cert := w.certifications.get(p.TaskID)
	if cert == nil {
		return procedureFailed
	}
	switch cert.Apply {
	case applyReview:
		return procedureReview
	case applyReturned:
		return procedureReturned
	case applyFailed:
		return procedureFailed
	case applyNone, applyPay:
		if t := w.tasks.get(p.TaskID); t == nil || t.State == stepFailed {
			return procedureFailed
		}
		return procedurePay
	}
	f := w.filingOf(p.AppID)
	if f.Procedure != p.ID {
		return procedureCertified
	}
	return map[int]int{icpWechat: procedureWechat, icpWechatRejected: procedureWechatBack, icpBureau: procedureBureau,
		icpBureauRejected: procedureBureauBack, icpFiled: procedureDone}[f.Status]
}

// procedureMoved starts the filing when the certification passed and tells the platform every new status.
func (w *world) procedureMoved(c *component, m *miniProgram, id string, now int64) {
	p := w.procedures.get(id)
	if p == nil {
		return
	}
	status := w.procedureStatus(p)
	if status == p.Told {
		return
	}
	p.Told = status
	w.procedures.put(p.ID, p)
	w.notify(c, "notify_3rd_wxa_auth_and_icp", now, leaf("procedure_id", p.ID), leaf("procedure_status", status), leaf("appid", m.AppID))
	if status == procedureCertified {
		f := w.filingOf(m.AppID)
		f.Procedure = p.ID
		w.filings.put(m.AppID, f)
		w.startFiling(m, c.AppID, p.Order, now)
		w.procedureMoved(c, m, id, now)
	}
}
