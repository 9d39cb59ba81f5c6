package web

import (
	"context"
	"strconv"
	"strings"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/fault"
	"minifleet/app/trail"
)

type listTrailIn struct {
	g.Meta    `path:"/trail" method:"get" tags:"操作日志" summary:"操作日志：我的空间做的，和别人对我的小程序做的" needs:"trail.read"`
	AppID     string `json:"appid" in:"query"`
	AccountID int64  `json:"account_id" in:"query"`
	Actor     string `json:"actor" in:"query" dc:"谁：名字的一部分"`
	Act       string `json:"act" in:"query" dc:"动作，如 webhook.create；以点结尾为一类，如 wechat."`
	Object    string `json:"object" in:"query" dc:"对象的一部分"`
	Outcome   string `json:"outcome" in:"query" dc:"结果：ok 或 failed"`
	RID       string `json:"rid" in:"query"`
	RequestID string `json:"request_id" in:"query"`
	From      int64  `json:"from" in:"query"`
	To        int64  `json:"to" in:"query"`
	Cursor    string `json:"cursor" in:"query"`
	Limit     int    `json:"limit" in:"query"`
}

// filter is what the call asks for within what the actor may read.
func (s *Server) trailFilter(ctx context.Context, in *listTrailIn) (trail.Filter, error) {
	who, err := must(ctx)
	if err != nil {
		return trail.Filter{}, err
	}
	f := who.Trail()
	if f.Cursor, err = parseCursor(in.Cursor); err != nil {
		return f, err
	}
	if in.Outcome != "" && in.Outcome != trail.OK && in.Outcome != trail.Failed {
		return f, fault.InvalidInput().On("outcome", "应为 ok 或 failed")
	}
	f.AppID, f.AccountID, f.Actor, f.Act, f.Object = in.AppID, in.AccountID, strings.TrimSpace(in.Actor), in.Act, strings.TrimSpace(in.Object)
	f.Outcome, f.RID, f.RequestID, f.From, f.To, f.Limit = in.Outcome, in.RID, in.RequestID, in.From, in.To, in.Limit
	if in.AppID == "" || who.Operator() {
		return f, nil
	}
	m, err := s.o.Grants.MiniProgram(ctx, who, in.AppID)
	if err != nil {
		return f, err
	}
	// The owner sees what was done to its mini program by whichever space, from before it was its owner too; who acts on it
	// for the owner sees its own acts.
	if m.OwnerSpaceID == who.SpaceID {
		f.SpaceID, f.Behalf = 0, false
	}
	return f, nil
}

func (s *Server) listTrail(ctx context.Context, in *listTrailIn) (*list[trail.Entry], error) {
	f, err := s.trailFilter(ctx, in)
	if err != nil {
		return nil, err
	}
	total, err := s.o.Trail.Count(ctx, f)
	if err != nil {
		return nil, err
	}
	if total > 10000 {
		total = -1
	}
	rows, next, err := s.o.Trail.List(ctx, f)
	return listOf(rows, strconv.FormatInt(next, 10), total), err
}

type getEntryIn struct {
	g.Meta `path:"/trail/{id}" method:"get" tags:"操作日志" summary:"一条操作记录，带改动前后的值" needs:"trail.read"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) getEntry(ctx context.Context, in *getEntryIn) (*trail.Entry, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	e, err := s.o.Trail.Get(ctx, who.Trail(), in.ID)
	return &e, err
}

type verifyTrailIn struct {
	g.Meta `path:"/trail/verify" method:"post" tags:"操作日志" summary:"校验整条日志链：有没有被改动、删除、插入或换位" needs:"trail.read"`
	Head   string `json:"head" dc:"以前另外记下的链头，如 1234:9f86…；空为不核对"`
}

func (s *Server) verifyTrail(ctx context.Context, in *verifyTrailIn) (*trail.Report, error) {
	who, err := operator(ctx, "trail.read")
	if err != nil {
		return nil, err
	}
	r, err := s.o.Chain.Verify(ctx, trail.VerifyOptions{Witness: in.Head})
	if err != nil {
		return nil, fault.New(fault.Invalid, "verify_failed", "没有完成校验：请检查链头的写法，或稍后重试").Because(err)
	}
	e := trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Act: "trail.verify", Object: "到第 " + strconv.FormatInt(r.Last, 10) + " 条", Detail: r.Head()}
	if r.Bad != nil {
		e.Outcome, e.Detail = trail.Failed, strings.TrimSpace(r.Bad.Words+" "+e.Detail)
	}
	return &r, s.o.Trail.Record(ctx, e)
}

// trailWords is the dictionary's part of these calls.
func trailWords() map[string]word {
	return map[string]word{
		"act":                {"动作", "webhook.create"},
		"object":             {"对象", nil},
		"outcome":            {"结果：ok 或 failed", "ok"},
		"plugin":             {"经哪个插件", "version"},
		"duration_ms":        {"用时，毫秒", 120},
		"via":                {"凭什么：token 令牌，delegation 委托，空为本人", "token"},
		"via_id":             {"令牌或委托的编号", "31536000000004"},
		"via_name":           {"令牌或委托的名称", "部署"},
		"behalf":             {"替谁做的", nil},
		"behalf_space_id":    {"替哪个空间做的", "31536000000005"},
		"changes":            {"改动前后的值；密文只说明改过", nil},
		"field":              {"字段", "name"},
		"before":             {"改动前", nil},
		"after":              {"改动后", nil},
		"seq":                {"在日志链里的位置，0 为尚未封存", 1234},
		"hash":               {"日志链的散列，十六进制 SHA-256", nil},
		"bad":                {"第一处不符；没有为 null", nil},
		"words":              {"一句话说明", nil},
		"entries":            {"已校验的条数", 1234},
		"first":              {"第一条的位置", 1},
		"last":               {"最后一条的位置", 1234},
		"pruned":             {"已按保留期清理到的位置", 0},
		"head_hash":          {"链头的散列", nil},
		"anchors":            {"经过的签名锚点数", 2},
		"unsealed":           {"尚未封存的条数", 0},
		"unsealed_since":     {"最早一条未封存的时间，Unix 毫秒", 0},
		"took_ms":            {"用时，毫秒", 12},
		"entries_per_second": {"每秒校验的条数", 100000},
		"witness_checked":    {"是否核对过另外记下的链头", false},
	}
}
