package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/store/storetest"
	"minifleet/app/trail"
	"minifleet/app/transfer"
)

// postbox writes to e-mail addresses but not to those of a broken host.
type postbox struct {
	mu   sync.Mutex
	sent []string
}

func (p *postbox) Tell(context.Context, account.Message) error { return nil }

func (p *postbox) Invite(_ context.Context, login, _, _, link string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case strings.HasSuffix(login, "@broken.test"):
		return false, errors.New("connection refused")
	case !strings.Contains(login, "@") || !strings.Contains(link, "/invite/"):
		return false, nil
	}
	p.sent = append(p.sent, login)
	return true, nil
}

// office is a space with its people, and the room that carries files in.
type office struct {
	t         *testing.T
	db        *store.DB
	people    *account.Service
	spaces    *account.Spaces
	post      *postbox
	transfers *transfer.Service
	owner     account.Actor
}

func newOffice(t *testing.T, db *store.DB) *office {
	t.Helper()
	vault, err := secret.Ephemeral()
	if err != nil {
		t.Fatal(err)
	}
	clk := clock.Fixed(time.UnixMilli(1_760_000_000_000))
	acts := trail.New(db, clk)
	o := &office{t: t, db: db, people: account.New(db, clk, acts), post: &postbox{}}
	o.spaces = account.NewSpaces(account.SpacesOptions{DB: db, Clock: clk, Trail: acts, Vault: vault, Accounts: o.people, PublicURL: "https://fleet.example", Messenger: o.post})
	o.transfers, err = transfer.New(transfer.Options{DB: db, Clock: clk, Trail: acts, Actors: o.people, Log: slog.New(slog.DiscardHandler), TempDir: t.TempDir(), Poll: 5 * time.Millisecond,
		Targets: map[string]transfer.Target{listInvitations: invitationTarget{o.spaces, slog.New(slog.DiscardHandler)}}})
	if err != nil {
		t.Fatal(err)
	}
	o.owner = o.person("owner@example.test", account.Merchant)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.transfers.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return o
}

func (o *office) person(login string, kind account.Kind) account.Actor {
	o.t.Helper()
	name, _, _ := strings.Cut(login, "@")
	who, err := o.people.Seed(o.t.Context(), account.Registration{Login: login, Password: "correct horse battery", Name: name, Kind: kind, SpaceName: name + "的空间"})
	if err != nil {
		o.t.Fatal(err)
	}
	return who
}

// until waits for the end of a phase in the background.
func (o *office) until(id int64, phase string) transfer.Import {
	o.t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		imp, err := o.transfers.Import(o.t.Context(), o.owner, id)
		if err != nil {
			o.t.Fatal(err)
		}
		if imp.Phase == phase && !imp.Busy() {
			return imp
		}
	}
	o.t.Fatalf("import %d never came through %s", id, phase)
	return transfer.Import{}
}

func (o *office) checked(csv string) transfer.Import {
	o.t.Helper()
	imp, err := o.transfers.Upload(o.t.Context(), o.owner, listInvitations, "people.csv", strings.NewReader(csv))
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.transfers.Check(o.t.Context(), o.owner, imp.ID, imp.Mapping); err != nil {
		o.t.Fatal(err)
	}
	return o.until(imp.ID, transfer.PhaseCheck)
}

// told is what an import says of each row.
func (o *office) told(imp transfer.Import) []string {
	o.t.Helper()
	form, err := o.transfers.Form(o.t.Context(), o.owner, listInvitations)
	if err != nil {
		o.t.Fatal(err)
	}
	rows, err := o.transfers.Rows(o.t.Context(), o.owner, imp.ID, "", 0, 500)
	if err != nil {
		o.t.Fatal(err)
	}
	var out []string
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%d %s %s%s", r.No, r.Verdict, r.Reason(form), r.Note))
	}
	return out
}

func (o *office) count(query string, args ...any) int64 {
	o.t.Helper()
	n, err := o.db.Int(o.t.Context(), query, args...)
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

func sameLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const peopleFile = "邮箱或手机号*,角色*,可操作的小程序\n" +
	"Anna@Example.test,运营,\n" +
	"13800138000,开发,wx1111111111111111 wx2222222222222222\n" +
	"bad@broken.test,自家角色,全部\n" +
	"anna@example.test ,只读,\n" + // the first line again, written otherwise
	"owner@example.test,运营,\n" +
	"guest@example.test,运营,\n" +
	"nobody,运营,\n" +
	"ben@example.test,所有者,\n" +
	"cleo@example.test,,\n" +
	"dora@example.test,运营,小程序一号\n"

func TestAFileOfPeopleIsInvited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		o := newOffice(t, db)
		if _, err := o.spaces.SaveRole(t.Context(), o.owner, 0, account.RoleForm{Name: "自家角色", Permissions: []string{"trail.read"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := o.spaces.Invite(t.Context(), o.owner, account.InvitationForm{Login: "guest@example.test", Role: account.RoleChoice{Key: account.RoleReadOnly}}); err != nil {
			t.Fatal(err)
		}
		const roles = "没有这个角色，或者你不能给出它。可填：管理员、运营、开发、财务、只读、自家角色"
		imp := o.checked(peopleFile)
		sameLines(t, o.told(imp),
			"2 create 将以「运营」邀请，可操作全部小程序",
			"3 create 将以「开发」邀请，可操作 2 个小程序。手机号收不到邀请链接，导入后请在成员页点“重新发送”取得链接",
			"4 create 将以「自家角色」邀请，可操作全部小程序",
			"5 refused 邮箱或手机号：与第 2 行重复",
			"6 refused 邮箱或手机号：对方已经是这个空间的成员",
			"7 refused 邮箱或手机号：已经邀请过对方，可以在成员页重新发送",
			"8 refused 邮箱或手机号：请填写对方的邮箱或 11 位手机号",
			"9 refused 角色："+roles,
			"10 refused 角色：必填",
			"11 refused 可操作的小程序：AppID 应为 wx 开头的 18 位字符：小程序一号")
		if imp.Creates != 3 || imp.Refused != 7 || len(o.post.sent) != 1 || o.count("SELECT COUNT(*) FROM invitation") != 1 {
			t.Fatalf("the dry run: %+v, letters %v", imp, o.post.sent)
		}
		for range 2 {
			if err := o.transfers.Confirm(t.Context(), o.owner, imp.ID); err != nil {
				t.Fatal(err)
			}
		}
		imp = o.until(imp.ID, transfer.PhaseApply)
		sameLines(t, o.told(imp)[:3],
			"2 created ",
			"3 created 邀请已生成，没有自动发出。请在成员页点“重新发送”取得链接，发给对方",
			"4 created 邀请已生成，但邮件没有发出。请在成员页点“重新发送”，或把链接直接发给对方")
		if imp.State != transfer.Done || imp.Creates != 3 || strings.Join(o.post.sent, " ") != "guest@example.test anna@example.test" {
			t.Fatalf("the import: %+v, letters %v", imp, o.post.sent)
		}
		list, err := o.spaces.Invitations(t.Context(), o.owner)
		if err != nil || len(list) != 4 {
			t.Fatal(list, err)
		}
		var got []string
		for _, i := range list {
			got = append(got, fmt.Sprint(i.Login, " ", i.RoleTitle, " ", i.MiniPrograms))
		}
		sameLines(t, got, "bad@broken.test 自家角色 []", "13800138000 开发 [wx1111111111111111 wx2222222222222222]", "anna@example.test 运营 []", "guest@example.test 只读 []")
		for act, want := range map[string]int64{"invitation.create": 4, "import.upload": 1, "import.confirm": 1, "import.end": 1} {
			if n := o.count("SELECT COUNT(*) FROM trail WHERE space_id=? AND act=?", o.owner.SpaceID, act); n != want {
				t.Errorf("%d entries of %s, want %d", n, act, want)
			}
		}
		// The same file again invites nobody a second time.
		if again := o.checked(peopleFile); again.Creates != 0 || again.Refused != 10 {
			t.Errorf("again: %+v", again)
		}
	})
}

func TestInvitingFromAFileAsksForTheRightAtEachStep(t *testing.T) {
	o := newOffice(t, storetest.Open(t))
	reader := o.owner
	reader.Role, reader.Permissions = account.RoleReadOnly, []string{"space.member.read"}
	for who, want := range map[*account.Actor]fault.Kind{{}: fault.Unauthenticated, &reader: fault.Forbidden} {
		if _, err := o.transfers.Upload(t.Context(), *who, listInvitations, "a.csv", strings.NewReader(peopleFile)); fault.KindOf(err) != want {
			t.Errorf("%s: %v", who.Name, err)
		}
	}
	// The import of one space is nobody else's.
	imp := o.checked("邮箱或手机号,角色\nanna@example.test,运营\n")
	stranger := o.person("stranger@example.test", account.Personal)
	if _, err := o.transfers.Rows(t.Context(), stranger, imp.ID, "", 0, 10); fault.KindOf(err) != fault.NotFound {
		t.Errorf("rows for a stranger: %v", err)
	}
	if err := o.transfers.Confirm(t.Context(), stranger, imp.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("confirmed by a stranger: %v", err)
	}
	if _, err := o.transfers.Template(t.Context(), reader, listInvitations); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("the template for one who only reads: %v", err)
	}
	if lists, err := o.transfers.Importable(t.Context(), reader); err != nil || len(lists) != 0 {
		t.Errorf("offered to one who only reads: %v %v", lists, err)
	}
	lists, err := o.transfers.Importable(t.Context(), o.owner)
	if err != nil || len(lists) != 1 || lists[0] != (transfer.List{Name: listInvitations, Title: "成员邀请"}) {
		t.Errorf("offered to the owner: %v %v", lists, err)
	}
	file, err := o.transfers.Template(t.Context(), o.owner, listInvitations)
	if err != nil || !strings.Contains(string(file.Content), "邮箱或手机号*,角色*,可操作的小程序") || file.Name != "成员邀请-导入模板.csv" {
		t.Errorf("%+v %v", file, err)
	}
	// Who lost the right between dry run and confirmation writes nothing.
	if _, err := o.db.Exec(t.Context(), "UPDATE member SET role=? WHERE account_id=? AND space_id=?", account.RoleReadOnly, o.owner.AccountID, o.owner.SpaceID); err != nil {
		t.Fatal(err)
	}
	if err := o.transfers.Confirm(t.Context(), reader, imp.ID); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("confirmed without the right: %v", err)
	}
	if err := o.transfers.Confirm(t.Context(), o.owner, imp.ID); err != nil { // a session that does not know yet
		t.Fatal(err)
	}
	if imp = o.until(imp.ID, transfer.PhaseApply); imp.State != transfer.Failed || o.count("SELECT COUNT(*) FROM invitation") != 0 {
		t.Errorf("%+v", imp)
	}
}

func TestNobodyGivesAwayMoreThanTheirOwn(t *testing.T) {
	o := newOffice(t, storetest.Open(t))
	narrow := o.owner
	narrow.Role, narrow.Permissions, narrow.MiniPrograms = account.RoleCustom, []string{"space.member", "space.member.read", "trail.read"}, []string{"wx1111111111111111"}
	target := invitationTarget{o.spaces, slog.New(slog.DiscardHandler)}
	form, err := target.Form(t.Context(), narrow, listInvitations)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range form.Fields[1].Choices {
		if c.Label == "管理员" || c.Label == "所有者" {
			t.Errorf("%s is offered", c.Label)
		}
	}
	for _, code := range []string{"beyond_own_role", "role_not_found", "beyond_own_limit"} {
		f := fault.From(atCell(fault.New(fault.Forbidden, code, "不行")))
		if len(f.Fields) != 1 || f.Fields[0].Message != "不行" {
			t.Errorf("%s: %+v", code, f)
		}
	}
	if left, err := o.spaces.InvitationsLeft(t.Context(), o.owner); err != nil || left != 200 || form.Room.Left != 200 {
		t.Errorf("%d left, %v", left, err)
	}
}
