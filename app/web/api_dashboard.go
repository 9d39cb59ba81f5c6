package web

import (
	"context"
	"strconv"
	"time"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/dashboard"
	"minifleet/app/fault"
	"minifleet/app/gateway"
	"minifleet/app/schedule"
	"minifleet/app/trail"
)

// Board is the room dashboard as REST sees it.
type Board interface {
	Snapshot(ctx context.Context, who account.Actor) (dashboard.Snapshot, error)
	Checklist(ctx context.Context, who account.Actor) (dashboard.Checklist, error)
	SetChecklist(ctx context.Context, who account.Actor, list, state string) error
}

// Sent are the requests to WeChat whose outcome is unknown, as the gateway keeps them.
type Sent interface {
	Unsettled(ctx context.Context, limit int) ([]gateway.Sent, error)
	SettleByHand(ctx context.Context, who account.Actor, id, startedAt int64, happened bool) error
}

var errNoBoard = fault.New(fault.Unavailable, "no_dashboard", "工作台还没有启用")

// dashboardRoutes are the calls of the 工作台 and of the lists behind its figures.
func (s *Server) dashboardRoutes() []any {
	return []any{s.readDashboard, s.setChecklist, s.listFailures, s.listErrors, s.listRefusals, s.listUnknown, s.listUnsettled, s.settle, s.listDirectory}
}

type dashboardIn struct {
	g.Meta `path:"/dashboard" method:"get" tags:"工作台" summary:"工作台：指标、图表、待办和新手清单，每个指标带有列表地址" needs:"*"`
}

type dashboardOut struct {
	dashboard.Snapshot
	Checklist dashboard.Checklist `json:"checklist" dc:"新手清单"`
}

func (s *Server) readDashboard(ctx context.Context, _ *dashboardIn) (*dashboardOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	if s.o.Board == nil {
		return nil, errNoBoard
	}
	out := &dashboardOut{}
	if out.Snapshot, err = s.o.Board.Snapshot(ctx, who); err != nil {
		return nil, err
	}
	out.Checklist, err = s.o.Board.Checklist(ctx, who)
	return out, err
}

type checklistIn struct {
	g.Meta `path:"/dashboard/checklist" method:"post" tags:"工作台" summary:"收起、展开或不再显示自己的新手清单；list 为 start 或 backup"`
	List   string `json:"list" dc:"start 新手清单，backup 备份提醒"`
	State  string `json:"state" dc:"open、folded、dismissed；backup 为 open 或 done"`
}

func (s *Server) setChecklist(ctx context.Context, in *checklistIn) (*dashboard.Checklist, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	if s.o.Board == nil {
		return nil, errNoBoard
	}
	if err := s.o.Board.SetChecklist(ctx, who, in.List, in.State); err != nil {
		return nil, err
	}
	list, err := s.o.Board.Checklist(ctx, who)
	return &list, err
}

// dayBack is how far the lists behind the operator's figures look, like the figures themselves.
func (s *Server) dayBack() time.Time { return s.o.Clock.Now().Add(-24 * time.Hour) }

type listFailuresIn struct {
	g.Meta `path:"/jobs/failures" method:"get" tags:"定时任务" summary:"近 24 小时失败的运行" needs:"job.read"`
	Cursor int64 `json:"cursor" in:"query"`
	Limit  int   `json:"limit" in:"query"`
}

func (s *Server) listFailures(ctx context.Context, in *listFailuresIn) (*list[schedule.Run], error) {
	if _, err := operator(ctx, "job.read"); err != nil {
		return nil, err
	}
	limit := in.Limit
	if limit < 1 || limit > 100 {
		limit = 20
	}
	rows, total, err := s.o.Jobs.Failures(ctx, s.dayBack(), in.Cursor, limit)
	next := ""
	if len(rows) == limit {
		next = strconv.FormatInt(rows[limit-1].ID, 10)
	}
	return listOf(rows, next, total), err
}

type listErrorsIn struct {
	g.Meta `path:"/wechat/errors" method:"get" tags:"操作日志" summary:"近 24 小时微信返回的错误码和次数" needs:"trail.read"`
}

func (s *Server) listErrors(ctx context.Context, _ *listErrorsIn) (*list[trail.ErrCount], error) {
	if _, err := operator(ctx, "trail.read"); err != nil {
		return nil, err
	}
	rows, err := s.o.Trail.ErrCodes(ctx, s.dayBack())
	return listOf(rows, "", int64(len(rows))), err
}

type listRefusalsIn struct {
	g.Meta `path:"/wechat/errors/{errcode}" method:"get" tags:"操作日志" summary:"近 24 小时微信返回某个错误码的操作" needs:"trail.read"`
	Code   int64 `json:"errcode" in:"path" dc:"微信错误码"`
	Cursor int64 `json:"cursor" in:"query"`
	Limit  int   `json:"limit" in:"query"`
}

func (s *Server) listRefusals(ctx context.Context, in *listRefusalsIn) (*list[trail.Entry], error) {
	if _, err := operator(ctx, "trail.read"); err != nil {
		return nil, err
	}
	rows, next, total, err := s.o.Trail.Refusals(ctx, s.dayBack(), in.Code, in.Cursor, in.Limit)
	return listOf(rows, cursorText(next), total), err
}

type listUnknownIn struct {
	g.Meta `path:"/wechat/unknown-codes" method:"get" tags:"操作日志" summary:"词典里没有的微信错误码和累计次数" needs:"trail.read"`
}

func (s *Server) listUnknown(ctx context.Context, _ *listUnknownIn) (*list[trail.UnknownCode], error) {
	if _, err := operator(ctx, "trail.read"); err != nil {
		return nil, err
	}
	rows, err := s.o.Trail.UnknownCodes(ctx)
	return listOf(rows, "", int64(len(rows))), err
}

type listUnsettledIn struct {
	g.Meta `path:"/wechat/unsettled" method:"get" tags:"操作日志" summary:"发给微信而结果未知的请求，最新的 100 个" needs:"trail.read"`
}

func (s *Server) listUnsettled(ctx context.Context, _ *listUnsettledIn) (*list[gateway.Sent], error) {
	if _, err := operator(ctx, "trail.read"); err != nil {
		return nil, err
	}
	rows, err := s.o.Sent.Unsettled(ctx, 100)
	return listOf(rows, "", int64(len(rows))), err
}

type settleIn struct {
	g.Meta   `path:"/wechat/unsettled/{id}" method:"post" tags:"操作日志" summary:"记下一个结果未知的请求在微信侧是否已经生效" needs:"wechat.settle"`
	ID       int64 `json:"id" in:"path"`
	Happened *bool `json:"happened" v:"required" dc:"true 已生效，false 没有生效"`
	// StartedAt names the request that was looked at: under the same key it may have been sent anew meanwhile.
	StartedAt int64 `json:"started_at" dc:"列表里的 started_at；请求在这之后又发送过时不会记下，0 为不核对"`
}

func (s *Server) settle(ctx context.Context, in *settleIn) (*emptyOut, error) {
	who, err := operator(ctx, "wechat.settle")
	if err != nil {
		return nil, err
	}
	if in.Happened == nil {
		return nil, fault.InvalidInput().On("happened", "请填写 true（已生效）或 false（没有生效）")
	}
	return &emptyOut{}, s.o.Sent.SettleByHand(ctx, who, in.ID, in.StartedAt, *in.Happened)
}

func cursorText(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

type listDirectoryIn struct {
	g.Meta `path:"/directory/spaces" method:"get" tags:"空间" summary:"全部空间（平台管理员）" needs:"component.read"`
	Kind   string `json:"kind" in:"query"`
	Query  string `json:"q" in:"query"`
	Cursor int64  `json:"cursor" in:"query"`
	Limit  int    `json:"limit" in:"query"`
}

func (s *Server) listDirectory(ctx context.Context, in *listDirectoryIn) (*list[account.SpaceEntry], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, next, total, err := s.o.Accounts.Directory(ctx, who, account.SpaceFilter{Kind: account.Kind(in.Kind), Query: in.Query, Cursor: in.Cursor, Limit: in.Limit})
	return listOf(rows, cursorText(next), total), err
}
