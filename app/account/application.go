package account

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/store"
)

// The states of a merchant application.
const (
	ApplicationDraft     = "draft"
	ApplicationSubmitted = "submitted"
	ApplicationApproved  = "approved"
	ApplicationRejected  = "rejected"
)

// ApplicationField is one input of the application.
type ApplicationField struct {
	Name, Title, Help string
	Optional, File    bool
}

// ApplicationFields lists the inputs in the order of the screens.
func ApplicationFields() []ApplicationField {
	return []ApplicationField{
		{Name: "company", Title: "企业名称", Help: "与营业执照一致；无字号个体户填“个体户”加经营者姓名"},
		{Name: "credit_code", Title: "统一社会信用代码", Help: "营业执照上的 18 位代码"},
		{Name: "legal_person", Title: "法定代表人", Help: "与营业执照一致，加密保存"},
		{Name: "contact", Title: "联系人", Help: "审核有疑问时联系谁"},
		{Name: "phone", Title: "手机", Help: "联系人的 11 位手机号，加密保存"},
		{Name: "email", Title: "邮箱", Help: "接收审核结果"},
		{Name: "category", Title: "经营类目"},
		{Name: "license", Title: "营业执照", File: true, Help: "JPG、PNG、WebP 图片或 PDF，最大 5 MB，四角完整、文字清晰"},
		{Name: "letter", Title: "授权书", File: true, Optional: true, Help: "办理人不是法定代表人时上传，格式同上"},
	}
}

// Categories lists what a merchant may trade in.
func Categories() []string {
	return []string{"电商", "餐饮", "教育", "预约", "政务", "社区", "工具", "软件服务", "其他"}
}

// File is an uploaded qualification without its content.
type File struct {
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	SHA256      string `json:"sha256"`
}

// ApplicationForm is what a merchant types.
type ApplicationForm struct {
	Company     string `json:"company"`
	CreditCode  string `json:"credit_code"`
	LegalPerson string `json:"legal_person"`
	Contact     string `json:"contact"`
	Phone       string `json:"phone"`
	Email       string `json:"email"`
	Category    string `json:"category"`
}

// Value gives an input by its name.
func (f ApplicationForm) Value(name string) string {
	return map[string]string{
		"company": f.Company, "credit_code": f.CreditCode, "legal_person": f.LegalPerson, "contact": f.Contact, "phone": f.Phone, "email": f.Email, "category": f.Category,
	}[name]
}

// applicant are the inputs that are about persons: sealed in the database, masked in lists.
type applicant struct {
	LegalPerson string `json:"legal_person"`
	Contact     string `json:"contact"`
	Phone       string `json:"phone"`
	Email       string `json:"email"`
}

// Application is a merchant's application as its members with the permission and operators see it.
type Application struct {
	ID      int64  `json:"id,string"`
	SpaceID int64  `json:"space_id,string"`
	Space   string `json:"space"`
	State   string `json:"state"`
	Round   int    `json:"round"`
	ApplicationForm
	License     *File             `json:"license"`
	Letter      *File             `json:"letter"`
	Reasons     map[string]string `json:"reasons"` // of the last decision, by field
	Note        string            `json:"note"`
	Version     int               `json:"version"`
	SubmittedAt int64             `json:"submitted_at"`
	DecidedAt   int64             `json:"decided_at"`
	UpdatedAt   int64             `json:"updated_at"`
}

// Editable reports whether the merchant may change the application now.
func (a Application) Editable() bool {
	return a.State == ApplicationDraft || a.State == ApplicationRejected
}

type applicationRow struct {
	ID, SpaceID             int64
	Space                   string
	State                   string
	RoundNo                 int
	Company, CreditCode     string
	Category, People        string
	LicenseBlob, LetterBlob int64
	Version                 int
	SubmittedAt, DecidedAt  int64
	UpdatedAt               int64
}

const applicationSQL = "SELECT p.*, s.name AS space FROM merchant_application p JOIN space s ON s.id=p.space_id WHERE "

func applicationPurpose(id int64) string { return fmt.Sprintf("merchant_application.people:%d", id) }

// Approved reports whether an operator has approved the merchant's application. Without it a merchant may not list in the
// market nor bind more than one platform app; everything else of the back office is open.
func (s *Spaces) Approved(ctx context.Context, spaceID int64) (bool, error) {
	return Approved(ctx, s.db, spaceID)
}

// Approved is Spaces.Approved for rooms that hold the database only.
func Approved(ctx context.Context, db *store.DB, spaceID int64) (bool, error) {
	n, err := db.Int(ctx, "SELECT COUNT(*) FROM merchant_application WHERE space_id=? AND state=?", spaceID, ApplicationApproved)
	if err != nil {
		return false, fmt.Errorf("account: approved: %w", err)
	}
	return n > 0, nil
}

// ApprovedAmong lists those of the spaces that are approved.
func (s *Spaces) ApprovedAmong(ctx context.Context, ids ...int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []struct{ SpaceID int64 }
	if err := s.db.All(ctx, &rows, "SELECT space_id FROM merchant_application WHERE state=? AND space_id IN (?)", ApplicationApproved, ids); err != nil {
		return nil, fmt.Errorf("account: approved: %w", err)
	}
	for _, r := range rows {
		out[r.SpaceID] = true
	}
	return out, nil
}

func (s *Spaces) mayApply(who Actor) error {
	if who.SpaceKind != Merchant {
		return fault.New(fault.Forbidden, "merchants_only", "只有商户空间需要入驻资料，请切换到商户身份")
	}
	return Require(who, "space.application")
}

// Application reads the one of the actor's merchant space; a fresh draft when nothing was filled in yet.
func (s *Spaces) Application(ctx context.Context, who Actor) (Application, error) {
	if err := s.mayApply(who); err != nil {
		return Application{}, err
	}
	row, found, err := s.applicationOf(ctx, who.SpaceID)
	if err != nil || !found {
		return Application{SpaceID: who.SpaceID, Space: who.Space, State: ApplicationDraft, ApplicationForm: ApplicationForm{Company: who.Space}, Reasons: map[string]string{}}, err
	}
	return s.open(ctx, row)
}

func (s *Spaces) applicationOf(ctx context.Context, spaceID int64) (row applicationRow, found bool, err error) {
	if found, err = s.db.One(ctx, &row, applicationSQL+"p.space_id=?", spaceID); err != nil {
		return row, false, fmt.Errorf("account: application: %w", err)
	}
	return row, found, nil
}

// open unseals an application and adds its files and what was last decided.
func (s *Spaces) open(ctx context.Context, row applicationRow) (Application, error) {
	a := Application{
		ID: row.ID, SpaceID: row.SpaceID, Space: row.Space, State: row.State, Round: row.RoundNo, Version: row.Version, SubmittedAt: row.SubmittedAt, DecidedAt: row.DecidedAt,
		UpdatedAt: row.UpdatedAt, Reasons: map[string]string{}, ApplicationForm: ApplicationForm{Company: row.Company, CreditCode: row.CreditCode, Category: row.Category},
	}
	if err := s.unseal(row.ID, row.People, &a.ApplicationForm); err != nil {
		return a, err
	}
	var err error
	if a.License, err = s.fileInfo(ctx, row.LicenseBlob); err != nil {
		return a, err
	}
	if a.Letter, err = s.fileInfo(ctx, row.LetterBlob); err != nil {
		return a, err
	}
	if row.State != ApplicationRejected {
		return a, nil
	}
	var last struct{ Reasons, Note string }
	if _, err := s.db.One(ctx, &last, "SELECT reasons, note FROM merchant_round WHERE application_id=? AND round_no=?", row.ID, row.RoundNo); err != nil {
		return a, fmt.Errorf("account: application: %w", err)
	}
	a.Note = last.Note
	return a, decodeReasons(last.Reasons, &a.Reasons)
}

func decodeReasons(text string, into *map[string]string) error {
	if text == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("account: reasons: %w", err)
	}
	return nil
}

func (s *Spaces) unseal(id int64, sealed string, f *ApplicationForm) error {
	if sealed == "" {
		return nil
	}
	plain, err := s.o.Vault.OpenString(applicationPurpose(id), sealed)
	if err != nil {
		return fmt.Errorf("account: application %d: %w", id, err)
	}
	var p applicant
	if err := json.Unmarshal([]byte(plain), &p); err != nil {
		return fmt.Errorf("account: application %d: %w", id, err)
	}
	f.LegalPerson, f.Contact, f.Phone, f.Email = p.LegalPerson, p.Contact, p.Phone, p.Email
	return nil
}

func (s *Spaces) seal(id int64, f ApplicationForm) (string, error) {
	plain, err := json.Marshal(applicant{f.LegalPerson, f.Contact, f.Phone, f.Email})
	if err != nil {
		return "", err
	}
	return s.o.Vault.SealString(applicationPurpose(id), string(plain))
}

func (f *ApplicationForm) normal() {
	for _, v := range []*string{&f.Company, &f.LegalPerson, &f.Contact, &f.Phone, &f.Email, &f.Category} {
		*v = strings.TrimSpace(*v)
	}
	f.CreditCode, f.Phone, f.Email = NormalCreditCode(f.CreditCode), NormalLogin(f.Phone), strings.ToLower(f.Email)
}

// bounds refuses what could not be stored; a draft may be incomplete.
func (f ApplicationForm) bounds() error {
	bad := fault.InvalidInput()
	for _, field := range ApplicationFields() {
		if utf8.RuneCountInString(f.Value(field.Name)) > 60 {
			bad.On(field.Name, field.Title+"最多 60 个字")
		}
	}
	if len(f.CreditCode) > 32 {
		bad.On("credit_code", "统一社会信用代码应为 18 位")
	}
	return bad.OrNil()
}

var personForm = regexp.MustCompile(`^[\p{Han}A-Za-z·.' -]{2,40}$`)

// complete refuses what an operator could not review.
func (a Application) complete() error {
	bad := fault.InvalidInput()
	if n := utf8.RuneCountInString(a.Company); n < 2 {
		bad.On("company", "请填写营业执照上的企业名称")
	}
	if why := creditCodeProblem(a.CreditCode); why != "" {
		bad.On("credit_code", why)
	}
	if !personForm.MatchString(a.LegalPerson) {
		bad.On("legal_person", "请填写法定代表人的姓名")
	}
	if !personForm.MatchString(a.Contact) {
		bad.On("contact", "请填写联系人的姓名")
	}
	if !phoneForm.MatchString(a.Phone) {
		bad.On("phone", "请填写 11 位手机号")
	}
	if !emailForm.MatchString(a.Email) {
		bad.On("email", "请填写正确的邮箱")
	}
	if !slices.Contains(Categories(), a.Category) {
		bad.On("category", "请选择经营类目")
	}
	if a.License == nil {
		bad.On("license", "请上传营业执照")
	}
	return bad.OrNil()
}

var errNotEditable = fault.New(fault.Conflict, "application_locked", "资料正在审核或已通过，不能修改")

// editable finds the row of the actor's space, which is made when there is none. The space's lock is held.
func (s *Spaces) editable(ctx context.Context, who Actor) (applicationRow, error) {
	row, found, err := s.applicationOf(ctx, who.SpaceID)
	if err != nil {
		return row, err
	}
	if found {
		if row.State != ApplicationDraft && row.State != ApplicationRejected {
			return row, errNotEditable
		}
		return row, nil
	}
	now := clock.Millis(s.clk.Now())
	row = applicationRow{ID: s.db.NewID(), SpaceID: who.SpaceID, Space: who.Space, State: ApplicationDraft, Company: who.Space}
	return row, s.db.Insert(ctx, "merchant_application", map[string]any{
		"id": row.ID, "space_id": row.SpaceID, "state": row.State, "round_no": 0, "company": row.Company, "credit_code": "", "category": "", "people": "",
		"license_blob": 0, "letter_blob": 0, "version": 0, "submitted_at": 0, "decided_at": 0, "created_at": now, "updated_at": now,
	})
}

// SaveApplication keeps a draft, complete or not. version is the one that was read; -1 saves over whatever is there.
func (s *Spaces) SaveApplication(ctx context.Context, who Actor, f ApplicationForm, version int) (Application, error) {
	if err := s.mayApply(who); err != nil {
		return Application{}, err
	}
	f.normal()
	if err := f.bounds(); err != nil {
		return Application{}, err
	}
	err := s.act(ctx, who, "space.application", func(ctx context.Context, who Actor) error {
		row, err := s.editable(ctx, who)
		if err != nil {
			return err
		}
		if version >= 0 && version != row.Version {
			return fault.New(fault.Conflict, "application_changed", "资料刚被其他成员改过，请刷新页面后重新填写")
		}
		sealed, err := s.seal(row.ID, f)
		if err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, "UPDATE merchant_application SET company=?, credit_code=?, category=?, people=?, version=version+1, updated_at=? WHERE id=?",
			f.Company, f.CreditCode, f.Category, sealed, clock.Millis(s.clk.Now()), row.ID)
		if err != nil {
			return err
		}
		return s.record(ctx, who, "application.save", f.Company, "")
	})
	if err != nil {
		return Application{}, wrapped("save application", err)
	}
	return s.Application(ctx, who)
}

// SubmitApplication hands the draft in for review: complete, and kept as it is in a round of its own.
func (s *Spaces) SubmitApplication(ctx context.Context, who Actor) (Application, error) {
	if err := s.mayApply(who); err != nil {
		return Application{}, err
	}
	var company string
	err := s.act(ctx, who, "space.application", func(ctx context.Context, who Actor) error {
		row, err := s.editable(ctx, who)
		if err != nil {
			return err
		}
		a, err := s.open(ctx, row)
		if err != nil {
			return err
		}
		if err := a.complete(); err != nil {
			return err
		}
		company = a.Company
		now := clock.Millis(s.clk.Now())
		row.RoundNo++
		if _, err := s.db.Exec(ctx, "UPDATE merchant_application SET state=?, round_no=?, submitted_at=?, decided_at=0, version=version+1, updated_at=? WHERE id=?", ApplicationSubmitted, row.RoundNo, now, now, row.ID); err != nil {
			return err
		}
		err = s.db.Insert(ctx, "merchant_round", map[string]any{
			"id": s.db.NewID(), "application_id": row.ID, "space_id": row.SpaceID, "round_no": row.RoundNo, "state": ApplicationSubmitted, "company": row.Company, "credit_code": row.CreditCode,
			"category": row.Category, "people": row.People, "license_blob": row.LicenseBlob, "letter_blob": row.LetterBlob, "reasons": "", "note": "",
			"submitted_by": who.AccountID, "submitted_at": now, "decided_by": 0, "decider": "", "decided_at": 0,
		})
		if err != nil {
			return err
		}
		return s.record(ctx, who, "application.submit", row.Company, fmt.Sprintf("第 %d 次提交", row.RoundNo))
	})
	if err != nil {
		return Application{}, wrapped("submit application", err)
	}
	if err := s.tellOperators(ctx, company); err != nil {
		return Application{}, err
	}
	return s.Application(ctx, who)
}

// tellOperators says in every platform space that an application waits.
func (s *Spaces) tellOperators(ctx context.Context, company string) error {
	var spaces []struct{ ID int64 }
	if err := s.db.All(ctx, &spaces, "SELECT id FROM space WHERE kind=?", string(Platform)); err != nil {
		return fmt.Errorf("account: %w", err)
	}
	for _, sp := range spaces {
		if err := s.tell(ctx, Message{Event: "application.submitted", SpaceID: sp.ID, Title: "商户入驻待审核：" + company, Text: "请在商户审核里查看资料并通过或驳回", Link: "/admin/applications"}); err != nil {
			return err
		}
	}
	return nil
}
