package sdktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

type authorityKind int

const (
	byPerson authorityKind = iota
	byEvent
	byJob
	byDelegation
	bySpace // a job that runs for each space: what that space sees, reading only at WeChat
)

type authority struct {
	kind             authorityKind
	actor            sdk.ActorInfo
	component, appid string
	space            int64
	scopes           []string
	hops             int // depth of the events that are published under it
}

type delegation struct {
	actor sdk.ActorInfo
	sdk.DelegationRequest
	ended bool
}

// host is the Host service in memory.
type host struct {
	pluginpb.UnimplementedHostServer
	plugin  *pluginpb.Manifest
	options Options

	mu          sync.Mutex
	clock       time.Time
	last        int64
	tokens      map[string]authority
	tables      map[string]*memory
	keys        map[string][]int64
	events      []sdk.Event
	hops        map[int64]int // of the events, by their ids
	news        []News
	stubs       map[string]func(sdk.ActorInfo, json.RawMessage) (any, error)
	rights      map[string]map[int64][]string
	delegations map[int64]*delegation
}

func newHost(p *sdk.Plugin, options Options) *host {
	h := &host{
		plugin: p.Manifest(), options: options, clock: options.Now, last: 1000, tokens: map[string]authority{}, tables: map[string]*memory{},
		keys: map[string][]int64{}, stubs: map[string]func(sdk.ActorInfo, json.RawMessage) (any, error){}, rights: map[string]map[int64][]string{},
		delegations: map[int64]*delegation{}, hops: map[int64]int{},
	}
	for appid, spaces := range options.Rights {
		h.rights[appid] = map[int64][]string{}
		for space, scopes := range spaces {
			h.rights[appid][space] = slices.Clone(scopes)
		}
	}
	for _, declared := range h.plugin.GetCollections() {
		h.tables[declared.GetName()] = newMemory(declared)
	}
	return h
}

func (h *host) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *host) advance(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(by)
}

func (h *host) nextID() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	return h.last
}

func (h *host) publishedEvents() []sdk.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

// depth is how many events led to a published one.
func (h *host) depth(event int64) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hops[event]
}

func (h *host) mint(a authority) (string, func()) {
	token := strconv.FormatInt(h.nextID(), 10)
	h.mu.Lock()
	h.tokens[token] = a
	h.mu.Unlock()
	return token, func() {
		h.mu.Lock()
		delete(h.tokens, token)
		h.mu.Unlock()
	}
}

func (h *host) callContext(actor sdk.ActorInfo, frame, caller string, delegated int64) *pluginpb.CallContext {
	prefix := "/p/" + h.plugin.GetId()
	switch frame {
	case sdk.FrameAdmin:
		prefix = "/admin/p/" + h.plugin.GetId()
	case sdk.FrameAPI:
		prefix = "/api/v1/" + h.plugin.GetId()
	}
	return &pluginpb.CallContext{
		Actor: &pluginpb.Actor{
			AccountId: actor.AccountID, SpaceId: actor.SpaceID, Name: actor.Name, Space: actor.Space, SpaceKind: actor.SpaceKind,
			Role: actor.Role, System: actor.System,
		},
		NowMs: h.now().UnixMilli(), RequestId: "test", Frame: frame, Prefix: prefix, Caller: caller, Delegation: delegated,
	}
}

// authority resolves a callback as the real host does: a delegation counts instead of the token.
func (h *host) authority(ctx context.Context) (authority, error) {
	received, _ := metadata.FromIncomingContext(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	var live authority
	isLive := false
	if tokens := received.Get(sdk.MetadataToken); len(tokens) == 1 {
		live, isLive = h.tokens[tokens[0]]
	}
	if ids := received.Get(sdk.MetadataDelegation); len(ids) == 1 {
		id, err := strconv.ParseInt(ids[0], 10, 64)
		given := h.delegations[id]
		if err != nil || given == nil || given.ended || given.Until <= h.clock.UnixMilli() {
			return authority{}, sdk.Forbidden("plugin.delegation", "委托已结束或已过期，请由小程序主体重新发起")
		}
		return authority{kind: byDelegation, actor: given.actor, appid: given.AppID, scopes: given.Scopes, hops: live.hops}, nil
	}
	if isLive {
		return live, nil
	}
	return authority{}, sdk.Fail("plugin.token", "这次调用已经结束，请重新发起").OfKind(sdk.KindUnauthenticated)
}

// WeChat passes a call to the transport of the options, within what the call may do.
func (h *host) WeChat(ctx context.Context, wired *pluginpb.WeChatRequest) (*pluginpb.WeChatResponse, error) {
	a, err := h.authority(ctx)
	if err == nil {
		err = h.asked("wechat", wired.GetEndpoint())
	}
	if err == nil {
		err = h.mayCall(a, wired)
	}
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	query, err := url.ParseQuery(wired.GetQuery())
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	request := wechat.Request{Endpoint: wired.GetEndpoint(), Component: wired.GetComponent(), AppID: wired.GetAppid(), Query: query, Body: wired.GetBody()}
	if len(wired.GetFile()) > 0 {
		request.File = &wechat.File{Field: wired.GetFileField(), Name: wired.GetFileName(), ContentType: wired.GetFileType(), Data: wired.GetFile()}
	}
	if h.options.WeChat == nil {
		return nil, sdk.EncodeError(errors.New("sdktest: no WeChat transport in the options"))
	}
	answer, err := h.options.WeChat.Do(ctx, request)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	return &pluginpb.WeChatResponse{Body: answer.Body, ContentType: answer.ContentType, Rid: answer.RID}, nil
}

// Settle has nothing to remember: the transport of the options keeps no marks.
func (h *host) Settle(ctx context.Context, _ *pluginpb.SettleRequest) (*pluginpb.SettleResponse, error) {
	if _, err := h.authority(ctx); err != nil {
		return nil, sdk.EncodeError(err)
	}
	return &pluginpb.SettleResponse{}, nil
}

func (h *host) mayCall(a authority, wired *pluginpb.WeChatRequest) error {
	endpoint, known := wechat.LookupEndpoint(wired.GetEndpoint())
	if !known {
		return fmt.Errorf("sdktest: unknown endpoint %q", wired.GetEndpoint())
	}
	refused := sdk.Forbidden("plugin.not_allowed", "没有这个小程序的权限")
	switch a.kind {
	case byEvent, byJob, bySpace:
		if !endpoint.ReadOnly || a.kind == byEvent && wired.GetAppid() != "" && wired.GetAppid() != a.appid {
			return refused
		}
		return nil
	case byDelegation:
		if a.appid != "" && wired.GetAppid() != a.appid || endpoint.Scope != "" && !endpoint.ReadOnly && !slices.Contains(a.scopes, endpoint.Scope) {
			return refused
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if wired.GetAppid() != "" && endpoint.Scope != "" && !h.may(a.actor.SpaceID, wired.GetAppid(), endpoint.Scope) {
		return refused
	}
	return nil
}

// Call answers by a stub, or plays the core.
func (h *host) Call(ctx context.Context, request *pluginpb.CallRequest) (*pluginpb.CallResponse, error) {
	a, err := h.authority(ctx)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	if err := h.mayOperate(request.GetOperation()); err != nil {
		return nil, sdk.EncodeError(err)
	}
	h.mu.Lock()
	stub := h.stubs[request.GetOperation()]
	h.mu.Unlock()
	var answer any
	switch {
	case stub != nil:
		answer, err = stub(a.actor, request.GetInput())
	case strings.HasPrefix(request.GetOperation(), "core."):
		answer, err = h.core(a, strings.TrimPrefix(request.GetOperation(), "core."), request.GetInput())
	default:
		err = sdk.NotFound("plugin.operation", "插件没有这个操作："+request.GetOperation())
	}
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	output, err := json.Marshal(answer)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	return &pluginpb.CallResponse{Output: output}, nil
}

var _ pluginpb.HostServer = (*host)(nil)
