package notice

import (
	"context"
	"fmt"
	"unicode/utf8"

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

// sentence is where a person's name stands in what others are told.
type sentence struct {
	event, column, before, after string
	begins                       bool // more follows
}

// sentences are all of them. Whole ones are compared: a short name is not looked for inside other words.
var sentences = [...]sentence{
	{event: MemberChanged, column: "title", after: " 已接受邀请"},
	{event: MemberChanged, column: "body", before: "操作人："},
	{event: MemberChanged, column: "body", before: "转让人："},
	{event: Invitation, column: "title", after: " 邀请你加入", begins: true},
}

// rename puts the words for a closed account where its name stands in the news of members.
func (s *Service) rename(ctx context.Context, who account.Leaver) error {
	for _, p := range sentences {
		from, to := p.before+who.Name+p.after, p.before+who.Words+p.after
		where, args := "event=? AND "+p.column+"=?", []any{p.event, from}
		if p.begins {
			where, args = "event=? AND SUBSTR("+p.column+",1,?)=?", []any{p.event, utf8.RuneCountInString(from), from}
		}
		args = append([]any{from, to}, args...)
		if _, err := s.o.DB.Exec(ctx, "UPDATE notice_delivery SET request=REPLACE(request,?,?) WHERE notice_id IN (SELECT id FROM notice WHERE "+where+")", args...); err != nil {
			return fmt.Errorf("notice: erase: %w", err)
		}
		for _, table := range []string{"notice", "notice_outbox"} {
			if _, err := s.o.DB.Exec(ctx, "UPDATE "+table+" SET "+p.column+"=REPLACE("+p.column+",?,?) WHERE "+where, args...); err != nil {
				return fmt.Errorf("notice: erase: %w", err)
			}
		}
	}
	return nil
}

// Erase takes a person out of the demo's box: mails to their address go, and invitations by them; where others were told
// of them in a sentence of its own, it says the words for a closed account.
func (o Outbox) Erase(ctx context.Context, who account.Leaver) error {
	do := func(query string, args ...any) error {
		if _, err := o.DB.Exec(ctx, query, args...); err != nil {
			return fmt.Errorf("notice: erase: %w", err)
		}
		return nil
	}
	if err := do("DELETE FROM mail_outbox WHERE recipient=?", who.Login); err != nil {
		return err
	}
	for _, m := range who.Memberships {
		if err := do("DELETE FROM mail_outbox WHERE subject=?", InvitationSubject(who.Name, m.Space)); err != nil {
			return err
		}
	}
	for _, p := range sentences {
		if p.begins {
			continue
		}
		from, to := p.before+who.Name+p.after, p.before+who.Words+p.after
		if err := do("UPDATE mail_outbox SET subject=? WHERE subject=?", to, from); err != nil {
			return err
		}
		from, to = "\n"+from+"\n", "\n"+to+"\n"
		if err := do("UPDATE mail_outbox SET body=REPLACE(body,?,?) WHERE INSTR(body,?)>0", from, to, from); err != nil {
			return err
		}
	}
	return nil
}

// InvitationSubject is the subject of the mail in which somebody invites into a space.
func InvitationSubject(inviter, space string) string {
	return inviter + " 邀请你加入“" + space + "”"
}
