package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Status of a filing in get_icp_entrance_info. 1025 to 1031 are icpNone plus a bit per thing that is missing.
const (
	icpWechat         = 2 // 平台审核中
	icpWechatRejected = 3
	icpBureau         = 4 // 管局审核中
	icpBureauRejected = 5
	icpFiled          = 6
	icpNone           = 1024
	icpNoProfile      = 1
	icpNoCategory     = 2
	icpNotCertified   = 4
)

// filing is the ICP filing of one mini program.
type filing struct {
	Status    int             `json:"status"` // 0 is icpNone
	SMS       int             `json:"sms"`    // 0 none, 1 waiting, 2 done, 3 timed out
	Order     json.RawMessage `json:"order,omitempty"`
	Record    string          `json:"record_number"`
	Rejected  []auditFinding  `json:"rejected,omitempty"`
	ReviewID  int64           `json:"review_id"`
	Component string          `json:"component_appid"`
	Procedure string          `json:"procedure,omitempty"` // submit_auth_and_icp it belongs to
}

// auditFinding is one thing a reviewer found.
type auditFinding struct {
	Key     string `json:"key_name"`
	Error   string `json:"error"`
	Suggest string `json:"suggest"`
}

func (w *world) filingOf(appID string) *filing {
	if f := w.filings.get(appID); f != nil {
		return f
	}
	return &filing{}
}

// shown is the status as WeChat shows it: what is not filed tells what is missing before it could be.
func (f *filing) shown(m *miniProgram) int {
	if f.Status != 0 {
		return f.Status
	}
	status := icpNone
	if !m.NameSet || !m.AvatarSet || !m.IntroSet {
		status += icpNoProfile
	}
	if len(m.Categories) == 0 {
		status += icpNoCategory
	}
	if m.VerifyType != 0 {
		status += icpNotCertified
	}
	return status
}

// icpPerson is a responsible person of a filing.
type icpPerson struct {
	Name      string `json:"name"`
	Mobile    string `json:"mobile"`
	Email     string `json:"email"`
	Emergency string `json:"emergency_contact"`
	CertType  number `json:"certificate_type"`
	CertNo    string `json:"certificate_number"`
	From      string `json:"certificate_validity_date_start"`
	Until     string `json:"certificate_validity_date_end"`
	Front     string `json:"certificate_photo_front"`
	Back      string `json:"certificate_photo_back"`
	Letter    string `json:"authorization_letter"`
	TaskID    string `json:"verify_task_id"`
}

// icpOrder is the body of apply_icp_filing as far as it is judged.
type icpOrder struct {
	Subject struct {
		Base struct {
			Type     number `json:"type"`
			Name     string `json:"name"`
			Province string `json:"province"`
			City     string `json:"city"`
			District string `json:"district"`
			Address  string `json:"address"`
		} `json:"base_info"`
		Personal struct {
			Permit string `json:"residence_permit"`
		} `json:"personal_info"`
		Organize *struct {
			CertType number `json:"certificate_type"`
			CertNo   string `json:"certificate_number"`
			Address  string `json:"certificate_address"`
			Photo    string `json:"certificate_photo"`
		} `json:"organize_info"`
		Principal icpPerson `json:"principal_info"`
	} `json:"icp_subject"`
	Applets struct {
		Base struct {
			Content []number `json:"service_content_types"`
			Nrlx    []struct {
				Type  number `json:"type"`
				Media string `json:"media"`
			} `json:"nrlx_details"`
			Comment string `json:"comment"`
		} `json:"base_info"`
		Principal icpPerson `json:"principal_info"`
	} `json:"icp_applets"`
	Materials map[string][]string `json:"icp_materials"`
}

// icpHint is one entry of hints: why an application is not taken.
type icpHint struct {
	Errcode int    `json:"errcode"`
	Errmsg  string `json:"errmsg"`
	Field   string `json:"err_field"`
}

// Codes of hints.
const (
	hintMissing = 86202 // a field is empty or wrong
	hintPicture = 86328 // the picture cannot be read: its file is unknown
	hintDates   = 86308 // the certificate is not valid
)

const (
	personalSubject   = 1 // icp_subject type of a natural person
	maxServiceTypes   = 5
	minAppletComment  = 20
	maxAppletComment  = 200
	maxOtherMaterials = 10
)

// hints lists everything that is wrong with an application.
func (o *icpOrder) hints(w *world, c *apiCall) []icpHint {
	h := &icpHints{w: w, c: c, today: strings.ReplaceAll(dayOf(c.now), "-", "")}
	base := o.Subject.Base
	h.need("icp_subject.base_info.type", base.Type > 0)
	for field, value := range map[string]string{"name": base.Name, "province": base.Province, "city": base.City, "district": base.District, "address": base.Address} {
		h.need("icp_subject.base_info."+field, value != "")
	}
	if base.Type != personalSubject {
		organize := o.Subject.Organize
		h.need("icp_subject.organize_info", organize != nil)
		if organize != nil {
			h.need("icp_subject.organize_info.certificate_number", organize.CertNo != "")
			h.file("icp_subject.organize_info.certificate_photo", organize.Photo, true)
		}
	}
	h.person("icp_subject.principal_info", o.Subject.Principal)
	h.person("icp_applets.principal_info", o.Applets.Principal)
	applets := o.Applets.Base
	h.need("icp_applets.base_info.service_content_types", len(applets.Content) >= 1 && len(applets.Content) <= maxServiceTypes)
	h.need("icp_applets.base_info.nrlx_details", len(applets.Nrlx) >= 1)
	for i, one := range applets.Nrlx {
		h.file(fmt.Sprintf("icp_applets.base_info.nrlx_details.%d.media", i), one.Media, one.Type != noneOfThem)
	}
	n := utf8.RuneCountInString(applets.Comment)
	h.need("icp_applets.base_info.comment", n >= minAppletComment && n <= maxAppletComment)
	t := w.tasks.get(o.Applets.Principal.TaskID)
	h.need("icp_applets.principal_info.verify_task_id", t != nil && t.Kind == taskICP && t.AppID == c.mp.AppID && t.State == stepDone)
	for name, ids := range o.Materials {
		h.need("icp_materials."+name, len(ids) <= maxOtherMaterials)
		for _, id := range ids {
			h.file("icp_materials."+name, id, true)
		}
	}
	slices.SortFunc(h.list, func(a, b icpHint) int { return cmp.Or(strings.Compare(a.Field, b.Field), a.Errcode-b.Errcode) })
	return h.list
}

// noneOfThem is the pre-approval kind 以上都不涉及.
const noneOfThem = 24

// icpHints collects hints.
type icpHints struct {
	w     *world
	c     *apiCall
	today string // YYYYMMDD
	list  []icpHint
}

func (h *icpHints) add(code int, field string) {
	h.list = append(h.list, icpHint{Errcode: code, Errmsg: errcodeText(code), Field: field})
}

func (h *icpHints) need(field string, ok bool) {
	if !ok {
		h.add(hintMissing, field)
	}
}

// file wants an id of upload_icp_media; an empty one is wrong only where it is required.
func (h *icpHints) file(field, id string, required bool) {
	switch {
	case id == "" && required:
		h.add(hintMissing, field)
	case id != "" && h.w.mediumOf(h.c.mp.AppID, useICP, id, h.c.now) == nil:
		h.add(hintPicture, field)
	}
}

func (h *icpHints) person(field string, p icpPerson) {
	for name, value := range map[string]string{"name": p.Name, "mobile": p.Mobile, "email": p.Email, "emergency_contact": p.Emergency, "certificate_number": p.CertNo} {
		h.need(field+"."+name, value != "")
	}
	h.need(field+".emergency_contact", p.Emergency == "" || p.Emergency != p.Mobile)
	if len(p.From) != 8 || !isDigits(p.From) || (p.Until != "长期" && (len(p.Until) != 8 || !isDigits(p.Until) || p.Until < h.today)) {
		h.add(hintDates, field+".certificate_validity_date_end")
	}
	h.file(field+".certificate_photo_front", p.Front, true)
	h.file(field+".certificate_photo_back", p.Back, true)
	h.file(field+".authorization_letter", p.Letter, false)
}

// startFiling puts an accepted application before WeChat's own reviewers.
func (w *world) startFiling(m *miniProgram, component string, order json.RawMessage, now int64) *filing {
	f := w.filingOf(m.AppID)
	r := w.openReview(reviewICPWechat, m, component, "备案（平台初审）："+m.NickName, m.AppID, now)
	*f = filing{Status: icpWechat, Order: order, ReviewID: r.ID, Component: component, Procedure: f.Procedure}
	w.filings.put(m.AppID, f)
	return f
}

// decideFiling moves a filing from WeChat's review to the bureau's and to its number, or back to the merchant.
func decideFiling(w *world, r *review, m *miniProgram, now int64) error {
	f := w.filingOf(m.AppID)
	if f.ReviewID != r.ID {
		return nil // a withdrawn application
	}
	f.Rejected = nil
	switch {
	case r.State == reviewRejected:
		f.Status = map[string]int{reviewICPWechat: icpWechatRejected, reviewICPBureau: icpBureauRejected}[r.Kind]
		f.Rejected = []auditFinding{{Key: "icp_subject.organize_info.certificate_photo", Error: r.Reason, Suggest: "请按原因修改后重新提交"}}
	case r.Kind == reviewICPWechat:
		next := w.openReview(reviewICPBureau, m, r.Component, "备案（管局审核）："+m.NickName, m.AppID, now)
		f.Status, f.SMS, f.ReviewID = icpBureau, 1, next.ID
	default:
		f.Status, f.SMS = icpFiled, 2
		f.Record = fmt.Sprintf("京ICP备%d号-%dX", 2_026_000_000+w.ids.number(0)%1_000_000, 1)
	}
	w.filings.put(m.AppID, f)
	if c := w.components.get(r.Component); c != nil {
		w.notify(c, "notify_apply_icpfiling_result", now, leaf("authorizer_appid", m.AppID), leaf("beian_status", f.Status))
		w.procedureMoved(c, m, f.Procedure, now)
	}
	return nil
}

// icpTaskMoved pushes the result of the face check of the responsible person.
func (w *world) icpTaskMoved(c *component, t *task, now int64) {
	nodes := []xmlNode{leaf("task_id", t.ID), leaf("verify_appid", t.AppID), leaf("result", t.Status)}
	if t.Data == "along" && t.State == stepDone {
		nodes = append(nodes, leaf("along_with_auth_result", alongPassed))
	}
	w.notify(c, "notify_icpfiling_verify_result", now, nodes...)
}

// alongPassed is along_with_auth_result after the SMS check.
const alongPassed = 9
