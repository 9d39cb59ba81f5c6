package wechat

import "context"

// Violation is what WeChat punished (02 I.4).
type Violation struct {
	ID        string `json:"illegal_record_id"`
	CreatedAt int64  `json:"create_time"` // unix seconds
	Reason    string `json:"illegal_reason"`
	Content   string `json:"illegal_content"`
	RuleURL   string `json:"rule_url"`
	RuleName  string `json:"rule_name"`
}

// Violations lists what was punished between two unix times; both 0 is WeChat's whole window of about 90 days.
func (m MiniProgram) Violations(ctx context.Context, start, end int64) ([]Violation, error) {
	out, err := ask[struct {
		Records []Violation `json:"records"`
	}](ctx, m, EndpointViolationList, nil, struct {
		Start int64 `json:"start_time,omitempty"`
		End   int64 `json:"end_time,omitempty"`
	}{start, end})
	return out.Records, err
}

// Values of Appeal.Status; 4 is inferred.
const (
	AppealRunning   = 1
	AppealAccepted  = 2
	AppealRejected  = 3
	AppealWithdrawn = 4
)

// Appeal is one 申诉 against a violation.
type Appeal struct {
	ID         int64            `json:"appeal_record_id"`
	CreatedAt  int64            `json:"appeal_time"` // unix seconds
	Count      int              `json:"appeal_count"`
	From       int              `json:"appeal_from"`   // 0 用户, 1 服务商
	Status     int              `json:"appeal_status"` // Appeal…
	AuditedAt  int64            `json:"audit_time"`    // unix seconds, 0 while it runs
	Reason     string           `json:"audit_reason"`
	Punishment string           `json:"punish_description"`
	Materials  []AppealMaterial `json:"materials"`
}

// AppealMaterial is a charge and what was said against it.
type AppealMaterial struct {
	Charge struct {
		Content string `json:"content"`
		URL     string `json:"content_url"`
	} `json:"illegal_material"`
	Answer struct {
		Reason string   `json:"reason"`
		Proofs []string `json:"proof_material_ids"`
	} `json:"appeal_material"`
}

// Appeals lists the appeals against one violation.
func (m MiniProgram) Appeals(ctx context.Context, violationID string) ([]Appeal, error) {
	out, err := ask[struct {
		Records []Appeal `json:"records"`
	}](ctx, m, EndpointViolationAppeals, nil, struct {
		ID string `json:"illegal_record_id"`
	}{violationID})
	return out.Records, err
}
