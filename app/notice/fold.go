package notice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
)

// foldLease is how long a dispatcher may be silent before another replica takes over, in wall time.
const foldLease = 30 * time.Second

// foldMost bounds the messages of one transaction.
const foldMost = 100

type outboxRow struct {
	ID        int64
	Event     string
	SpaceID   int64
	Accounts  string
	Title     string
	Body      string
	Link      string
	Batch     string
	Outcome   string
	AppID     string `orm:"appid"`
	CreatedAt int64
}

type noticeRow struct {
	ID        int64
	Event     string
	SpaceID   int64
	Title     string
	Body      string
	Link      string
	AppID     string `orm:"appid"`
	Batch     string
	OK        int64 `orm:"ok"`
	Failed    int64
	Other     int64
	ClosesAt  int64
	CreatedAt int64
	UpdatedAt int64
}

// Dispatch folds everything that waits in the outbox into notices and tells how many messages that were. Another replica
// at the same work makes it 0.
func (s *Service) Dispatch(ctx context.Context) (int, error) {
	waiting, err := s.o.DB.Int(ctx, "SELECT COUNT(*) FROM (SELECT 1 AS one FROM notice_outbox LIMIT 1) waiting")
	if err != nil || waiting == 0 {
		return 0, err
	}
	lease, ok, err := s.o.DB.Lease(ctx, "notice.fold", foldLease)
	if err != nil || !ok {
		return 0, err
	}
	total := 0
	for {
		n, e := s.foldSome(ctx)
		total += n
		if e != nil || n < foldMost {
			err = e
			break
		}
		if held, e := s.o.DB.Extend(ctx, lease, foldLease); e != nil || !held {
			err = e
			break
		}
	}
	return total, errors.Join(err, s.o.DB.Release(context.WithoutCancel(ctx), lease))
}

// foldSome takes one transaction's worth. Removing the row first is what makes a message count once, also for a
// dispatcher that has lost its lease without noticing.
func (s *Service) foldSome(ctx context.Context) (int, error) {
	done := 0
	err := s.o.DB.Tx(ctx, func(ctx context.Context) error {
		done = 0
		members := map[int64][]account.Actor{}
		var rows []outboxRow
		if err := s.o.DB.All(ctx, &rows, "SELECT * FROM notice_outbox ORDER BY id LIMIT ?", foldMost); err != nil {
			return err
		}
		for _, r := range rows {
			n, err := s.o.DB.Exec(ctx, "DELETE FROM notice_outbox WHERE id=?", r.ID)
			if err != nil {
				return err
			}
			done++
			if n == 0 {
				continue
			}
			if err := s.fold(ctx, r, members); err != nil {
				return fmt.Errorf("notice: %s: %w", r.Event, err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return done, nil
}

// fold makes a notice of a message or counts it in its batch's digest, and readies its readers and ways out.
func (s *Service) fold(ctx context.Context, r outboxRow, members map[int64][]account.Actor) error {
	now := clock.Millis(s.o.Clock.Now())
	n, fresh, err := s.noticeFor(ctx, r, now)
	if err != nil {
		return err
	}
	kind, known := kindOf(r.Event)
	if !known { // told by a newer build; this one still shows it
		kind = Kind{Event: r.Event}
	}
	people, err := s.hearers(ctx, r, kind, members)
	if err != nil {
		return err
	}
	chosen, err := s.chosen(ctx, r.SpaceID, r.Event, people)
	if err != nil {
		return err
	}
	due := max(now, n.ClosesAt) // a digest goes out when it takes no more
	for _, p := range people {
		if kind.wants(chosen, p.AccountID, ChannelSite) {
			if err := s.show(ctx, n, p.AccountID, fresh); err != nil {
				return err
			}
		}
		if _, able := s.channels[ChannelMail]; able && email(p) != "" && kind.wants(chosen, p.AccountID, ChannelMail) {
			if err := s.queue(ctx, n, ChannelMail, p.AccountID, due); err != nil {
				return err
			}
		}
	}
	if kind.Personal || r.SpaceID == 0 {
		return nil
	}
	hooks, err := s.hooksFor(ctx, r.SpaceID, r.Event)
	if err != nil {
		return err
	}
	for _, id := range hooks {
		if err := s.queue(ctx, n, ChannelWebhook, id, due); err != nil {
			return err
		}
	}
	return nil
}

// noticeFor finds the open digest of the message's batch, or makes a new notice.
func (s *Service) noticeFor(ctx context.Context, r outboxRow, now int64) (n noticeRow, fresh bool, err error) {
	if r.Batch != "" {
		found, err := s.o.DB.One(ctx, &n, "SELECT * FROM notice WHERE space_id=? AND event=? AND batch=? AND closes_at>? ORDER BY id DESC LIMIT 1", r.SpaceID, r.Event, r.Batch, now)
		if err != nil {
			return n, false, err
		}
		if found {
			n.count(r.Outcome)
			n.UpdatedAt, n.ClosesAt = now, min(now+s.o.BatchQuiet.Milliseconds(), n.CreatedAt+s.o.BatchMost.Milliseconds())
			_, err := s.o.DB.Exec(ctx, "UPDATE notice SET ok=?, failed=?, other=?, closes_at=?, updated_at=? WHERE id=?", n.OK, n.Failed, n.Other, n.ClosesAt, now, n.ID)
			return n, false, err
		}
	}
	n = noticeRow{ID: r.ID, Event: r.Event, SpaceID: r.SpaceID, Title: r.Title, Body: r.Body, Link: r.Link, AppID: r.AppID, Batch: r.Batch, CreatedAt: r.CreatedAt, UpdatedAt: now}
	if r.Batch != "" {
		n.CreatedAt, n.ClosesAt, n.AppID = now, now+s.o.BatchQuiet.Milliseconds(), ""
		n.count(r.Outcome)
	}
	err = s.o.DB.Insert(ctx, "notice", map[string]any{
		"id": n.ID, "event": n.Event, "space_id": n.SpaceID, "title": n.Title, "body": n.Body, "link": n.Link, "appid": n.AppID, "batch": n.Batch,
		"ok": n.OK, "failed": n.Failed, "other": n.Other, "closes_at": n.ClosesAt, "created_at": n.CreatedAt, "updated_at": n.UpdatedAt,
	})
	return n, true, err
}

func (n *noticeRow) count(outcome string) {
	switch outcome {
	case OK:
		n.OK++
	case Failed:
		n.Failed++
	default:
		n.Other++
	}
}

// hearers are the named accounts, or the members who may see it. known keeps the members of spaces for one transaction.
func (s *Service) hearers(ctx context.Context, r outboxRow, kind Kind, known map[int64][]account.Actor) ([]account.Actor, error) {
	var named []int64
	if err := json.Unmarshal([]byte(r.Accounts), &named); err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	var out []account.Actor
	if named != nil {
		for _, id := range named {
			p, found, err := s.o.Directory.Someone(ctx, id)
			if err != nil {
				return nil, err
			}
			if found {
				out = append(out, p)
			}
		}
		return out, nil
	}
	members, read := known[r.SpaceID]
	if !read {
		var err error
		if members, err = s.o.Directory.Audience(ctx, r.SpaceID); err != nil {
			return nil, err
		}
		known[r.SpaceID] = members
	}
	for _, m := range members {
		if (kind.Permission == "" || m.Can(kind.Permission)) && (r.AppID == "" || m.Reaches(r.AppID)) {
			out = append(out, m)
		}
	}
	return out, nil
}

// chosen reads what these people chose for the event in this space.
func (s *Service) chosen(ctx context.Context, spaceID int64, event string, people []account.Actor) ([]preferenceRow, error) {
	if len(people) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(people))
	for i, p := range people {
		ids[i] = p.AccountID
	}
	var rows []preferenceRow
	err := s.o.DB.All(ctx, &rows, "SELECT account_id, event, channel, chosen FROM notice_preference WHERE space_id=? AND event=? AND account_id IN (?)", spaceID, event, ids)
	return rows, err
}

// show puts the notice on top of a reader's list, unread.
func (s *Service) show(ctx context.Context, n noticeRow, accountID int64, fresh bool) error {
	seq := s.o.DB.NewID()
	if !fresh {
		moved, err := s.o.DB.Exec(ctx, "UPDATE notice_recipient SET seq=?, read_at=0 WHERE notice_id=? AND account_id=?", seq, n.ID, accountID)
		if err != nil || moved > 0 {
			return err
		}
	}
	_, err := s.o.DB.InsertIgnore(ctx, "notice_recipient", map[string]any{
		"id": s.o.DB.NewID(), "notice_id": n.ID, "account_id": accountID, "space_id": n.SpaceID, "seq": seq, "read_at": 0,
	})
	return err
}

// queue readies one delivery; that of a digest moves to the time when the digest now closes.
func (s *Service) queue(ctx context.Context, n noticeRow, channel string, target, due int64) error {
	now := clock.Millis(s.o.Clock.Now())
	added, err := s.o.DB.InsertIgnore(ctx, "notice_delivery", map[string]any{
		"id": s.o.DB.NewID(), "notice_id": n.ID, "channel": channel, "target": target, "event": n.Event, "state": stateWaiting, "attempts": 0, "due_at": due,
		"lease_until": 0, "owner": "", "request": "", "status": 0, "response": "", "last_error": "", "created_at": now, "updated_at": now,
	})
	if err != nil || added {
		return err
	}
	_, err = s.o.DB.Exec(ctx, "UPDATE notice_delivery SET due_at=? WHERE notice_id=? AND channel=? AND target=? AND state=? AND attempts=0", due, n.ID, channel, target, stateWaiting)
	return err
}

// told is the notice as it goes out: of a batch the title with its counts.
func (n noticeRow) told() (title, text string) {
	if n.Batch == "" {
		return n.Title, n.Body
	}
	var parts []string
	if n.OK > 0 || n.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d 成功", n.OK), fmt.Sprintf("%d 失败", n.Failed))
	}
	if n.Other > 0 {
		parts = append(parts, fmt.Sprintf("%d 条", n.Other))
	}
	return n.Title + "：" + strings.Join(parts, " "), ""
}
