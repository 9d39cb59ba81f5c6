package account

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// closedName is what stands where a closed account's name was.
const closedName = "已注销用户"

// closedSpace is what stands where the name of a space stood that ended with its only member.
const closedSpace = "已注销的空间"

// Leaver is a person whose account is closed, as other rooms have to know to take out what is theirs.
type Leaver struct {
	AccountID   int64
	Login, Name string
	Words       string // what stands where the name was
	Memberships []Membership
	Ended       []int64 // the spaces that end with the account
}

// Blocker is a reason why an account cannot be closed yet, and what to do about it.
type Blocker struct {
	SpaceID int64  `json:"space_id,string"`
	Space   string `json:"space"`
	Kind    Kind   `json:"kind"`
	Why     string `json:"why"`
	Todo    string `json:"todo"`
}

// Kept is something that stays after an account was closed, and why.
type Kept struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// LeavingPlan says what closing the account would do.
type LeavingPlan struct {
	Blockers []Blocker    `json:"blockers"`
	Spaces   []Membership `json:"spaces"` // that end with the account
	Kept     []Kept       `json:"kept"`
}

// Leaving tells what closing the person's account would do, without doing it.
func (s *Spaces) Leaving(ctx context.Context, who Actor) (LeavingPlan, error) {
	if who.Nobody() || who.Scopes != nil {
		return LeavingPlan{}, errLoginOnly
	}
	p := LeavingPlan{Blockers: []Blocker{}, Spaces: []Membership{}, Kept: []Kept{
		{"操作日志", "防篡改的审计链不能改动，只保留账号编号、IP 和操作本身，用于追溯安全事件；你的称呼显示为“已注销用户”"},
		{"小程序授权和操作权记录", "证明谁在什么时候授权了谁，供小程序所有者和微信核对，只有编号，不含你的登录名和称呼"},
		{"安装、提审和发布记录里的称呼", "属于小程序所有者和商户，说明每次上传、提审、发布由谁操作，不含你的登录名"},
		{"你在他人空间里留下的内容", "属于那些空间，由它们的成员继续管理，例如 Webhook 和自定义角色"},
		{"别人已经导出的文件", "可能有你的账号和称呼，24 小时后自动删除；已经下载的由下载的人负责"},
	}}
	list, err := s.o.Accounts.Memberships(ctx, who.AccountID)
	if err != nil {
		return p, err
	}
	for _, m := range list {
		if m.Role != RoleOwner {
			continue
		}
		owners, err := s.db.Int(ctx, "SELECT COUNT(*) FROM member WHERE space_id=? AND role=?", m.SpaceID, RoleOwner)
		if err != nil {
			return p, fmt.Errorf("account: leaving: %w", err)
		}
		if owners > 1 {
			continue
		}
		p.Spaces = append(p.Spaces, m)
		found, err := s.blockers(ctx, m)
		if err != nil {
			return p, err
		}
		p.Blockers = append(p.Blockers, found...)
	}
	return p, nil
}

// blockers are what holds a person to a space that they alone own.
func (s *Spaces) blockers(ctx context.Context, m Membership) ([]Blocker, error) {
	var out []Blocker
	add := func(why, todo string) {
		out = append(out, Blocker{SpaceID: m.SpaceID, Space: m.Space, Kind: m.Kind, Why: why, Todo: todo})
	}
	if m.Kind == Platform {
		add("你是平台唯一的所有者", "请先把平台空间转让给另一位管理员")
	}
	others, err := s.db.Int(ctx, "SELECT COUNT(*) FROM member WHERE space_id=? AND id<>?", m.SpaceID, m.MemberID)
	if err != nil {
		return nil, fmt.Errorf("account: leaving: %w", err)
	}
	if others > 0 {
		add("空间里还有 "+strconv.FormatInt(others, 10)+" 位成员，而你是唯一的所有者", "请把空间转让给其中一位，或先移除他们")
	}
	if s.o.Belongings == nil {
		return out, nil
	}
	authorized, components, err := s.o.Belongings.Holds(ctx, m.SpaceID)
	if err != nil {
		return nil, err
	}
	if authorized > 0 {
		add("空间里还有 "+strconv.FormatInt(authorized, 10)+" 个已授权的小程序", "请在微信公众平台取消授权，或把空间转让给别人")
	}
	if components > 0 {
		add("空间里还绑定着 "+strconv.FormatInt(components, 10)+" 个第三方平台", "请把空间转让给别人继续运营")
	}
	return out, nil
}

// CloseAccount ends the person's account: password and login are asked for again. What identifies the person is wiped, all
// sessions and tokens end, and the login is free for a new registration.
func (s *Spaces) CloseAccount(ctx context.Context, who Actor, password, login string) error {
	if who.Nobody() || who.Scopes != nil {
		return errLoginOnly
	}
	if NormalLogin(login) != who.Login {
		return fault.InvalidInput().On("login", "请完整填写你的登录名 "+who.Login)
	}
	if err := s.confirm(ctx, who, password); err != nil {
		return err
	}
	list, err := s.o.Accounts.Memberships(ctx, who.AccountID)
	if err != nil {
		return err
	}
	var blobs []int64
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		blobs = nil
		if err := s.lockAccount(ctx, who.AccountID); err != nil {
			return err
		}
		for _, m := range list {
			if err := s.lockSpace(ctx, m.SpaceID); err != nil {
				return err
			}
		}
		plan, err := s.Leaving(ctx, who)
		if err != nil {
			return err
		}
		for _, m := range plan.Spaces {
			if !slices.ContainsFunc(list, func(l Membership) bool { return l.SpaceID == m.SpaceID }) {
				return fault.New(fault.Conflict, "spaces_changed", "你的空间刚有变化，请刷新页面后重试")
			}
		}
		if len(plan.Blockers) > 0 {
			b := plan.Blockers[0]
			return fault.New(fault.Conflict, "account_held", "空间“"+b.Space+"”："+b.Why+"。"+b.Todo)
		}
		leaver := Leaver{AccountID: who.AccountID, Login: who.Login, Name: who.Name, Words: closedName, Memberships: list}
		for _, m := range plan.Spaces {
			freed, err := s.closeSpace(ctx, m.SpaceID)
			if err != nil {
				return err
			}
			blobs = append(blobs, freed...)
			leaver.Ended = append(leaver.Ended, m.SpaceID)
		}
		freed, err := s.wipe(ctx, who, leaver)
		blobs = append(blobs, freed...)
		return err
	})
	if err != nil {
		return wrapped("close account", err)
	}
	for _, id := range blobs {
		if err := s.db.DeleteBlob(ctx, id); err != nil {
			return fmt.Errorf("account: close account: file %d: %w", id, err)
		}
	}
	return nil
}

// closeSpace empties a space that ends with its only member, and gives the blobs that are to be deleted.
func (s *Spaces) closeSpace(ctx context.Context, id int64) ([]int64, error) {
	var rows []struct{ LicenseBlob, LetterBlob int64 }
	err := s.db.All(ctx, &rows, "SELECT license_blob, letter_blob FROM merchant_application WHERE space_id=? UNION SELECT license_blob, letter_blob FROM merchant_round WHERE space_id=?", id, id)
	if err != nil {
		return nil, err
	}
	var blobs []int64
	for _, r := range rows {
		for _, b := range []int64{r.LicenseBlob, r.LetterBlob} {
			if b != 0 {
				blobs = append(blobs, b)
			}
		}
	}
	for _, query := range []string{
		"DELETE FROM merchant_round WHERE space_id=?", "DELETE FROM merchant_application WHERE space_id=?", "DELETE FROM invitation WHERE space_id=?",
		"DELETE FROM space_role WHERE space_id=?", "UPDATE space SET name='" + closedSpace + "' WHERE id=?",
	} {
		if _, err := s.db.Exec(ctx, query, id); err != nil {
			return nil, err
		}
	}
	return blobs, s.trail.Forget(ctx, id, closedSpace)
}

// wipe removes what identifies the person. The account's row stays with a pseudonym, since other rows name its id.
func (s *Spaces) wipe(ctx context.Context, who Actor, leaver Leaver) (blobs []int64, err error) {
	now := clock.Millis(s.clk.Now())
	pseudonym := "closed-" + strconv.FormatInt(who.AccountID, 36)
	for _, step := range []struct {
		query string
		args  []any
	}{
		{"UPDATE invitation SET state=?, ended_at=? WHERE invited_by=? AND state=?", []any{InvitationCancelled, now, who.AccountID, InvitationOpen}},
		{"DELETE FROM invitation WHERE login=? OR accepted_by=?", []any{who.Login, who.AccountID}},
		{"UPDATE merchant_round SET decider=? WHERE decided_by=?", []any{closedName, who.AccountID}},
		{"DELETE FROM login_code WHERE login=? OR account_id=?", []any{who.Login, who.AccountID}},
		{"UPDATE account SET login=?, name=?, password_hash='' WHERE id=?", []any{pseudonym, closedName, who.AccountID}},
	} {
		if _, err := s.db.Exec(ctx, step.query, step.args...); err != nil {
			return nil, err
		}
	}
	for _, table := range []string{"member", "login_session", "login_pending", "second_factor", "recovery_code", "api_token"} {
		if _, err := s.db.Exec(ctx, "DELETE FROM "+table+" WHERE account_id=?", who.AccountID); err != nil {
			return nil, err
		}
	}
	for _, m := range leaver.Memberships {
		if s.o.Parted == nil {
			break
		}
		if err := s.o.Parted(ctx, m.MemberID); err != nil {
			return nil, err
		}
	}
	if s.o.Erase != nil {
		if blobs, err = s.o.Erase(ctx, leaver); err != nil {
			return nil, err
		}
	}
	if err := s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "account.close"}); err != nil {
		return nil, err
	}
	return blobs, s.trail.Forget(ctx, who.AccountID, closedName)
}

// ExportData writes what is kept about the person as a zip of JSON files: the account, the memberships, what the spaces
// that they own hold, and what they did.
func (s *Spaces) ExportData(ctx context.Context, who Actor, w io.Writer) error {
	if who.Nobody() || who.Scopes != nil {
		return errLoginOnly
	}
	z := zip.NewWriter(w)
	put := func(name string, v any) error {
		f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.UnixMilli(clock.Millis(s.clk.Now()))})
		if err != nil {
			return err
		}
		enc := json.NewEncoder(f)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	var me struct {
		ID        int64  `json:"id,string"`
		Login     string `json:"login"`
		Name      string `json:"name"`
		CreatedAt int64  `json:"created_at"`
	}
	if _, err := s.db.One(ctx, &me, "SELECT id, login, name, created_at FROM account WHERE id=?", who.AccountID); err != nil {
		return fmt.Errorf("account: export: %w", err)
	}
	list, err := s.o.Accounts.Memberships(ctx, who.AccountID)
	if err != nil {
		return err
	}
	if err := put("account.json", me); err != nil {
		return err
	}
	if err := put("memberships.json", list); err != nil {
		return err
	}
	for _, m := range list {
		if m.Role != RoleOwner || s.o.Belongings == nil {
			continue
		}
		owned, err := s.o.Belongings.Export(ctx, m.SpaceID)
		if err != nil {
			return err
		}
		if err := put("space-"+strconv.FormatInt(m.SpaceID, 10)+".json", owned); err != nil {
			return err
		}
	}
	if err := s.exportTrail(ctx, z, who); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("account: export: %w", err)
	}
	return s.record(ctx, who, "account.export", "", "")
}

// exportTrail writes one JSON line for each act, without holding them all.
func (s *Spaces) exportTrail(ctx context.Context, z *zip.Writer, who Actor) error {
	f, err := z.CreateHeader(&zip.FileHeader{Name: "trail.jsonl", Method: zip.Deflate, Modified: time.UnixMilli(clock.Millis(s.clk.Now()))})
	if err != nil {
		return fmt.Errorf("account: export: %w", err)
	}
	enc := json.NewEncoder(f)
	enc.SetEscapeHTML(false)
	return s.trail.Scan(ctx, trail.Filter{AccountID: who.AccountID}, func(e trail.Entry) error { return enc.Encode(e) })
}
