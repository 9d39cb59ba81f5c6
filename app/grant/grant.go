// Package grant decides who may do what on which mini program until when. The owner space needs no grant; everybody
// else acts only through one, and it is read from the database at every use, so that ending it works at once.
// gateway and the plugin host ask it before each call; it knows nothing of WeChat.
package grant

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/miniprogram"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// DataRead lets a space see a mini program; every other scope includes it.
const DataRead = "data.read"

// Scopes lists every scope with the words of the screens, in their order.
func Scopes() []Scope {
	return []Scope{
		{DataRead, "查看资料和版本"}, {"profile.write", "修改名称、头像和简介"}, {"category.write", "修改类目"}, {"domain.write", "配置域名"},
		{"privacy.write", "配置隐私保护指引"}, {"tester.write", "管理体验成员"}, {"code.commit", "上传代码"}, {"code.trial", "生成体验版"},
		{"code.audit", "提交审核"}, {"code.release", "发布"}, {"code.rollback", "版本回退"}, {"service.suspend", "暂停服务"},
	}
}

// Scope is a kind of act on a mini program.
type Scope struct{ Name, Title string }

// Title gives the words for a scope.
func Title(scope string) string {
	for _, s := range Scopes() {
		if s.Name == scope {
			return s.Title
		}
	}
	return scope
}

// Grant is one space's right on one mini program. Times are Unix milliseconds; Until 0 has no end.
type Grant struct {
	ID        int64    `json:"id,string"`
	AppID     string   `json:"appid" orm:"appid"`
	SpaceID   int64    `json:"space_id,string"`
	Scopes    []string `json:"scopes" orm:"-"`
	Source    string   `json:"source"` // installation or contract
	SourceKey string   `json:"source_key"`
	Until     int64    `json:"until" orm:"until_at"`
	CreatedBy int64    `json:"created_by,string"`
	CreatedAt int64    `json:"created_at"`
	RevokedAt int64    `json:"revoked_at"`
	ScopeText string   `json:"-" orm:"scopes"`
}

// columns are those of Grant, by name: a query with a star is prepared anew at each read.
const columns = "id, appid, space_id, scopes, source, source_key, until_at, created_by, created_at, revoked_at"

// Service is the room's door. Safe for concurrent use.
type Service struct {
	db    *store.DB
	clk   clock.Clock
	trail *trail.Log
	apps  *miniprogram.Service
}

// New makes the service.
func New(db *store.DB, clk clock.Clock, log *trail.Log, apps *miniprogram.Service) *Service {
	return &Service{db: db, clk: clk, trail: log, apps: apps}
}

// Check is nil when the space may do scope on the mini program now. A space that may not even see it gets NotFound.
func (s *Service) Check(ctx context.Context, spaceID int64, appid, scope string) error {
	scopes, err := s.ScopesOf(ctx, spaceID, appid)
	if err != nil {
		return err
	}
	if len(scopes) == 0 {
		return miniprogram.ErrNotFound()
	}
	if !slices.Contains(scopes, scope) {
		return fault.Newf(fault.Forbidden, "no_grant", "没有“%s”的授权：需要小程序所有者授权（托管）后才能操作", Title(scope))
	}
	return nil
}

// CheckOwned is Check for a mini program whose owner was read a moment ago: the owner space needs no grant, and of all
// others the grants are read.
func (s *Service) CheckOwned(ctx context.Context, ownerSpaceID, spaceID int64, appid, scope string) error {
	if spaceID == ownerSpaceID && spaceID != 0 && slices.ContainsFunc(Scopes(), func(sc Scope) bool { return sc.Name == scope }) {
		return nil
	}
	return s.Check(ctx, spaceID, appid, scope)
}

// ScopesOf lists what the space may do on the mini program now; none when it may not even see it.
func (s *Service) ScopesOf(ctx context.Context, spaceID int64, appid string) ([]string, error) {
	if spaceID == 0 {
		return nil, nil
	}
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM mini_program WHERE appid=? AND owner_space_id=?", appid, spaceID)
	if err != nil {
		return nil, fmt.Errorf("grant: %w", err)
	}
	var scopes []string
	if n > 0 {
		for _, sc := range Scopes() {
			scopes = append(scopes, sc.Name)
		}
		return scopes, nil
	}
	rows, err := s.live(ctx, "appid=? AND space_id=?", appid, spaceID)
	if err != nil {
		return nil, err
	}
	for _, g := range rows {
		for _, sc := range append(g.Scopes, DataRead) {
			if !slices.Contains(scopes, sc) {
				scopes = append(scopes, sc)
			}
		}
	}
	return scopes, nil
}

func (s *Service) live(ctx context.Context, cond string, args ...any) ([]Grant, error) {
	var rows []Grant
	now := clock.Millis(s.clk.Now())
	err := s.db.All(ctx, &rows, "SELECT "+columns+" FROM access_grant WHERE revoked_at=0 AND (until_at=0 OR until_at>?) AND "+cond+" ORDER BY id", append([]any{now}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("grant: %w", err)
	}
	for i := range rows {
		rows[i].Scopes = strings.Split(rows[i].ScopeText, " ")
	}
	return rows, nil
}

// Request asks for a grant.
type Request struct {
	AppID     string
	SpaceID   int64 // who gets it
	Scopes    []string
	Until     int64  // Unix ms, 0 = no end
	Source    string // installation or contract
	SourceKey string // the same key gives the same grant again instead of a second one
}

// Create gives a right away; only the owner may. Repeating a source key replaces the scopes of that grant.
func (s *Service) Create(ctx context.Context, who account.Actor, r Request) (Grant, error) {
	m, err := s.apps.Find(ctx, r.AppID)
	if err != nil {
		return Grant{}, err
	}
	if !who.Reaches(r.AppID) {
		return Grant{}, miniprogram.ErrNotFound()
	}
	if m.OwnerSpaceID != who.SpaceID || who.SpaceID == 0 {
		if err := s.Check(ctx, who.SpaceID, r.AppID, DataRead); err != nil {
			return Grant{}, err
		}
		return Grant{}, fault.New(fault.Forbidden, "not_owner", "只有小程序的所有者可以授权别人操作")
	}
	// Whoever may install a template may give its merchant what the installation needs.
	if err := account.Require(who, "hosting.grant"); err != nil && !who.Can("market.install") {
		return Grant{}, err
	}
	bad := fault.InvalidInput()
	for _, sc := range r.Scopes {
		if Title(sc) == sc {
			bad.On("scopes", "没有这个授权范围："+sc)
		}
	}
	if len(r.Scopes) == 0 {
		bad.On("scopes", "请至少选择一项授权范围")
	}
	if r.Until != 0 && r.Until <= clock.Millis(s.clk.Now()) {
		bad.On("until", "到期时间应在将来")
	}
	if r.SourceKey == "" || len(r.SourceKey) > 96 || r.Source == "" {
		bad.On("source_key", "缺少授权来源")
	}
	if err := bad.OrNil(); err != nil {
		return Grant{}, err
	}
	id := s.db.NewID()
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		// A key names one right of one owner: it must not turn somebody else's grant into this one.
		taken, err := s.db.Int(ctx, "SELECT COUNT(*) FROM access_grant WHERE source_key=? AND (appid<>? OR space_id<>?)", r.SourceKey, r.AppID, r.SpaceID)
		if err != nil {
			return err
		}
		if taken > 0 {
			return fault.New(fault.Conflict, "source_key_taken", "这个授权来源已用于另一项授权，请重新发起")
		}
		if err := s.db.Upsert(ctx, "access_grant", map[string]any{
			"id": id, "appid": r.AppID, "space_id": r.SpaceID, "scopes": strings.Join(r.Scopes, " "), "source": r.Source, "source_key": r.SourceKey, "until_at": r.Until,
			"created_by": who.AccountID, "created_at": clock.Millis(s.clk.Now()), "revoked_by": 0, "revoked_at": 0,
		}, "source_key"); err != nil {
			return err
		}
		return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, AppID: r.AppID, Act: "grant.create", Object: r.SourceKey, Detail: strings.Join(r.Scopes, " ")})
	})
	if err != nil {
		return Grant{}, fmt.Errorf("grant: create: %w", err)
	}
	rows, err := s.live(ctx, "source_key=?", r.SourceKey)
	if err != nil || len(rows) == 0 {
		return Grant{}, fmt.Errorf("grant: create: not there afterwards: %w", err)
	}
	return rows[0], nil
}

// Revoke ends a grant at once (撤销); only the owner may. Ended already is fine.
func (s *Service) Revoke(ctx context.Context, who account.Actor, id int64) error {
	var g Grant
	found, err := s.db.One(ctx, &g, "SELECT "+columns+" FROM access_grant WHERE id=?", id)
	if err != nil {
		return fmt.Errorf("grant: %w", err)
	}
	missing := fault.New(fault.NotFound, "grant_not_found", "没有找到这项授权")
	if !found {
		return missing
	}
	m, err := s.apps.Find(ctx, g.AppID)
	if err != nil {
		return err
	}
	if m.OwnerSpaceID != who.SpaceID || who.SpaceID == 0 || !who.Reaches(g.AppID) {
		return missing
	}
	if err := account.Require(who, "hosting.revoke"); err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, "UPDATE access_grant SET revoked_by=?, revoked_at=? WHERE id=? AND revoked_at=0", who.AccountID, clock.Millis(s.clk.Now()), id)
		if err != nil || n == 0 {
			return err
		}
		return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, AppID: g.AppID, Act: "grant.revoke", Object: g.SourceKey})
	})
}

// ForMiniProgram lists the grants that hold on a mini program now (谁能操作我的小程序): all of them for its owner and for
// operators; whoever acts on it for the owner sees its own, and not who else the owner works with.
func (s *Service) ForMiniProgram(ctx context.Context, who account.Actor, appid string) ([]Grant, error) {
	if !who.Reaches(appid) {
		return nil, miniprogram.ErrNotFound()
	}
	if who.Operator() {
		return s.live(ctx, "appid=?", appid)
	}
	if err := s.Check(ctx, who.SpaceID, appid, DataRead); err != nil {
		return nil, err
	}
	m, err := s.apps.Find(ctx, appid)
	if err != nil {
		return nil, err
	}
	if m.OwnerSpaceID == who.SpaceID {
		return s.live(ctx, "appid=?", appid)
	}
	return s.live(ctx, "appid=? AND space_id=?", appid, who.SpaceID)
}
