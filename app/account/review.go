package account

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// Applied is one line of the operators' list: nothing about persons but what is masked.
type Applied struct {
	ID          int64  `json:"id,string"`
	SpaceID     int64  `json:"space_id,string"`
	Space       string `json:"space"`
	State       string `json:"state"`
	Round       int    `json:"round"`
	Company     string `json:"company"`
	CreditCode  string `json:"credit_code"`
	Category    string `json:"category"`
	LegalPerson string `json:"legal_person"` // masked
	Phone       string `json:"phone"`        // masked
	SubmittedAt int64  `json:"submitted_at"`
	DecidedAt   int64  `json:"decided_at"`
}

// ApplicationFilter narrows the operators' list.
type ApplicationFilter struct {
	State  string
	Query  string // part of the company's name or code
	Cursor int64  // applications older than this id
	Limit  int    // 1…100, default 20
}

// AppliedPage is one page of the operators' list, the newest first. Next is 0 at the end.
type AppliedPage struct {
	Items []Applied
	Next  int64
	Total int64
}

func (s *Spaces) mayReview(who Actor) error {
	if !who.Operator() {
		return fault.New(fault.Forbidden, "operators_only", "只有平台管理员可以审核商户")
	}
	return Require(who, "space.application")
}

// Applications lists what merchants have handed in, at whatever state, drafts left out.
func (s *Spaces) Applications(ctx context.Context, who Actor, f ApplicationFilter) (AppliedPage, error) {
	var p AppliedPage
	if err := s.mayReview(who); err != nil {
		return p, err
	}
	if f.Limit < 1 || f.Limit > 100 {
		f.Limit = 20
	}
	cond, args := "p.round_no>0", []any{}
	if f.State != "" {
		cond, args = cond+" AND p.state=?", append(args, f.State)
	}
	if q := strings.TrimSpace(f.Query); q != "" {
		like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(q) + "%"
		cond, args = cond+" AND (p.company LIKE ? ESCAPE '!' OR p.credit_code LIKE ? ESCAPE '!')", append(args, like, strings.ToUpper(like))
	}
	var err error
	if p.Total, err = s.db.Int(ctx, "SELECT COUNT(*) FROM merchant_application p WHERE "+cond, args...); err != nil {
		return p, fmt.Errorf("account: applications: %w", err)
	}
	if f.Cursor > 0 {
		cond, args = cond+" AND p.id<?", append(args, f.Cursor)
	}
	var rows []applicationRow
	if err := s.db.All(ctx, &rows, applicationSQL+cond+" ORDER BY p.id DESC LIMIT ?", append(args, f.Limit+1)...); err != nil {
		return p, fmt.Errorf("account: applications: %w", err)
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		p.Next = rows[f.Limit-1].ID
	}
	for _, r := range rows {
		var form ApplicationForm
		if err := s.unseal(r.ID, r.People, &form); err != nil {
			return p, err
		}
		p.Items = append(p.Items, Applied{
			ID: r.ID, SpaceID: r.SpaceID, Space: r.Space, State: r.State, Round: r.RoundNo, Company: r.Company, CreditCode: r.CreditCode, Category: r.Category,
			LegalPerson: MaskName(form.LegalPerson), Phone: MaskPhone(form.Phone), SubmittedAt: r.SubmittedAt, DecidedAt: r.DecidedAt,
		})
	}
	return p, nil
}

// MaskName keeps the first character of a name: 王*.
func MaskName(name string) string {
	r := []rune(name)
	if len(r) == 0 {
		return ""
	}
	return string(r[:1]) + strings.Repeat("*", max(1, min(len(r)-1, 3)))
}

// Round is one handing-in of an application as it was then.
type Round struct {
	Round int    `json:"round"`
	State string `json:"state"`
	ApplicationForm
	License     *File             `json:"license"`
	Letter      *File             `json:"letter"`
	Reasons     map[string]string `json:"reasons"`
	Note        string            `json:"note"`
	SubmittedAt int64             `json:"submitted_at"`
	Decider     string            `json:"decider"`
	DecidedAt   int64             `json:"decided_at"`
}

// Review is an application with all its rounds, the newest first.
type Review struct {
	ID      int64   `json:"id,string"`
	SpaceID int64   `json:"space_id,string"`
	Space   string  `json:"space"`
	State   string  `json:"state"`
	Rounds  []Round `json:"rounds"`
}

// Last is the newest round.
func (r Review) Last() Round { return r.Rounds[0] }

type roundRow struct {
	ApplicationID           int64
	RoundNo                 int
	State                   string
	Company, CreditCode     string
	Category, People        string
	LicenseBlob, LetterBlob int64
	Reasons, Note, Decider  string
	SubmittedAt, DecidedAt  int64
}

var errNoApplication = fault.New(fault.NotFound, "application_not_found", "没有找到这份入驻资料")

// Review reads an application for an operator. Only what was handed in is shown, never a draft in the making.
func (s *Spaces) Review(ctx context.Context, who Actor, id int64) (Review, error) {
	if err := s.mayReview(who); err != nil {
		return Review{}, err
	}
	var row applicationRow
	found, err := s.db.One(ctx, &row, applicationSQL+"p.id=? AND p.round_no>0", id)
	if err != nil {
		return Review{}, fmt.Errorf("account: review: %w", err)
	}
	if !found {
		return Review{}, errNoApplication
	}
	r := Review{ID: row.ID, SpaceID: row.SpaceID, Space: row.Space, State: row.State}
	r.Rounds, err = s.rounds(ctx, id)
	if err == nil && len(r.Rounds) == 0 {
		err = errNoApplication
	}
	return r, err
}

// Rounds lists the merchant's own handings-in, the newest first.
func (s *Spaces) Rounds(ctx context.Context, who Actor) ([]Round, error) {
	if err := s.mayApply(who); err != nil {
		return nil, err
	}
	row, found, err := s.applicationOf(ctx, who.SpaceID)
	if err != nil || !found {
		return nil, err
	}
	return s.rounds(ctx, row.ID)
}

func (s *Spaces) rounds(ctx context.Context, id int64) ([]Round, error) {
	var rows []roundRow
	if err := s.db.All(ctx, &rows, "SELECT * FROM merchant_round WHERE application_id=? ORDER BY round_no DESC LIMIT 50", id); err != nil {
		return nil, fmt.Errorf("account: rounds: %w", err)
	}
	out := make([]Round, 0, len(rows))
	for _, r := range rows {
		one := Round{
			Round: r.RoundNo, State: r.State, Reasons: map[string]string{}, Note: r.Note, SubmittedAt: r.SubmittedAt, Decider: r.Decider, DecidedAt: r.DecidedAt,
			ApplicationForm: ApplicationForm{Company: r.Company, CreditCode: r.CreditCode, Category: r.Category},
		}
		if err := s.unseal(id, r.People, &one.ApplicationForm); err != nil {
			return nil, err
		}
		var err error
		if one.License, err = s.fileInfo(ctx, r.LicenseBlob); err != nil {
			return nil, err
		}
		if one.Letter, err = s.fileInfo(ctx, r.LetterBlob); err != nil {
			return nil, err
		}
		if err := decodeReasons(r.Reasons, &one.Reasons); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// ReviewFile reads a qualification of a round for an operator.
func (s *Spaces) ReviewFile(ctx context.Context, who Actor, id int64, round int, which string) (Download, error) {
	if err := s.mayReview(who); err != nil {
		return Download{}, err
	}
	var r roundRow
	found, err := s.db.One(ctx, &r, "SELECT license_blob, letter_blob FROM merchant_round WHERE application_id=? AND round_no=?", id, round)
	if err != nil {
		return Download{}, fmt.Errorf("account: review: %w", err)
	}
	if !found {
		return Download{}, errNoFile
	}
	return s.download(ctx, which, r.LicenseBlob, r.LetterBlob)
}

// Decision is what an operator says about the round that they have seen.
type Decision struct {
	Round   int
	Approve bool
	Reasons map[string]string // by field; at least one when the answer is no
	Note    string
}

func (d *Decision) check() error {
	bad := fault.InvalidInput()
	kept := map[string]string{}
	for name, why := range d.Reasons {
		why = strings.TrimSpace(why)
		known := false
		for _, f := range ApplicationFields() {
			known = known || f.Name == name
		}
		switch {
		case !known:
			bad.On("reasons", "没有这个字段："+name)
		case why == "":
		case utf8.RuneCountInString(why) > 200:
			bad.On(name, "原因最多 200 个字")
		default:
			kept[name] = why
		}
	}
	d.Note = strings.TrimSpace(d.Note)
	if utf8.RuneCountInString(d.Note) > 200 {
		bad.On("note", "说明最多 200 个字")
	}
	switch {
	case d.Approve && len(kept) > 0:
		bad.On("reasons", "填写了驳回原因，不能同时通过")
	case !d.Approve && len(kept) == 0:
		bad.On("reasons", "请至少对一项资料写明驳回原因")
	}
	d.Reasons = kept
	return bad.OrNil()
}

// Decide approves or rejects the round that waits. Of two operators at once one decides.
func (s *Spaces) Decide(ctx context.Context, who Actor, id int64, d Decision) error {
	r, err := s.Review(ctx, who, id)
	if err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	state, act := ApplicationRejected, "application.reject"
	if d.Approve {
		state, act = ApplicationApproved, "application.approve"
	}
	reasons, err := json.Marshal(d.Reasons)
	if err != nil {
		return err
	}
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		now := clock.Millis(s.clk.Now())
		n, err := s.db.Exec(ctx, "UPDATE merchant_application SET state=?, decided_at=?, version=version+1 WHERE id=? AND state=? AND round_no=?", state, now, id, ApplicationSubmitted, d.Round)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "application_decided", "这份资料已被处理或重新提交，请刷新页面")
		}
		_, err = s.db.Exec(ctx, "UPDATE merchant_round SET state=?, reasons=?, note=?, decided_by=?, decider=?, decided_at=? WHERE application_id=? AND round_no=?",
			state, string(reasons), d.Note, who.AccountID, who.Name, now, id, d.Round)
		if err != nil {
			return err
		}
		if err := s.record(ctx, who, act, r.Last().Company, d.words()); err != nil {
			return err
		}
		// The merchant reads it in its own log too.
		return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: r.SpaceID, Actor: "平台审核", Office: true, Act: act, Object: r.Last().Company, Detail: d.words()})
	})
	if err != nil {
		return wrapped("decide application", err)
	}
	m := Message{Event: "application.approved", SpaceID: r.SpaceID, Title: "入驻审核已通过", Text: "现在可以上架模板、绑定更多第三方平台", Link: "/admin/application"}
	if !d.Approve {
		m.Event, m.Title, m.Text = "application.rejected", "入驻审核被驳回", d.words()
	}
	return s.tell(ctx, m)
}

// words says the reasons in one line.
func (d Decision) words() string {
	var parts []string
	for _, f := range ApplicationFields() {
		if why := d.Reasons[f.Name]; why != "" {
			parts = append(parts, f.Title+"："+why)
		}
	}
	if d.Note != "" {
		parts = append(parts, d.Note)
	}
	return strings.Join(parts, "；")
}
