package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/transfer"
)

// listInvitations is the list of invitations to a space, which takes a file of people with their roles.
const listInvitations = "invitations"

// invitationTarget invites a row's person. Each row is Invite, as on the page: the same rights, checks, letter and trail.
type invitationTarget struct {
	spaces *account.Spaces
	log    *slog.Logger
}

// Fields of a row; account names them so when it refuses one.
const (
	inviteLogin = "login"
	inviteRole  = "role"
	inviteApps  = "miniprograms"
)

// everyApp is what a row may say instead of nothing for all mini programs.
const everyApp = "全部"

func (t invitationTarget) Form(ctx context.Context, who account.Actor, _ string) (transfer.Form, error) {
	left, err := t.spaces.InvitationsLeft(ctx, who)
	if err != nil {
		return transfer.Form{}, err
	}
	roles, err := t.roles(ctx, who)
	if err != nil {
		return transfer.Form{}, err
	}
	role := transfer.Field{Name: inviteRole, Title: "角色", Required: true, Help: "可填：" + titles(roles)}
	for _, r := range roles {
		role.Choices = append(role.Choices, transfer.Choice{Value: roleValue(r), Label: r.Title})
	}
	return transfer.Form{
		Title: "成员邀请", CanCreate: true, // not Keyed: a letter cannot be taken back with a transaction
		Fields: []transfer.Field{
			{Name: inviteLogin, Title: "邮箱或手机号", Required: true, Size: 190, Help: "对方用这个账号登录或注册后才能接受，每人一行"}, role,
			{Name: inviteApps, Title: "可操作的小程序", Type: "longtext", Help: "留空或填“全部”表示全部小程序；只限几个时填 AppID，用空格分开"},
		},
		Once: inviteLogin, Plain: account.NormalLogin, Room: &transfer.Room{Left: left, Full: fmt.Sprintf("未接受的邀请最多 %d 份，已没有空位。请先在成员页取消不用的邀请", account.MaxInvitations)},
	}, nil
}

func (t invitationTarget) roles(ctx context.Context, who account.Actor) ([]account.Role, error) {
	roles, err := t.spaces.Roles(ctx, who)
	return account.Givable(who, roles), err
}

func roleValue(r account.Role) string {
	if r.ID != 0 {
		return strconv.FormatInt(r.ID, 10)
	}
	return r.Key
}

func titles(roles []account.Role) string {
	var out []string
	for _, r := range roles {
		out = append(out, r.Title)
	}
	return strings.Join(out, "、")
}

// form turns a row into what Invite takes.
func (t invitationTarget) form(roles []account.Role, row transfer.Row) (account.InvitationForm, account.Role, error) {
	f := account.InvitationForm{Login: row.Values[inviteLogin]}
	if apps := strings.TrimSpace(row.Values[inviteApps]); apps != "" && apps != everyApp {
		f.Limit = account.Limit{Limited: true, AppIDs: account.SplitAppIDs(apps)}
	}
	for _, r := range roles {
		if roleValue(r) == row.Values[inviteRole] {
			f.Role = account.RoleChoice{Key: r.Key, ID: r.ID}
			return f, r, nil
		}
	}
	return f, account.Role{}, fault.InvalidInput().On(inviteRole, "没有这个角色，或者你不能给出它。可填："+titles(roles))
}

// Try asks for each row what Invite would say.
func (t invitationTarget) Try(ctx context.Context, who account.Actor, _ string, rows []transfer.Row) ([]transfer.Outcome, error) {
	return t.each(ctx, who, rows, func(f account.InvitationForm, role account.Role) (transfer.Outcome, error) {
		note := "将以「" + role.Title + "」邀请，可操作全部小程序"
		if f.Limit.Limited {
			note = "将以「" + role.Title + "」邀请，可操作 " + strconv.Itoa(len(f.Limit.AppIDs)) + " 个小程序"
		}
		if !strings.Contains(f.Login, "@") {
			note += "。手机号收不到邀请链接，导入后请在成员页点“重新发送”取得链接"
		}
		return transfer.Outcome{Note: note}, t.spaces.CheckInvitation(ctx, who, f)
	})
}

// Apply invites row by row. An invitation whose letter could not be sent stands all the same, and the row says so.
func (t invitationTarget) Apply(ctx context.Context, who account.Actor, _ string, rows []transfer.Row) ([]transfer.Outcome, error) {
	return t.each(ctx, who, rows, func(f account.InvitationForm, _ account.Role) (transfer.Outcome, error) {
		made, err := t.spaces.Invite(ctx, who, f)
		out := transfer.Outcome{ID: made.ID}
		switch {
		case made.ID == 0:
			return out, err
		case err != nil:
			t.log.WarnContext(ctx, "the letter of an imported invitation could not be sent", "invitation", made.ID, "error", err)
			out.Note = "邀请已生成，但邮件没有发出。请在成员页点“重新发送”，或把链接直接发给对方"
		case !made.Sent:
			out.Note = "邀请已生成，没有自动发出。请在成员页点“重新发送”取得链接，发给对方"
		}
		return out, nil
	})
}

// each does one thing for every row; what is wrong with a row is its outcome, and trouble of ours ends the run.
func (t invitationTarget) each(ctx context.Context, who account.Actor, rows []transfer.Row, do func(account.InvitationForm, account.Role) (transfer.Outcome, error)) ([]transfer.Outcome, error) {
	roles, err := t.roles(ctx, who)
	if err != nil {
		return nil, err
	}
	out := make([]transfer.Outcome, len(rows))
	for i, row := range rows {
		f, role, err := t.form(roles, row)
		if err == nil {
			out[i], err = do(f, role)
		}
		if err != nil && fault.KindOf(err) == fault.Internal {
			return nil, err
		}
		if err != nil {
			out[i] = transfer.Outcome{Err: atCell(err)}
		}
	}
	return out, nil
}

// atCell puts a refusal of the whole row to the cell that it is about.
func atCell(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Fields) > 0 {
		return err
	}
	switch f.Code {
	case "beyond_own_role", "role_not_found":
		return fault.InvalidInput().On(inviteRole, f.Message).Because(err)
	case "beyond_own_limit":
		return fault.InvalidInput().On(inviteApps, f.Message).Because(err)
	}
	return err
}
