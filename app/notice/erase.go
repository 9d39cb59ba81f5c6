package notice

import (
	"context"
	"fmt"

	"minifleet/app/account"
)

// Erase takes a person whose account is closed out of the notices, inside the caller's transaction: their bell, choices,
// letters and what only they were told; of the spaces that end everything; their name in what others were told.
func (s *Service) Erase(ctx context.Context, who account.Leaver) error {
	do := func(query string, args ...any) error {
		if _, err := s.o.DB.Exec(ctx, query, args...); err != nil {
			return fmt.Errorf("notice: erase: %w", err)
		}
		return nil
	}
	theirs := personalEvents()
	const only = " AND NOT EXISTS (SELECT 1 FROM notice_recipient r WHERE r.notice_id=notice.id AND r.account_id<>?)"
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"DELETE FROM notice WHERE event IN (?) AND id IN (SELECT notice_id FROM notice_recipient WHERE account_id=?)" + only, []any{theirs, who.AccountID, who.AccountID}},
		{"DELETE FROM notice WHERE event IN (?) AND id IN (SELECT notice_id FROM notice_delivery WHERE channel=? AND target=?)" + only, []any{theirs, ChannelMail, who.AccountID, who.AccountID}},
		{"DELETE FROM notice_recipient WHERE account_id=?", []any{who.AccountID}},
		{"DELETE FROM notice_preference WHERE account_id=?", []any{who.AccountID}},
		{"DELETE FROM notice_delivery WHERE channel=? AND target=?", []any{ChannelMail, who.AccountID}},
		{"DELETE FROM notice_outbox WHERE accounts=?", []any{fmt.Sprintf("[%d]", who.AccountID)}},
	} {
		if err := do(step.query, step.args...); err != nil {
			return err
		}
	}
	for _, space := range who.Ended {
		for _, query := range []string{
			"DELETE FROM notice_delivery WHERE channel='" + ChannelWebhook + "' AND target IN (SELECT id FROM webhook WHERE space_id=?)", "DELETE FROM webhook WHERE space_id=?",
			"DELETE FROM notice_recipient WHERE space_id=?", "DELETE FROM notice_preference WHERE space_id=?", "DELETE FROM notice_outbox WHERE space_id=?", "DELETE FROM notice WHERE space_id=?",
		} {
			if err := do(query, space); err != nil {
				return err
			}
		}
	}
	return s.rename(ctx, who)
}

// personalEvents are told to named accounts alone, or of a change of their own rights.
func personalEvents() []string {
	out := []string{MemberChanged}
	for _, k := range kinds() {
		if k.Personal {
			out = append(out, k.Event)
		}
	}
	return out
}

// rename puts the words for a closed account where its name stands in the news of members. Whole sentences are compared: a
// short name is not looked for inside other words.
func (s *Service) rename(ctx context.Context, who account.Leaver) error {
	for _, p := range []struct{ column, before, after string }{
		{"title", "", " 已接受邀请"}, {"body", "操作人：", ""}, {"body", "转让人：", ""},
	} {
		from, to := p.before+who.Name+p.after, p.before+who.Words+p.after
		_, err := s.o.DB.Exec(ctx, "UPDATE notice_delivery SET request=REPLACE(request,?,?) WHERE notice_id IN (SELECT id FROM notice WHERE event=? AND "+p.column+"=?)", from, to, MemberChanged, from)
		if err != nil {
			return fmt.Errorf("notice: erase: %w", err)
		}
		for _, table := range []string{"notice", "notice_outbox"} {
			if _, err := s.o.DB.Exec(ctx, "UPDATE "+table+" SET "+p.column+"=? WHERE event=? AND "+p.column+"=?", to, MemberChanged, from); err != nil {
				return fmt.Errorf("notice: erase: %w", err)
			}
		}
	}
	return nil
}

// Erase empties the demo's box of mails to a person or about them.
func (o Outbox) Erase(ctx context.Context, who account.Leaver) error {
	_, err := o.DB.Exec(ctx, "DELETE FROM mail_outbox WHERE recipient=? OR INSTR(subject,?)>0 OR INSTR(body,?)>0", who.Login, who.Name, who.Name)
	if err != nil {
		return fmt.Errorf("notice: erase: %w", err)
	}
	return nil
}
