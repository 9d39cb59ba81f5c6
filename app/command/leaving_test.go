package command

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/config"
	"minifleet/app/notice"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// The person who leaves: nothing of this may be found in any table afterwards.
const (
	leaverMail  = "zhuxiao.leaver@example.test"
	leaverPhone = "13911112222"
	leaverName  = "诸葛甲乙丙"
)

// house is a platform in this process whose parts stand still: what they would do in the background is called by hand.
type house struct {
	*platform
	t *testing.T
}

func newHouse(t *testing.T) house {
	t.Helper()
	cfg, err := config.Load("", []string{
		config.Prefix + "DATA_DIR=" + t.TempDir(), config.Prefix + "WECHAT_BASEURL=http://127.0.0.1:1", config.Prefix + "WECHAT_CLOCKURL=http://127.0.0.1:1/control/clock",
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := build(t.Context(), cfg, slog.New(slog.NewTextHandler(io.Discard, nil)), "", &demoMode{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.admin.Close(); err != nil {
			t.Error(err)
		}
		if err := p.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return house{p, t}
}

func (h house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h house) seed(login, name string, kind account.Kind) account.Actor {
	h.t.Helper()
	r := account.Registration{Login: login, Password: leaverPassword, Name: name, Kind: kind, SpaceName: name}
	if kind == account.Merchant {
		r.SpaceName = "某某科技"
	}
	who, err := h.accounts.Seed(h.t.Context(), r)
	h.must(err)
	return h.in(who, who.SpaceID)
}

const leaverPassword = "correct horse battery"

// in is the person at work in one of their spaces, logged in.
func (h house) in(who account.Actor, space int64) account.Actor {
	h.t.Helper()
	s, err := h.accounts.Login(h.t.Context(), account.Credentials{Login: who.Login, Password: leaverPassword, IP: "10.1.2.3", UserAgent: "test"})
	h.must(err)
	now, err := h.accounts.Switch(h.t.Context(), s.Token, space)
	h.must(err)
	return now
}

// join lets somebody accept an invitation into the boss's space.
func (h house) join(boss, who account.Actor, role string) account.Actor {
	h.t.Helper()
	in, err := h.spaces.Invite(h.t.Context(), boss, account.InvitationForm{Login: who.Login, Role: account.RoleChoice{Key: role}})
	h.must(err)
	m, err := h.spaces.Accept(h.t.Context(), who, in.Link[strings.LastIndex(in.Link, "/")+1:])
	h.must(err)
	return h.in(who, m.SpaceID)
}

// found lists table.column of every text in the database that holds one of the words.
func (h house) found(words ...string) []string {
	h.t.Helper()
	var out []string
	for _, table := range h.tables() {
		rows, err := h.db.Maps(h.t.Context(), "SELECT * FROM "+table)
		h.must(err)
		for _, row := range rows {
			for column, value := range row {
				text := fmt.Sprint(value)
				if raw, ok := value.([]byte); ok {
					text = string(raw)
				}
				if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) }) && !slices.Contains(out, table+"."+column) {
					out = append(out, table+"."+column)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func (h house) tables() []string {
	h.t.Helper()
	rows, err := h.db.Maps(h.t.Context(), "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	h.must(err)
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = fmt.Sprint(r["name"])
	}
	return out
}

// ofAccount lists the tables that have rows of an account or of one of its memberships.
func (h house) ofAccount(id int64, members []int64) []string {
	h.t.Helper()
	var out []string
	for _, table := range h.tables() {
		columns, err := h.db.Maps(h.t.Context(), "SELECT name FROM pragma_table_info('"+table+"')")
		h.must(err)
		for _, c := range columns {
			ids := map[string][]int64{"account_id": {id}, "member_id": members}[fmt.Sprint(c["name"])]
			if ids == nil {
				continue
			}
			n, err := h.db.Int(h.t.Context(), fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE %s IN (?)", table, c["name"]), ids)
			h.must(err)
			if n > 0 && !slices.Contains(out, table) {
				out = append(out, table)
			}
		}
	}
	return out
}

// TestAClosedAccountIsInNoTable fills every room for a person, closes the account and looks for address, phone and name in
// every column of every table. What is allowed to stay is what the page about leaving names: here nothing does, since
// plugins, whose records keep a name, do not run.
func TestAClosedAccountIsInNoTable(t *testing.T) {
	h, ctx := newHouse(t), t.Context()
	boss := h.seed("boss@example.test", "王老板", account.Merchant)
	leaver := h.seed(leaverPhone, leaverName, account.Personal)
	leaver = h.fillPeople(boss, leaver)
	members := h.fillRest(boss, leaver)

	ids := h.ofAccount(leaver.AccountID, members)
	for _, table := range []string{
		"admin_list_view", "admin_session", "admin_shadow", "api_token", "auth_ticket", "checklist", "idempotency", "login_code", "login_pending", "login_session", "member", "notice_preference",
		"notice_recipient", "plugin_delegation", "plugin_drop", "recovery_code", "second_factor", "trail", "transfer_export", "transfer_import",
	} {
		if !slices.Contains(ids, table) {
			t.Errorf("%s has no row of the account: the test does not fill it", table)
		}
	}
	for _, table := range h.tables() { // a new table about persons has to be filled here
		n, err := h.db.Int(ctx, "SELECT COUNT(*) FROM pragma_table_info('"+table+"') WHERE name IN ('account_id','member_id')")
		h.must(err)
		if n > 0 && !slices.Contains(ids, table) && table != "setup_claim" {
			t.Errorf("%s is about accounts: fill it in this test, and see that closing an account empties it", table)
		}
	}
	before := h.found(leaverMail, leaverPhone, leaverName)
	for _, column := range []string{
		"account.login", "account.name", "admin_list_view.content", "blob_chunk.data", "goadmin_users.name", "idempotency.answer", "invitation.login", "job_run.asked_by", "mail_outbox.body", "mail_outbox.recipient",
		"merchant_round.decider", "notice.body", "notice.title", "notice_delivery.request", "space.name", "trail_name.name", "transfer_export.query",
	} {
		if !slices.Contains(before, column) {
			t.Errorf("%s does not hold the person: the test does not fill it (%v)", column, before)
		}
	}
	if slices.ContainsFunc(before, func(c string) bool { return strings.HasPrefix(c, "trail.") }) {
		t.Errorf("sealed entries name the person: %v", before)
	}

	h.must(h.spaces.CloseAccount(ctx, leaver, leaverPassword, leaver.Login))

	if left := h.found(leaverMail, leaverPhone, leaverName); len(left) > 0 {
		t.Errorf("the person is still in %v", left)
	}
	kept := []string{"auth_ticket", "trail"} // by number alone: 操作日志, 小程序授权和操作权记录
	if left := h.ofAccount(leaver.AccountID, members); !slices.Equal(left, kept) {
		t.Errorf("rows of the account are left in %v, want %v", left, kept)
	}
	h.readsWithoutTheName(leaver.AccountID)
	// In the same house: GoAdmin's globals allow one in a process.
	t.Run("a namesake keeps their name", func(t *testing.T) { house{h.platform, t}.namesakeKeepsTheirName(boss) })
}

// namesakeKeepsTheirName closes the account of a person whose name is a word of the interface and another person's name.
func (h house) namesakeKeepsTheirName(boss account.Actor) {
	h.t.Helper()
	const name = "active"
	t, ctx := h.t, h.t.Context()
	leaver := h.seed("leaver@example.test", name, account.Personal)
	namesake := h.seed("namesake@example.test", name, account.Personal)
	h.must(h.db.Insert(ctx, "member", map[string]any{"id": h.db.NewID(), "account_id": leaver.AccountID, "space_id": h.operatorSpace(), "role": account.RoleReadOnly, "role_id": 0, "limited": 0, "appids": "", "created_at": 1}))
	answers := map[string]string{
		"others":  `{"state":"active","name":"active"}`,
		"theirs":  fmt.Sprintf(`{"account_id":"%d","name":"active","login":"namesake@example.test","state":"active"}`, namesake.AccountID),
		"leavers": fmt.Sprintf(`{"account_id":"%d","name":"active","login":"leaver@example.test","state":"active"}`, leaver.AccountID),
	}
	for key, answer := range answers {
		h.must(h.db.Insert(ctx, "idempotency", map[string]any{"key_hash": key, "request_hash": key, "status": 200, "answer": []byte(answer), "account_id": boss.AccountID, "created_at": time.Now().UnixMilli()}))
	}
	for i, who := range []account.Actor{leaver, namesake} {
		h.must(h.db.Insert(ctx, "job_run", map[string]any{
			"id": who.AccountID, "job": "trail.prune", "tick": 10 + i, "state": "done", "note": "", "asked_by": name, "asked_by_id": who.AccountID, "owner": "", "attempt": 1, "lease_until": 0, "started_at": 1, "ended_at": 1,
		}))
	}
	box := h.outbox()
	for _, m := range []notice.Mail{
		{To: leaver.Login, Subject: "你好", Text: "给离开的人"}, {To: boss.Login, Subject: "active 已接受邀请", Text: "王老板，你好：\n\nactive 已接受邀请\n"},
		{To: boss.Login, Subject: "批量任务 active 结束", Text: "任务 active 结束"}, {To: namesake.Login, Subject: "你好 active", Text: "active，你好"},
		{To: boss.Login, Subject: "active 邀请你加入“active”", Text: "一封邀请"}, {To: boss.Login, Subject: "active 邀请你加入“别的空间”", Text: "同名的人"},
	} {
		h.must(box.SendMail(ctx, m))
	}

	h.must(h.spaces.CloseAccount(ctx, leaver, leaverPassword, leaver.Login))

	const gone = "已注销用户"
	for key, want := range map[string]string{
		"others": answers["others"], "theirs": answers["theirs"], "leavers": fmt.Sprintf(`{"account_id":"%d","login":"%s","name":"%s","state":"active"}`, leaver.AccountID, gone, gone),
	} {
		var row struct{ Answer []byte }
		if _, err := h.db.One(ctx, &row, "SELECT answer FROM idempotency WHERE key_hash=?", key); err != nil || strings.TrimSpace(string(row.Answer)) != want {
			t.Errorf("%s: %s %v, want %s", key, row.Answer, err, want)
		}
	}
	for who, want := range map[int64]string{leaver.AccountID: gone, namesake.AccountID: name} {
		var row struct{ AskedBy string }
		if _, err := h.db.One(ctx, &row, "SELECT asked_by FROM job_run WHERE id=?", who); err != nil || row.AskedBy != want {
			t.Errorf("a job was asked for by %q, want %q (%v)", row.AskedBy, want, err)
		}
	}
	mails, err := box.Mails(ctx, 4)
	h.must(err)
	var left []string
	for _, m := range mails {
		left = append(left, m.Subject)
	}
	if want := []string{"active 邀请你加入“别的空间”", "你好 active", "批量任务 active 结束", gone + " 已接受邀请"}; !slices.Equal(left, want) || !strings.HasSuffix(mails[3].Body, "\n"+gone+" 已接受邀请\n") {
		t.Errorf("%q, want %q; %q", left, want, mails[3].Body)
	}
}

// operatorSpace gives the platform's own space.
func (h house) operatorSpace() int64 {
	h.t.Helper()
	id, err := h.db.Int(h.t.Context(), "SELECT id FROM space WHERE kind=?", account.Platform)
	h.must(err)
	return id
}

// readsWithoutTheName looks at the log as people see it, and at its chain.
func (h house) readsWithoutTheName(accountID int64) {
	h.t.Helper()
	entries, _, err := h.trail.List(h.t.Context(), trail.Filter{AccountID: accountID, Limit: 100})
	h.must(err)
	if len(entries) < 5 {
		h.t.Fatalf("only %d entries", len(entries))
	}
	for _, e := range entries {
		if e.Actor != "已注销用户" && e.Actor != "平台审核" {
			h.t.Errorf("%s by %q", e.Act, e.Actor)
		}
	}
	if found, err := h.trail.Count(h.t.Context(), trail.Filter{Actor: leaverName}); err != nil || found != 0 {
		h.t.Errorf("%d entries are found by the name, %v", found, err)
	}
	if _, err := h.chain.Seal(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if r, err := h.chain.Verify(h.t.Context(), trail.VerifyOptions{}); err != nil || !r.OK {
		h.t.Errorf("the chain: %+v %v", r.Bad, err)
	}
}

// fillPeople does what a person does by the rooms' own methods: two logins, memberships, roles, notices, tokens.
func (h house) fillPeople(boss, leaver account.Actor) account.Actor {
	h.t.Helper()
	ctx := h.t.Context()
	_, err := h.accounts.SendLoginCode(ctx, leaver, leaverMail, "10.1.2.3", account.CaptchaAnswer{})
	h.must(err)
	letter, _ := h.accounts.Shown(leaverMail)
	_, err = h.accounts.ChangeLogin(ctx, leaver, leaverMail, letter.Code)
	h.must(err)
	leaver.Login = leaverMail
	leaver = h.in(leaver, leaver.SpaceID)

	staff := h.join(boss, leaver, account.RoleAdmin)
	_, err = h.spaces.ChangeMember(ctx, h.in(boss, boss.SpaceID), staff.MemberID, account.RoleChoice{Key: account.RoleOperation}, account.Limit{})
	h.must(err)
	_, _, err = h.tokens.Create(ctx, leaver, account.TokenRequest{Name: "部署", Scopes: []string{"miniprogram.read"}, Days: 30})
	h.must(err)
	h.must(h.notices.SetPreferences(ctx, leaver, []notice.Preference{{Event: notice.Authorized, Channel: notice.ChannelMail, On: true}}))
	_, _, err = h.notices.CreateWebhook(ctx, boss, notice.WebhookForm{Name: "钩子", URL: "https://hooks.example.test/x", Enabled: true})
	h.must(err)

	// As an operator: decides on an application and runs a job.
	_, err = h.operators.Add(ctx, account.Registration{Login: "op@example.test", Name: "运维", Password: leaverPassword})
	h.must(err)
	_, err = h.operators.Add(ctx, account.Registration{Login: leaverMail})
	h.must(err)
	list, err := h.accounts.Memberships(ctx, leaver.AccountID)
	h.must(err)
	i := slices.IndexFunc(list, func(m account.Membership) bool { return m.Kind == account.Platform })
	op := h.in(leaver, list[i].SpaceID)
	h.must((&seeder{platform: h.platform}).approveMerchant(ctx, boss, op))
	h.must(h.db.Insert(ctx, "job_run", map[string]any{
		"id": h.db.NewID(), "job": "trail.prune", "tick": 1, "state": "done", "note": "", "asked_by": leaverName, "asked_by_id": leaver.AccountID, "owner": "", "attempt": 1, "lease_until": 0, "started_at": 1, "ended_at": 1,
	}))

	// What others hear of the person, and the person of others.
	other := h.seed("other@example.test", "路人", account.Personal)
	own := h.in(leaver, leaver.SpaceID)
	guest := h.join(own, other, account.RoleReadOnly)
	h.must(h.spaces.RemoveMember(ctx, own, guest.MemberID)) // 操作人：…
	h.must(h.notices.Send(ctx, notice.Message{Event: notice.NewDevice, SpaceID: own.SpaceID, AccountIDs: []int64{own.AccountID}, Title: "新设备登录", Text: "IP 10.1.2.3"}))
	for range 3 {
		_, err := h.notices.Dispatch(ctx)
		h.must(err)
	}
	_, err = h.notices.DeliverDue(ctx)
	h.must(err)
	return own
}

// fillRest writes the rows of rooms that need a browser, a plugin or a long list, and gives the person's memberships.
func (h house) fillRest(boss, leaver account.Actor) []int64 {
	h.t.Helper()
	ctx, db, now := h.t.Context(), h.db, time.Now().UnixMilli()
	list, err := h.accounts.Memberships(ctx, leaver.AccountID)
	h.must(err)
	var members []int64
	for _, m := range list {
		members = append(members, m.MemberID)
	}
	add := func(table string, row map[string]any) {
		h.t.Helper()
		h.must(db.Insert(ctx, table, row))
	}
	id := db.NewID
	_, err = h.accounts.BeginSecondFactor(ctx, h.in(leaver, leaver.SpaceID))
	h.must(err)
	add("recovery_code", map[string]any{"id": id(), "account_id": leaver.AccountID, "code_hash": "x", "used_at": 0})
	add("login_pending", map[string]any{"id": id(), "token_hash": "x", "account_id": leaver.AccountID, "expires_at": now})
	add("login_code", map[string]any{"id": id(), "purpose": "login", "login": leaverPhone, "account_id": leaver.AccountID, "code_hash": "-", "tries": 0, "used_at": 0, "created_at": now, "expires_at": now})
	add("checklist", map[string]any{"id": id(), "member_id": members[0], "list": "user", "state": "open", "updated_at": now})
	add("admin_list_view", map[string]any{"id": id(), "member_id": members[0], "list_name": "trail", "kind": "filter", "title": "我的", "content": "actor=" + leaverName, "is_default": 0, "created_at": now, "updated_at": now})
	add("goadmin_users", map[string]any{"username": "member-x", "password": "!", "name": leaverName})
	user, err := db.Int(ctx, "SELECT id FROM goadmin_users WHERE username='member-x'")
	h.must(err)
	add("admin_shadow", map[string]any{"member_id": members[0], "goadmin_user_id": user, "created_at": now})
	add("goadmin_operation_log", map[string]any{"user_id": user, "path": "/admin", "method": "POST", "ip": "10.1.2.3", "input": leaverMail})
	add("goadmin_session", map[string]any{"sid": "sid-x", "values": "{}"})
	add("admin_session", map[string]any{"session_id": 1, "member_id": members[0], "sid": "sid-x", "created_at": now})
	add("plugin_drop", map[string]any{"id": id(), "plugin": "market", "item": "old", "rows_lost": 1, "account_id": leaver.AccountID, "created_at": now, "done_at": now})
	add("plugin_delegation", map[string]any{"id": id(), "plugin": "market", "account_id": leaver.AccountID, "space_id": leaver.SpaceID, "appid": "", "scopes": "[]", "purpose": "安装", "until_at": now, "ended_at": 0, "created_at": now})
	add("auth_ticket", map[string]any{"id": "t1", "component": "wx1", "account_id": leaver.AccountID, "asker_space_id": leaver.SpaceID, "owner_space_id": leaver.SpaceID, "biz_appid": "", "return_to": "/my", "state": "waiting", "appid": "", "failure": "", "opened_at": 0, "expires_at": now, "created_at": now})
	add("idempotency", map[string]any{"key_hash": "a", "request_hash": "a", "status": 200, "answer": []byte(`{"login":"` + leaverMail + `"}`), "account_id": leaver.AccountID, "created_at": now})
	others := `{"items":[{"account_id":"` + strconv.FormatInt(leaver.AccountID, 10) + `","name":"` + leaverName + `","login":"` + leaverPhone + `"}],"n":9007199254740993}` // under the login of before
	add("idempotency", map[string]any{"key_hash": "c", "request_hash": "c", "status": 200, "answer": []byte(others), "account_id": boss.AccountID, "created_at": now})
	add("idempotency", map[string]any{"key_hash": "b", "request_hash": "b", "status": 200, "answer": []byte(`{"name":"` + leaverName + `","login":"` + leaverMail + `"}`), "account_id": boss.AccountID, "created_at": now})
	file, err := db.PutBlob(ctx, store.BlobInfo{SpaceID: leaver.SpaceID, Kind: "export", Name: "成员.csv", ContentType: "text/csv"}, strings.NewReader(leaverName+","+leaverMail), 1<<20)
	h.must(err)
	add("transfer_export", map[string]any{
		"id": id(), "space_id": boss.SpaceID, "account_id": leaver.AccountID, "source": "members", "title": "成员", "format": "csv", "query": "q=" + leaverName, "state": "done", "done_rows": 1, "total_rows": 1,
		"file_name": "成员.csv", "file_size": file.Size, "blob_id": file.ID, "error": "", "attempt": 1, "owner": "", "lease_until": 0, "created_at": now, "ended_at": now, "expires_at": now,
	})
	imported := id()
	add("transfer_import", map[string]any{
		"id": imported, "space_id": boss.SpaceID, "account_id": leaver.AccountID, "target": "x", "title": "x", "file_name": leaverName + ".csv", "encoding": "utf-8", "header": "[]", "mapping": "{}", "phase": "check", "state": "done",
		"total_rows": 1, "done_rows": 1, "create_rows": 1, "update_rows": 0, "refused_rows": 0, "error": "", "attempt": 1, "owner": "", "lease_until": 0, "created_at": now, "ended_at": now, "expires_at": now,
	})
	add("transfer_import_row", map[string]any{"import_id": imported, "no": 1, "cells": leaverMail, "verdict": "create", "row_id": 0, "problem": "", "note": ""})
	return members
}
