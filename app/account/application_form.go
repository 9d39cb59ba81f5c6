package account

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"minifleet/app/clock"
	"minifleet/app/fault"
)

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
