package account

import (
	"context"
	"encoding/json"
	"fmt"

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
