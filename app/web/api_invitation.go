package web

import (
	"context"
	"net/http"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
)

type listInvitationsIn struct {
	g.Meta `path:"/invitations" method:"get" tags:"成员" summary:"当前空间发出的邀请"`
}

func (s *Server) listInvitations(ctx context.Context, _ *listInvitationsIn) (*list[account.Invitation], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Spaces.Invitations(ctx, who)
	return listOf(rows, "", int64(len(rows))), err
}

type inviteIn struct {
	g.Meta       `path:"/invitations" method:"post" tags:"成员" summary:"邀请成员，链接只显示这一次"`
	Login        string    `json:"login"`
	Role         string    `json:"role"`
	RoleID       string    `json:"role_id"`
	MiniPrograms *[]string `json:"miniprograms"`
}

func (*inviteIn) unrepeatable() {}

type invitedOut struct{ account.Invited }

func (invitedOut) HTTPStatus() int { return http.StatusCreated }

func (s *Server) invite(ctx context.Context, in *inviteIn) (*invitedOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	made, err := s.o.Spaces.Invite(ctx, who, account.InvitationForm{Login: in.Login, Role: choice(in.Role, in.RoleID), Limit: limitOf(in.MiniPrograms)})
	return &invitedOut{made}, err
}

type resendInvitationIn struct {
	g.Meta `path:"/invitations/{id}/resend" method:"post" tags:"成员" summary:"重新发送邀请，旧链接失效"`
	ID     int64 `json:"id" in:"path"`
}

func (*resendInvitationIn) unrepeatable() {}

func (s *Server) resendInvitation(ctx context.Context, in *resendInvitationIn) (*account.Invited, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	made, err := s.o.Spaces.Resend(ctx, who, in.ID)
	return &made, err
}

type cancelInvitationIn struct {
	g.Meta `path:"/invitations/{id}" method:"delete" tags:"成员" summary:"取消邀请"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) cancelInvitation(ctx context.Context, in *cancelInvitationIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Spaces.CancelInvitation(ctx, who, in.ID)
}

type getOfferIn struct {
	g.Meta `path:"/invitations/token/{token}" method:"get" tags:"成员" summary:"凭链接查看邀请"`
	Token  string `json:"token" in:"path"`
}

func (s *Server) getOffer(ctx context.Context, in *getOfferIn) (*account.Offer, error) {
	who, _ := account.From(ctx)
	o, err := s.o.Spaces.Offer(ctx, who, in.Token)
	return &o, err
}

type acceptInvitationIn struct {
	g.Meta `path:"/invitations/token/{token}/accept" method:"post" tags:"成员" summary:"接受邀请，加入空间"`
	Token  string `json:"token" in:"path"`
}

func (s *Server) acceptInvitation(ctx context.Context, in *acceptInvitationIn) (*account.Membership, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.o.Spaces.Accept(ctx, who, in.Token)
	return &m, err
}
