package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/notice"
)

// noticeRoutes are the calls about what people and programs are told.
func (s *Server) noticeRoutes() []any {
	return []any{
		s.listNotices, s.unreadNotices, s.readNotices, s.getPreferences, s.setPreferences,
		s.listWebhooks, s.webhookEvents, s.createWebhook, s.getWebhook, s.updateWebhook, s.deleteWebhook, s.rotateWebhook, s.testWebhook,
		s.listDeliveries, s.getDelivery, s.retryDelivery,
	}
}

type listNoticesIn struct {
	g.Meta `path:"/notices" method:"get" tags:"消息" summary:"我的消息，最新的在前" needs:"own.notice"`
	Unread int    `json:"unread" in:"query" dc:"1：只看未读"`
	Event  string `json:"event" in:"query" dc:"只看这种事件"`
	Cursor string `json:"cursor" in:"query"`
	Limit  int    `json:"limit" in:"query"`
}

// tokenSpace is the one space that a token's holder hears of; 0 is all of a person's.
func tokenSpace(who account.Actor) int64 {
	if who.ByToken() {
		return who.SpaceID
	}
	return 0
}

func (s *Server) listNotices(ctx context.Context, in *listNoticesIn) (*list[notice.Item], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	q := notice.Query{Unread: in.Unread == 1, Event: in.Event, Space: tokenSpace(who), Cursor: cursor, Limit: in.Limit}
	total, err := s.o.Notices.Count(ctx, who.AccountID, q)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.o.Notices.List(ctx, who.AccountID, q)
	return listOf(rows, strconv.FormatInt(next, 10), total), err
}

type unreadNoticesIn struct {
	g.Meta `path:"/notices/unread" method:"get" tags:"消息" summary:"未读消息数，最多数到 100" needs:"own.notice"`
}

type unreadOut struct {
	Unread int64 `json:"unread" dc:"未读消息数"`
}

func (s *Server) unreadNotices(ctx context.Context, _ *unreadNoticesIn) (*unreadOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	n, err := s.o.Notices.UnreadIn(ctx, who.AccountID, tokenSpace(who))
	return &unreadOut{n}, err
}

type readNoticesIn struct {
	g.Meta `path:"/notices/read" method:"post" tags:"消息" summary:"把消息标为已读：给出编号，或者全部"`
	IDs    []string `json:"ids" dc:"消息编号，1 到 100 个"`
	All    bool     `json:"all" dc:"true：全部标为已读"`
}

func (s *Server) readNotices(ctx context.Context, in *readNoticesIn) (*unreadOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	if in.All {
		_, err = s.o.Notices.MarkAllRead(ctx, who.AccountID)
	} else {
		var ids []int64
		if ids, err = idsOf("ids", in.IDs); err == nil {
			err = s.o.Notices.MarkRead(ctx, who.AccountID, ids...)
		}
	}
	if err != nil {
		return nil, err
	}
	return s.unreadNotices(ctx, nil)
}

// idsOf reads ids, which travel as texts.
func idsOf(field string, texts []string) ([]int64, error) {
	out := make([]int64, 0, len(texts))
	for _, t := range texts {
		n, err := strconv.ParseInt(t, 10, 64)
		if err != nil {
			return nil, fault.InvalidInput().On(field, "应为编号")
		}
		out = append(out, n)
	}
	return out, nil
}

type getPreferencesIn struct {
	g.Meta `path:"/notices/preferences" method:"get" tags:"消息" summary:"我在当前空间怎样收到每种消息" needs:"own.notice"`
}

func (s *Server) getPreferences(ctx context.Context, _ *getPreferencesIn) (*list[notice.Choice], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Notices.Preferences(ctx, who)
	return listOf(rows, "", int64(len(rows))), err
}

type setPreferencesIn struct {
	g.Meta      `path:"/notices/preferences" method:"put" tags:"消息" summary:"选择怎样收到消息；没有给出的不变"`
	Preferences []notice.Preference `json:"preferences" required:"true" dc:"要改变的选择"`
}

func (s *Server) setPreferences(ctx context.Context, in *setPreferencesIn) (*list[notice.Choice], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.o.Notices.SetPreferences(ctx, who, in.Preferences); err != nil {
		return nil, err
	}
	return s.getPreferences(ctx, nil)
}

type listWebhooksIn struct {
	g.Meta `path:"/webhooks" method:"get" tags:"消息推送" summary:"当前空间的 Webhook" needs:"space.webhook"`
}

func (s *Server) listWebhooks(ctx context.Context, _ *listWebhooksIn) (*list[notice.Webhook], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.o.Notices.Webhooks(ctx, who)
	return listOf(rows, "", int64(len(rows))), err
}

type webhookEventsIn struct {
	g.Meta `path:"/webhooks/events" method:"get" tags:"消息推送" summary:"Webhook 可以订阅的事件" needs:"*"`
}

func (s *Server) webhookEvents(ctx context.Context, _ *webhookEventsIn) (*list[notice.Kind], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	rows := notice.HookKinds(who.SpaceKind)
	return listOf(rows, "", int64(len(rows))), nil
}

type createWebhookIn struct {
	g.Meta `path:"/webhooks" method:"post" tags:"消息推送" summary:"新建 Webhook；签名密钥只在这次回答里出现" needs:"space.webhook"`
	Name   string   `json:"name" required:"true"`
	URL    string   `json:"url" required:"true" dc:"接收消息的地址，以 https:// 开头"`
	Events []string `json:"events" dc:"要推送的事件，空为全部"`
}

func (*createWebhookIn) unrepeatable() {}

type createdWebhook struct {
	notice.Webhook
	Secret string `json:"secret"`
}

func (createdWebhook) HTTPStatus() int { return http.StatusCreated }

func (s *Server) createWebhook(ctx context.Context, in *createWebhookIn) (*createdWebhook, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	hook, secret, err := s.o.Notices.CreateWebhook(ctx, who, notice.WebhookForm{Name: in.Name, URL: in.URL, Events: in.Events, Enabled: true})
	return &createdWebhook{hook, secret}, err
}

type getWebhookIn struct {
	g.Meta `path:"/webhooks/{id}" method:"get" tags:"消息推送" summary:"一个 Webhook" needs:"space.webhook"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) getWebhook(ctx context.Context, in *getWebhookIn) (*notice.Webhook, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	hook, err := s.o.Notices.Webhook(ctx, who, in.ID)
	return &hook, err
}

type updateWebhookIn struct {
	g.Meta  `path:"/webhooks/{id}" method:"put" tags:"消息推送" summary:"修改、停用或启用 Webhook" needs:"space.webhook"`
	ID      int64    `json:"id" in:"path"`
	Name    string   `json:"name" required:"true"`
	URL     string   `json:"url" required:"true" dc:"接收消息的地址，以 https:// 开头"`
	Events  []string `json:"events" dc:"要推送的事件，空为全部"`
	Enabled bool     `json:"enabled" required:"true"`
}

func (s *Server) updateWebhook(ctx context.Context, in *updateWebhookIn) (*notice.Webhook, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	hook, err := s.o.Notices.UpdateWebhook(ctx, who, in.ID, notice.WebhookForm{Name: in.Name, URL: in.URL, Events: in.Events, Enabled: in.Enabled})
	return &hook, err
}

type deleteWebhookIn struct {
	g.Meta `path:"/webhooks/{id}" method:"delete" tags:"消息推送" summary:"删除 Webhook 和它的投递记录" needs:"space.webhook"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) deleteWebhook(ctx context.Context, in *deleteWebhookIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Notices.DeleteWebhook(ctx, who, in.ID)
}

type rotateWebhookIn struct {
	g.Meta `path:"/webhooks/{id}/secret" method:"post" tags:"消息推送" summary:"更换签名密钥，旧的立即失效" needs:"space.webhook"`
	ID     int64 `json:"id" in:"path"`
}

func (*rotateWebhookIn) unrepeatable() {}

type rotatedSecret struct {
	Secret string `json:"secret"`
}

func (s *Server) rotateWebhook(ctx context.Context, in *rotateWebhookIn) (*rotatedSecret, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	secret, err := s.o.Notices.RotateSecret(ctx, who, in.ID)
	return &rotatedSecret{secret}, err
}

type testWebhookIn struct {
	g.Meta `path:"/webhooks/{id}/test" method:"post" tags:"消息推送" summary:"发送一条测试消息" needs:"space.webhook"`
	ID     int64 `json:"id" in:"path"`
}

type startedDelivery struct{ notice.Attempt }

func (startedDelivery) HTTPStatus() int { return http.StatusAccepted }

func (s *Server) testWebhook(ctx context.Context, in *testWebhookIn) (*startedDelivery, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.o.Notices.TestWebhook(ctx, who, in.ID)
	return &startedDelivery{d}, err
}

type listDeliveriesIn struct {
	g.Meta `path:"/webhooks/{id}/deliveries" method:"get" tags:"消息推送" summary:"投递记录，最新的在前" needs:"space.webhook"`
	ID     int64  `json:"id" in:"path"`
	Cursor string `json:"cursor" in:"query"`
	Limit  int    `json:"limit" in:"query"`
}

func (s *Server) listDeliveries(ctx context.Context, in *listDeliveriesIn) (*list[notice.Attempt], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.o.Notices.Deliveries(ctx, who, in.ID, cursor, in.Limit)
	return listOf(rows, strconv.FormatInt(next, 10), -1), err
}

type getDeliveryIn struct {
	g.Meta   `path:"/webhooks/{id}/deliveries/{delivery}" method:"get" tags:"消息推送" summary:"一次投递：发了什么，对方答了什么" needs:"space.webhook"`
	ID       int64 `json:"id" in:"path"`
	Delivery int64 `json:"delivery" in:"path" dc:"投递编号"`
}

func (s *Server) getDelivery(ctx context.Context, in *getDeliveryIn) (*notice.Attempt, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.o.Notices.Attempt(ctx, who, in.ID, in.Delivery)
	return &d, err
}

type retryDeliveryIn struct {
	g.Meta   `path:"/webhooks/{id}/deliveries/{delivery}/retry" method:"post" tags:"消息推送" summary:"重发一次投递" needs:"space.webhook"`
	ID       int64 `json:"id" in:"path"`
	Delivery int64 `json:"delivery" in:"path" dc:"投递编号"`
}

func (s *Server) retryDelivery(ctx context.Context, in *retryDeliveryIn) (*startedDelivery, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.o.Notices.Retry(ctx, who, in.ID, in.Delivery)
	return &startedDelivery{d}, err
}

// noticeWords is the dictionary's part of these calls.
func noticeWords() map[string]word {
	return map[string]word{
		"event":           {"事件", "audit.rejected"},
		"group":           {"事件所属的一组", "版本与发布"},
		"forced":          {"不能关闭", false},
		"site":            {"站内消息", true},
		"mail":            {"邮件", true},
		"channel":         {"方式：site 站内，mail 邮件", "mail"},
		"on":              {"是否接收", true},
		"text":            {"正文", nil},
		"link":            {"可以打开的地址", "/my/miniprograms"},
		"batch":           {"所属的批次；同一批次合成一条", nil},
		"ok":              {"成功的个数", 386},
		"failed":          {"失败的个数", 14},
		"read_at":         {"已读时间，Unix 毫秒，0 为未读", 0},
		"events":          {"推送的事件，空为全部", nil},
		"enabled":         {"是否启用", true},
		"failing_since":   {"从何时起连续失败，Unix 毫秒，0 为正常", 0},
		"disabled_reason": {"自动停用的原因", nil},
		"notice_id":       {"消息编号", "31536000000009"},
		"attempts":        {"已尝试的次数，最多 8 次", 1},
		"due_at":          {"下次尝试的时间，Unix 毫秒", 1795351000000},
		"status":          {"对方回答的 HTTP 状态，0 为没有回答", 200},
		"request":         {"发出的正文", nil},
		"response":        {"回答的摘录", nil},
	}
}
