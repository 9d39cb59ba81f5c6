package forward

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"minifleet/app/account"
	"minifleet/app/event"
	"minifleet/app/fault"
	"minifleet/app/wechat"
)

// Permission is what managing the forwarding of a platform app needs.
const Permission = "component.forward"

// Forms of what is sent.
const (
	FormJSON   = "json"   // our own JSON, signed like a webhook
	FormWeChat = "wechat" // WeChat's encrypted XML, under the receiver's own token and AES key
)

// States of a target.
const (
	StateOn     = "on"
	StateFails  = "failing" // the last tries failed
	StatePaused = "paused"  // by itself, after failures; events wait
	StateOff    = "off"     // by hand; events are not kept for it
)

// AllTypes stands for every type, also those that are not known by name.
const AllTypes = "*"

// Target is an address that pushes are told to. Its secrets are never shown again.
type Target struct {
	ID           int64    `json:"id,string"`
	SpaceID      int64    `json:"space_id,string"`
	Component    string   `json:"component"`
	Name         string   `json:"name"`
	URL          string   `json:"url"`
	Form         string   `json:"form"`
	Types        []string `json:"types"`
	AppIDs       []string `json:"appids"` // empty: all mini programs of the platform app
	State        string   `json:"state"`
	PausedAt     int64    `json:"paused_at"`
	PausedReason string   `json:"paused_reason,omitempty"`
	FailingSince int64    `json:"failing_since"`
	CreatedAt    int64    `json:"created_at"`
}

// Request is what a person fills in.
type Request struct {
	Component string   `json:"component"`
	Name      string   `json:"name"`
	URL       string   `json:"url"`
	Form      string   `json:"form"`
	Types     []string `json:"types"`
	AppIDs    []string `json:"appids"`
	Token     string   `json:"token"`   // of FormWeChat; "" keeps the one there is
	AESKey    string   `json:"aes_key"` // of FormWeChat; "" keeps the one there is
}

type targetRow struct {
	ID           int64
	SpaceID      int64
	Component    string
	Name         string
	URL          string `orm:"url"`
	Form         string
	Types        string
	AppIDs       string `orm:"appids"`
	Secret       string
	Token        string
	AesKey       string
	Enabled      int
	PausedAt     int64
	PausedReason string
	FailingSince int64
	Failures     int64
	Version      int64
	CreatedAt    int64
	UpdatedAt    int64
}

const targetColumns = "id, space_id, component, name, url, form, types, appids, secret, token, aes_key, enabled, paused_at, paused_reason, failing_since, failures, version, created_at, updated_at"

func (r targetRow) view() Target {
	t := Target{
		ID: r.ID, SpaceID: r.SpaceID, Component: r.Component, Name: r.Name, URL: r.URL, Form: r.Form, Types: strings.Fields(r.Types), AppIDs: strings.Fields(r.AppIDs),
		State: StateOn, PausedAt: r.PausedAt, PausedReason: r.PausedReason, FailingSince: r.FailingSince, CreatedAt: r.CreatedAt,
	}
	if t.AppIDs == nil {
		t.AppIDs = []string{}
	}
	switch {
	case r.Enabled == 0:
		t.State = StateOff
	case r.PausedAt > 0:
		t.State = StatePaused
	case r.FailingSince > 0:
		t.State = StateFails
	}
	return t
}

// live tells whether events are to be delivered now.
func (r targetRow) live() bool { return r.Enabled == 1 && r.PausedAt == 0 }

func subscriber(id int64) string { return prefix + strconv.FormatInt(id, 10) }

// prefix begins the name of every subscriber of this room.
const prefix = "forward:"

func purpose(column string, id int64) string {
	return "forward." + column + ":" + strconv.FormatInt(id, 10)
}

var (
	tokenForm  = regexp.MustCompile(`^[0-9a-zA-Z_]{3,32}$`)
	appIDForm  = regexp.MustCompile(`^wx[0-9a-zA-Z]{16}$`)
	errNone    = fault.New(fault.NotFound, "forward_not_found", "没有找到这个转发")
	errLimited = fault.New(fault.Forbidden, "forward_limited", "只能操作指定小程序的成员不能管理消息转发")
)

// Bounds.
const (
	targetsMost = 20  // of a space
	appIDsMost  = 100 // of a target
)

// check refuses what cannot be told, on the field at fault. keyed says that a token and a key are there already.
func (s *Service) check(f *Request, keyed bool) error {
	for _, v := range []*string{&f.Name, &f.URL, &f.Form, &f.Token, &f.AESKey} {
		*v = strings.TrimSpace(*v)
	}
	bad := fault.InvalidInput()
	if n := utf8.RuneCountInString(f.Name); n < 1 || n > 40 || !utf8.ValidString(f.Name) {
		bad.On("name", "请填写名称（1 到 40 个字）")
	} else if strings.ContainsFunc(f.Name, unicode.IsControl) {
		bad.On("name", "名称里不能有换行等控制字符") // it heads messages and mails
	}
	if why := s.o.Webhooks.CheckAddress(strings.ReplaceAll(f.URL, "$APPID$", "appid")); why != "" {
		bad.On("url", why)
	}
	switch f.Form {
	case FormJSON:
		f.Token, f.AESKey = "", ""
	case FormWeChat:
		if !tokenForm.MatchString(f.Token) && (f.Token != "" || !keyed) {
			bad.On("token", "接收方的 Token 应为 3 到 32 位字母、数字或下划线")
		}
		if _, err := wechat.DecodeAESKey(f.AESKey); err != nil && (f.AESKey != "" || !keyed) {
			bad.On("aes_key", "接收方的 EncodingAESKey 应为 43 位字母和数字")
		}
	default:
		bad.On("form", "应为 json 或 wechat")
	}
	f.checkTypes(bad)
	f.checkAppIDs(bad)
	return bad.OrNil()
}

func (f *Request) checkTypes(bad *fault.Error) {
	slices.Sort(f.Types)
	f.Types = slices.Compact(f.Types)
	if len(f.Types) == 0 {
		bad.On("types", "请至少选择一种事件")
	}
	if slices.Contains(f.Types, AllTypes) {
		f.Types = []string{AllTypes}
		return
	}
	known := event.ForwardableKinds()
	for _, t := range f.Types {
		if !slices.ContainsFunc(known, func(k event.Kind) bool { return k.Type == t }) {
			bad.On("types", "没有这种事件："+strconv.Quote(t))
			return
		}
	}
}

func (f *Request) checkAppIDs(bad *fault.Error) {
	f.AppIDs = slices.DeleteFunc(f.AppIDs, func(id string) bool { return id == "" })
	slices.Sort(f.AppIDs)
	f.AppIDs = slices.Compact(f.AppIDs)
	if len(f.AppIDs) > appIDsMost {
		bad.On("appids", "最多指定 100 个小程序，留空表示全部")
	}
	for _, id := range f.AppIDs {
		if !appIDForm.MatchString(id) {
			bad.On("appids", "不是小程序的 AppID："+strconv.Quote(id))
			return
		}
	}
}

// own finds a target of the actor's space.
func (s *Service) own(ctx context.Context, who account.Actor, id int64) (targetRow, error) {
	if err := may(who); err != nil {
		return targetRow{}, err
	}
	r, found, err := s.target(ctx, id)
	if err != nil {
		return r, err
	}
	if !found || r.SpaceID != who.SpaceID {
		return targetRow{}, errNone
	}
	return r, nil
}

func may(who account.Actor) error {
	if err := account.Require(who, Permission); err != nil {
		return err
	}
	if who.MiniPrograms != nil {
		return errLimited
	}
	return nil
}

func (s *Service) target(ctx context.Context, id int64) (r targetRow, found bool, err error) {
	if found, err = s.o.DB.One(ctx, &r, "SELECT "+targetColumns+" FROM forward_target WHERE id=?", id); err != nil {
		return r, false, fmt.Errorf("forward: %w", err)
	}
	return r, found, nil
}

// List gives the space's targets.
func (s *Service) List(ctx context.Context, who account.Actor) ([]Target, error) {
	if err := may(who); err != nil {
		return nil, err
	}
	var rows []targetRow
	if err := s.o.DB.All(ctx, &rows, "SELECT "+targetColumns+" FROM forward_target WHERE space_id=? ORDER BY id", who.SpaceID); err != nil {
		return nil, fmt.Errorf("forward: list: %w", err)
	}
	out := make([]Target, len(rows))
	for i, r := range rows {
		out[i] = r.view()
	}
	return out, nil
}

// Get finds one.
func (s *Service) Get(ctx context.Context, who account.Actor, id int64) (Target, error) {
	r, err := s.own(ctx, who, id)
	if err != nil {
		return Target{}, err
	}
	return r.view(), nil
}
