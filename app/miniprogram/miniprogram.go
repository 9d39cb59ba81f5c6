// Package miniprogram keeps mini programs and their authorisations to platform apps: who owns one, which permission
// sets were granted, the tokens, the profile. It decides nothing about who else may act (that is grant).
// web, admin and the plugin host read it; gateway asks it for tokens; event delivers pushes to it.
package miniprogram

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/component"
	"minifleet/app/fault"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// States of an authorization.
const (
	Active      = "active"       // 已授权
	Revoked     = "revoked"      // 已取消授权
	NeedsReauth = "needs_reauth" // 授权失效: the refresh token no longer works
)

// MiniProgram is what a person sees of one. Times are Unix milliseconds.
type MiniProgram struct {
	ID             int64                  `json:"id,string"`
	AppID          string                 `json:"appid" orm:"appid"`
	OwnerSpaceID   int64                  `json:"owner_space_id,string"` // 0 = 未认领
	NickName       string                 `json:"nick_name"`
	UserName       string                 `json:"user_name"` // gh_… 原始ID
	HeadImg        string                 `json:"head_img"`
	Principal      string                 `json:"principal"` // 主体
	Signature      string                 `json:"signature"`
	ServiceType    int                    `json:"service_type"`
	VerifyType     int                    `json:"verify_type"`    // -1 未认证
	AccountStatus  int                    `json:"account_status"` // 1 normal, 14 cancelled, 16 banned, 18 warned, 19 frozen
	Categories     []wechat.CategoryNames `json:"categories" orm:"-"`
	SyncedAt       int64                  `json:"synced_at"`
	CreatedAt      int64                  `json:"created_at"`
	Authorizations []Authorization        `json:"authorizations" orm:"-"`
	CategoriesJSON string                 `json:"-" orm:"categories"`
}

// profileColumns are those of MiniProgram, by name: a query with a star is prepared anew at each read.
const profileColumns = "id, appid, owner_space_id, nick_name, user_name, head_img, principal, signature, service_type, verify_type, account_status, categories, synced_at, created_at"

// Name is the nickname, or the AppID while the profile is unknown.
func (m MiniProgram) Name() string {
	if m.NickName == "" {
		return m.AppID
	}
	return m.NickName
}

// Authorization is one mini program's authorisation to one platform app, without its tokens.
type Authorization struct {
	AppID     string `json:"-" orm:"appid"`
	Component string `json:"component"`
	State     string `json:"state"`
	Sets      []int  `json:"sets" orm:"-"`
	AuthTime  int64  `json:"auth_time"` // Unix seconds
	LastError string `json:"last_error,omitempty"`
	SetsText  string `json:"-" orm:"sets"`
}

// Holds reports whether the authorisation is active and includes the permission set.
func (a Authorization) Holds(set int) bool {
	if a.State != Active {
		return false
	}
	for _, s := range a.Sets {
		if s == set {
			return true
		}
	}
	return false
}

// Events announces what happened inside the transaction in which it happened.
type Events interface {
	Announce(ctx context.Context, typ, component, appid string, spaceID int64, data any) error
}

// Service is the room's door. Safe for concurrent use.
type Service struct {
	db         *store.DB
	vault      *secret.Vault
	clk        clock.Clock
	trail      *trail.Log
	wx         *wechat.Client
	components *component.Service
	events     Events
	flight     *store.Flight
	o          Options
}

// Options are the addresses that links are made of, and the clock on the wall.
type Options struct {
	PublicURL string // of this installation
	PCHost    string // wechat.PCHost, or the simulator
	H5Host    string // wechat.H5Host, or the simulator
	// Wall is wall time, which the bound of handing out tokens goes by; default time.Now.
	Wall func() time.Time
}

// New makes the service.
func New(db *store.DB, vault *secret.Vault, clk clock.Clock, log *trail.Log, wx *wechat.Client, components *component.Service, events Events, o Options) *Service {
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	if o.Wall == nil {
		o.Wall = time.Now
	}
	return &Service{db: db, vault: vault, clk: clk, trail: log, wx: wx, components: components, events: events, flight: store.NewFlight(db), o: o}
}

var errNotFound = fault.New(fault.NotFound, "miniprogram_not_found", "没有找到这个小程序")

// ErrNotFound is what a mini program of another space looks like.
func ErrNotFound() error { return errNotFound }

// Find reads a mini program with its authorisations, whoever asks; callers check who may see it.
func (s *Service) Find(ctx context.Context, appid string) (MiniProgram, error) {
	list, err := s.read(ctx, "SELECT "+profileColumns+" FROM mini_program WHERE appid=?", appid)
	if err != nil {
		return MiniProgram{}, err
	}
	if len(list) == 0 {
		return MiniProgram{}, errNotFound
	}
	return list[0], nil
}

// Filter narrows a listing. Visible is a condition on the alias m, made by grant for who asks.
type Filter struct {
	Visible   string
	Viewer    string // who asks, "" for nobody in particular
	Args      []any
	Query     string   // part of the name, AppID or 主体; several AppIDs separated by commas or white space
	AppIDs    []string // only these; nil for any
	Owner     int64    // only those of this space; 0 for any
	Component string
	State     string // of an authorisation
	Cursor    int64  // mini programs older than this id, or younger with Oldest
	Oldest    bool   // the oldest first: how a list is walked from its end
	Limit     int    // 1…100, default 20
	Uncounted bool   // leaves the total out, for who reads every page
}

// countKey names the question how many there are. Who sees what is in it by Viewer: the condition itself holds the moment
// at which grants end, which is another one at every call.
func (f Filter) countKey() string {
	if f.Viewer == "" {
		return ""
	}
	return fmt.Sprint(f.Viewer, f.Query, f.AppIDs, f.Owner, f.Component, f.State)
}

// Page is one page of a listing. Total is exact to 10,000 and -1 beyond.
type Page struct {
	Items []MiniProgram
	Next  int64 // cursor, 0 at the end
	Total int64
}

// Names are what the mini programs of the page are called, by AppID.
func (p Page) Names() map[string]string {
	names := make(map[string]string, len(p.Items))
	for _, m := range p.Items {
		names[m.AppID] = m.NickName
	}
	return names
}

const countCap = 10_000

// List gives mini programs, the newest first unless the filter says otherwise.
func (s *Service) List(ctx context.Context, f Filter) (Page, error) {
	if f.Limit < 1 || f.Limit > 100 {
		f.Limit = 20
	}
	where, args := []string{f.Visible}, append([]any(nil), f.Args...)
	if q := strings.TrimSpace(f.Query); q != "" {
		if many := account.SplitAppIDs(q); len(many) > 1 && strings.HasPrefix(many[0], "wx") {
			where, args = append(where, "m.appid IN (?)"), append(args, many)
		} else {
			like := "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(q) + "%"
			where, args = append(where, "(m.nick_name LIKE ? ESCAPE '!' OR m.appid LIKE ? ESCAPE '!' OR m.principal LIKE ? ESCAPE '!')"), append(args, like, like, like)
		}
	}
	if f.AppIDs != nil {
		where, args = append(where, "m.appid IN (?)"), append(args, append([]string{""}, f.AppIDs...))
	}
	if f.Owner != 0 {
		where, args = append(where, "m.owner_space_id=?"), append(args, f.Owner)
	}
	if f.Component != "" || f.State != "" {
		cond, more, err := s.authorized(ctx, f.Component, f.State)
		if err != nil {
			return Page{}, err
		}
		where, args = append(where, cond), append(args, more...)
	}
	cond := strings.Join(where, " AND ")
	total := int64(-1)
	if !f.Uncounted {
		var err error
		if total, err = s.db.CountUpTo(ctx, f.countKey(), countCap, "mini_program m WHERE "+cond, args...); err != nil {
			return Page{}, err
		}
	}
	beyond, order := "<", "DESC"
	if f.Oldest {
		beyond, order = ">", "ASC"
	}
	if f.Cursor > 0 {
		cond, args = cond+" AND m.id"+beyond+"?", append(args, f.Cursor)
	}
	list, err := s.read(ctx, "SELECT "+profileColumns+" FROM mini_program m WHERE "+cond+" ORDER BY m.id "+order+" LIMIT ?", append(args, f.Limit+1)...)
	if err != nil {
		return Page{}, err
	}
	p := Page{Items: list, Total: total}
	if len(list) > f.Limit {
		p.Items, p.Next = list[:f.Limit], list[f.Limit-1].ID
	}
	return p, nil
}

// authorized is the condition of a mini program that has such an authorisation. Where those are few the list begins with
// them; else it looks at each mini program, of which soon enough one has it.
func (s *Service) authorized(ctx context.Context, component, state string) (cond string, args []any, err error) {
	var parts []string
	if component != "" {
		parts, args = append(parts, "x.component=?"), append(args, component)
	}
	if state != "" {
		parts, args = append(parts, "x.state=?"), append(args, state)
	}
	cond = strings.Join(parts, " AND ")
	few, err := s.db.CountUpTo(ctx, "", countCap, "authorization x WHERE "+cond, args...)
	if err != nil {
		return "", nil, fmt.Errorf("miniprogram: %w", err)
	}
	if few >= 0 {
		return "m.appid IN (SELECT x.appid FROM authorization x WHERE " + cond + ")", args, nil
	}
	return "EXISTS (SELECT 1 FROM authorization x WHERE x.appid=m.appid AND " + cond + ")", args, nil
}

func (s *Service) read(ctx context.Context, query string, args ...any) ([]MiniProgram, error) {
	var list []MiniProgram
	if err := s.db.All(ctx, &list, query, args...); err != nil {
		return nil, fmt.Errorf("miniprogram: %w", err)
	}
	if len(list) == 0 {
		return nil, nil
	}
	at, appids := map[string]int{}, make([]string, len(list))
	for i := range list {
		at[list[i].AppID], appids[i] = i, list[i].AppID
		if err := json.Unmarshal([]byte(list[i].CategoriesJSON), &list[i].Categories); err != nil {
			return nil, fmt.Errorf("miniprogram: categories of %s: %w", list[i].AppID, err)
		}
	}
	var auths []Authorization
	if err := s.db.All(ctx, &auths, "SELECT appid, component, state, sets, auth_time, last_error FROM authorization WHERE appid IN (?) ORDER BY id", appids); err != nil {
		return nil, fmt.Errorf("miniprogram: %w", err)
	}
	for _, a := range auths {
		a.Sets = parseSets(a.SetsText)
		m := &list[at[a.AppID]]
		m.Authorizations = append(m.Authorizations, a)
	}
	return list, nil
}

func parseSets(text string) []int {
	var sets []int
	for _, f := range strings.Split(text, ",") {
		if n, err := strconv.Atoi(f); err == nil {
			sets = append(sets, n)
		}
	}
	return sets
}

func formatSets(sets []int) string {
	parts := make([]string, len(sets))
	for i, s := range sets {
		parts[i] = strconv.Itoa(s)
	}
	return strings.Join(parts, ",")
}

// UserName gives the gh_ id that pushes for the mini program must carry, "" while the profile is unknown, and whether
// the mini program is authorised to the component: who was shown the door has no news of it any more.
func (s *Service) UserName(ctx context.Context, component, appid string) (string, bool, error) {
	var row struct{ UserName string }
	found, err := s.db.One(ctx, &row, "SELECT m.user_name FROM mini_program m JOIN authorization a ON a.appid=m.appid WHERE a.component=? AND a.appid=? AND a.state<>?", component, appid, Revoked)
	return row.UserName, found, err
}

// Foreign tells whether the mini program is known here, but not as one that is authorised to the component.
func (s *Service) Foreign(ctx context.Context, component, appid string) (bool, error) {
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM mini_program m WHERE m.appid=? AND NOT EXISTS (SELECT 1 FROM authorization a WHERE a.appid=m.appid AND a.component=? AND a.state<>?)", appid, component, Revoked)
	if err != nil {
		return false, fmt.Errorf("miniprogram: %w", err)
	}
	return n > 0, nil
}

// Sync reads profile and permission sets from WeChat. When WeChat refuses, nothing changes here.
func (s *Service) Sync(ctx context.Context, who account.Actor, appid string) error {
	m, err := s.Find(ctx, appid)
	if err != nil {
		return err
	}
	var last error = fault.New(fault.Conflict, "not_authorized", "这个小程序目前没有有效的授权，请先重新授权")
	for _, a := range m.Authorizations {
		if a.State != Active {
			continue
		}
		if last = s.syncFrom(ctx, who, a.Component, appid); last == nil {
			return nil
		}
	}
	return last
}

func (s *Service) syncFrom(ctx context.Context, who account.Actor, component, appid string) error {
	token, err := s.components.Token(ctx, component)
	if err != nil {
		return err
	}
	started := time.Now()
	info, err := s.wx.AuthorizerInfo(ctx, component, token, appid)
	if wechat.TokenRejected(err) {
		if token, err = s.components.Renew(ctx, component, token); err == nil {
			info, err = s.wx.AuthorizerInfo(ctx, component, token, appid)
		}
	}
	s.trail.WeChat(ctx, trail.Call{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Endpoint: wechat.EndpointAuthorizerInfo, Component: component, AppID: appid, Started: started, Err: err})
	if err != nil {
		return fmt.Errorf("sync of %s: %w", appid, err)
	}
	categories, err := json.Marshal(append([]wechat.CategoryNames{}, info.Categories...))
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(ctx context.Context) error {
		_, err := s.db.Exec(ctx, "UPDATE mini_program SET nick_name=?, user_name=?, head_img=?, principal=?, signature=?, service_type=?, verify_type=?, categories=?, synced_at=? WHERE appid=?",
			info.NickName, info.UserName, info.HeadImg, info.PrincipalName, info.Signature, info.ServiceType, info.VerifyType, string(categories), clock.Millis(s.clk.Now()), appid)
		if err != nil {
			return err
		}
		if err := s.turnStatus(ctx, component, appid, info.AccountStatus); err != nil || len(info.Sets) == 0 {
			return err
		}
		_, err = s.db.Exec(ctx, "UPDATE authorization SET sets=? WHERE component=? AND appid=? AND state=?", formatSets(info.Sets), component, appid, Active)
		return err
	})
}
