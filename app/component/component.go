// Package component looks after bound third-party platform apps (第三方平台): their secrets, the ticket that WeChat
// pushes, the component_access_token and their health. It never touches a mini program's tokens.
// inbox asks it for keys, miniprogram and gateway for tokens, web and admin for the binding wizard.
package component

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/trail"
	"minifleet/app/wechat"
)

// States of a component, worst first in meaning; derived from the row, never stored.
const (
	StateOK            = "ok"             // 正常
	StateWaitingTicket = "waiting_ticket" // 等待票据
	StateTicketLate    = "ticket_late"    // 票据延迟: no ticket for 30 minutes
	StateTicketExpired = "ticket_expired" // 票据过期: no ticket for 12 hours
	StateTokenFailing  = "token_failing"  // the last exchange of the ticket was refused
)

// A ticket comes every ten minutes and is valid for twelve hours (01 B.1).
const (
	ticketLate    = 30 * time.Minute
	ticketExpired = 12 * time.Hour
)

// Component is a bound platform app without its secrets.
type Component struct {
	AppID          string `json:"appid" orm:"appid"`
	SpaceID        int64  `json:"space_id,string"`
	Name           string `json:"name"`
	State          string `json:"state" orm:"-"`
	TicketAt       int64  `json:"ticket_at"`        // when the newest ticket arrived, Unix ms, 0 = never
	TokenExpiresAt int64  `json:"token_expires_at"` // Unix ms, 0 = none yet
	LastError      string `json:"last_error,omitempty"`
	LastErrcode    int    `json:"last_errcode,omitempty"`
	LastErrorAt    int64  `json:"last_error_at,omitempty"`
	RotatedAt      int64  `json:"rotated_at"`       // since when two pairs of keys are good, Unix ms, 0 = no rotation
	PreviousUsedAt int64  `json:"previous_used_at"` // when a push last came under the previous keys, Unix ms, 0 = not since
	CreatedAt      int64  `json:"created_at"`
}

// publicColumns are those that may leave the room.
const publicColumns = "appid, space_id, name, ticket_at, token_expires_at, last_error, last_errcode, last_error_at, rotated_at, previous_used_at, created_at"

// Service is the room's door. Safe for concurrent use.
type Service struct {
	db     *store.DB
	vault  *secret.Vault
	clk    clock.Clock
	trail  *trail.Log
	wx     *wechat.Client
	flight *store.Flight
	public string

	keysChanged func(appid string)
}

// New makes the service. publicURL is what callback addresses are made of.
func New(db *store.DB, vault *secret.Vault, clk clock.Clock, log *trail.Log, wx *wechat.Client, publicURL string) *Service {
	return &Service{db: db, vault: vault, clk: clk, trail: log, wx: wx, flight: store.NewFlight(db), public: strings.TrimSuffix(publicURL, "/")}
}

// Binding is what the WeChat console shows about a platform app.
type Binding struct {
	AppID, Secret string
	Token         string // 消息校验Token, 3 to 32 letters and digits
	AESKey        string // 消息加解密Key, 43 letters and digits
	Name          string
}

var (
	appIDForm  = regexp.MustCompile(`^wx[0-9a-zA-Z]{16}$`)
	secretForm = regexp.MustCompile(`^[0-9a-zA-Z]{32}$`)
	tokenForm  = regexp.MustCompile(`^[0-9a-zA-Z_]{3,32}$`)
	aesKeyForm = regexp.MustCompile(`^[0-9a-zA-Z]{43}$`)
)

// Check normalises the binding and names every field that cannot be right.
func (b *Binding) Check() error {
	for _, f := range []*string{&b.AppID, &b.Secret, &b.Token, &b.AESKey, &b.Name} {
		*f = strings.TrimSpace(*f)
	}
	bad := fault.InvalidInput()
	if !appIDForm.MatchString(b.AppID) {
		bad.On("appid", "AppID 应为 wx 开头的 18 位字符，在 微信开放平台 → 管理中心 → 第三方平台 里复制")
	}
	if !secretForm.MatchString(b.Secret) {
		bad.On("secret", "AppSecret 应为 32 位字母和数字")
	}
	if !tokenForm.MatchString(b.Token) {
		bad.On("token", "消息校验 Token 应为 3 到 32 位字母、数字或下划线")
	}
	if !aesKeyForm.MatchString(b.AESKey) {
		bad.On("aes_key", "消息加解密 Key 应为 43 位字母和数字")
	}
	if n := utf8.RuneCountInString(b.Name); n < 1 || n > 40 {
		bad.On("name", "请填写平台名称（最多 40 个字）")
	}
	return bad.OrNil()
}

func purpose(column, appid string) string { return "component." + column + ":" + appid }

// Bind stores a platform app for the actor's space. An appid that is bound already, here or elsewhere, is refused.
func (s *Service) Bind(ctx context.Context, who account.Actor, b Binding) (Component, error) {
	if err := account.Require(who, "component.bind"); err != nil {
		return Component{}, err
	}
	if err := b.Check(); err != nil {
		return Component{}, err
	}
	row := map[string]any{
		"appid": b.AppID, "space_id": who.SpaceID, "name": b.Name, "previous_token": "", "previous_aes_key": "", "ticket": "", "ticket_time": 0, "ticket_at": 0,
		"access_token": "", "token_expires_at": 0, "last_error": "", "last_errcode": 0, "last_error_at": 0, "created_at": clock.Millis(s.clk.Now()),
	}
	for column, value := range map[string]string{"secret": b.Secret, "token": b.Token, "aes_key": b.AESKey} {
		sealed, err := s.vault.SealString(purpose(column, b.AppID), value)
		if err != nil {
			return Component{}, err
		}
		row[column] = sealed
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error {
		if err := s.db.Insert(ctx, "component", row); err != nil {
			return err
		}
		if err := s.mayBindMore(ctx, who.SpaceID); err != nil {
			return err
		}
		return s.trail.Record(ctx, trail.Entry{AccountID: who.AccountID, SpaceID: who.SpaceID, Actor: who.Name, Component: b.AppID, Act: "component.bind", Object: b.Name})
	})
	if store.Duplicate(err) {
		return Component{}, fault.New(fault.Conflict, "component_bound", "这个第三方平台已经绑定过了").On("appid", "这个 AppID 已经绑定过了").Because(err)
	}
	if err != nil {
		return Component{}, fmt.Errorf("component: bind %s: %w", b.AppID, err)
	}
	return s.Get(ctx, who, b.AppID)
}

// mayBindMore refuses a second platform app to a merchant whose application no operator has approved. It counts after the
// insert and under the space's lock, so that of two at once one is refused.
func (s *Service) mayBindMore(ctx context.Context, spaceID int64) error {
	if err := account.LockSpace(ctx, s.db, spaceID); err != nil {
		return err
	}
	approved, err := account.Approved(ctx, s.db, spaceID)
	if err != nil || approved {
		return err
	}
	n, err := s.db.Int(ctx, "SELECT COUNT(*) FROM component WHERE space_id=?", spaceID)
	if err == nil && n > 1 {
		err = fault.New(fault.Conflict, "merchant_unapproved", "商户入驻审核通过前只能绑定一个第三方平台，请先在“商户入驻”提交资料")
	}
	return err
}

var errNotFound = fault.New(fault.NotFound, "component_not_found", "没有找到这个第三方平台")

// Get reads one of the actor's platform apps; operators see all of them.
func (s *Service) Get(ctx context.Context, who account.Actor, appid string) (Component, error) {
	var c Component
	found, err := s.db.One(ctx, &c, "SELECT "+publicColumns+" FROM component WHERE appid=?", appid)
	if err != nil {
		return c, fmt.Errorf("component: %w", err)
	}
	if !found || c.SpaceID != who.SpaceID && !who.Operator() {
		return Component{}, errNotFound
	}
	c.State = s.state(c)
	return c, nil
}

// List gives the platform apps of the actor's space, all of them to an operator, the newest first.
func (s *Service) List(ctx context.Context, who account.Actor) ([]Component, error) {
	query, args := "SELECT "+publicColumns+" FROM component WHERE space_id=? ORDER BY created_at DESC, appid LIMIT 500", []any{who.SpaceID}
	if who.Operator() {
		query, args = "SELECT "+publicColumns+" FROM component ORDER BY created_at DESC, appid LIMIT 500", nil
	}
	var rows []Component
	if err := s.db.All(ctx, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("component: list: %w", err)
	}
	for i := range rows {
		rows[i].State = s.state(rows[i])
	}
	return rows, nil
}

// SpaceOf tells whose the platform app is; NotFound when it is not bound here.
func (s *Service) SpaceOf(ctx context.Context, appid string) (int64, error) {
	var row struct{ SpaceID int64 }
	found, err := s.db.One(ctx, &row, "SELECT space_id FROM component WHERE appid=?", appid)
	if err != nil {
		return 0, fmt.Errorf("component: %w", err)
	}
	if !found {
		return 0, errNotFound
	}
	return row.SpaceID, nil
}

func (s *Service) state(c Component) string {
	age := s.clk.Now().Sub(time.UnixMilli(c.TicketAt))
	switch {
	case c.TicketAt == 0:
		return StateWaitingTicket
	case age > ticketExpired:
		return StateTicketExpired
	case c.LastErrcode != 0 || c.LastError != "":
		return StateTokenFailing
	case age > ticketLate:
		return StateTicketLate
	default:
		return StateOK
	}
}

// Addresses are what a merchant copies into the WeChat console.
type Addresses struct {
	TicketURL  string `json:"ticket_url"`  // 授权事件接收 URL
	MessageURL string `json:"message_url"` // 消息与事件接收 URL, with $APPID$
	AuthDomain string `json:"auth_domain"` // 授权发起页域名
}

// Addresses gives the addresses of a platform app.
func (s *Service) Addresses(appid string) Addresses {
	domain := s.public
	if _, after, ok := strings.Cut(domain, "://"); ok {
		domain = after
	}
	return Addresses{TicketURL: s.public + "/wechat/" + appid + "/ticket", MessageURL: s.public + "/wechat/" + appid + "/message/$APPID$", AuthDomain: domain}
}
