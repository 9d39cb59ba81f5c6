package sdktest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	hops             int    // depth of the events that are published under it
	delegation       int64  // under which the call runs, 0 for none
	holder           string // the plugin it was given to
	frame            string
	chain            []string        // operations that led here
	caller           string          // the plugin that called the operation
	bound            context.Context // of the call: what is called under it ends with it
}

type delegation struct {
	actor  sdk.ActorInfo
	holder string
	sdk.DelegationRequest
	ended bool
}

// world is what all plugins of one harness share.
type world struct {
	options Options
	plugins map[string]*host // by id; complete before the first call

	mu          sync.Mutex
	clock       time.Time
	last        int64
	events      []sdk.Event
	hops        map[int64]int // of the events, by their ids
	news        []News
	stubs       map[string]func(sdk.ActorInfo, json.RawMessage) (any, error)
	rights      map[string]map[int64][]string
	granted     map[int64]sdk.GrantRequest
	delegations map[int64]*delegation
}

func newWorld(options Options) *world {
	w := &world{
		options: options, plugins: map[string]*host{}, clock: options.Now, last: 1000, rights: map[string]map[int64][]string{},
		stubs:   map[string]func(sdk.ActorInfo, json.RawMessage) (any, error){},
		granted: map[int64]sdk.GrantRequest{}, delegations: map[int64]*delegation{}, hops: map[int64]int{},
	}
	for appid, spaces := range options.Rights {
		w.rights[appid] = map[int64][]string{}
		for space, scopes := range spaces {
			w.rights[appid][space] = slices.Clone(scopes)
		}
	}
	return w
}

// host is the Host service in memory, as one plugin has it.
type host struct {
	pluginpb.UnimplementedHostServer
	*world
	plugin     *pluginpb.Manifest
	routes     *http.ServeMux
	operations map[string]*operation
	client     pluginpb.PluginClient

	tokens map[string]authority // these under the world's mu
	tables map[string]*memory
	keys   map[string][]int64
}

// host adds a plugin to the world.
func (w *world) host(p *sdk.Plugin) (*host, error) {
	h := &host{world: w, plugin: p.Manifest(), tokens: map[string]authority{}, tables: map[string]*memory{}, keys: map[string][]int64{}}
	for _, declared := range h.plugin.GetCollections() {
		h.tables[declared.GetName()] = newMemory(declared)
	}
	h.routes = routesOf(h.plugin)
	var err error
	h.operations, err = operationsOf(h.plugin)
	w.plugins[p.ID()] = h
	return h, err
}

func (h *world) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.clock
}

func (h *world) advance(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clock = h.clock.Add(by)
}

func (h *world) nextID() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last++
	return h.last
}

func (h *world) publishedEvents() []sdk.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.events)
}

// depth is how many events led to a published one.
func (h *world) depth(event int64) int {
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

func (h *host) callContext(a authority) *pluginpb.CallContext {
	prefix := ""
	switch a.frame {
	case sdk.FramePortal:
		prefix = "/p/" + h.plugin.GetId()
	case sdk.FrameAdmin:
		prefix = "/admin/p/" + h.plugin.GetId()
	case sdk.FrameAPI:
		prefix = "/api/v1/" + h.plugin.GetId()
	}
	return &pluginpb.CallContext{
		Actor: &pluginpb.Actor{
			AccountId: a.actor.AccountID, SpaceId: a.actor.SpaceID, Name: a.actor.Name, Space: a.actor.Space, SpaceKind: a.actor.SpaceKind,
			Role: a.actor.Role, System: a.actor.System,
		},
		NowMs: h.now().UnixMilli(), RequestId: "test", Frame: a.frame, Prefix: prefix, Caller: a.caller,
	}
}

// authority resolves a callback as the real host does: a delegation counts instead of the token, and is looked at again at
// every use.
func (h *host) authority(ctx context.Context) (authority, error) {
	received, _ := metadata.FromIncomingContext(ctx)
	h.mu.Lock()
	defer h.mu.Unlock()
	var a authority
	live := false
	if tokens := received.Get(sdk.MetadataToken); len(tokens) == 1 {
		a, live = h.tokens[tokens[0]]
	}
	if ids := received.Get(sdk.MetadataDelegation); len(ids) == 1 {
		id, err := strconv.ParseInt(ids[0], 10, 64)
		if err != nil {
			return authority{}, noDelegation()
		}
		delegated, err := h.delegated(id, h.plugin.GetId())
		delegated.chain, delegated.bound, delegated.hops = a.chain, a.bound, a.hops
		return delegated, err
	}
	if !live {
		return authority{}, sdk.Fail("plugin.token", "这次调用已经结束，请重新发起").OfKind(sdk.KindUnauthenticated)
	}
	if a.delegation == 0 {
		return a, nil
	}
	again, err := h.delegated(a.delegation, a.holder)
	again.chain, again.caller, again.bound, again.hops = a.chain, a.caller, a.bound, a.hops
	return again, err
}

// delegated is what a delegation allows now. Call with mu held.
func (h *world) delegated(id int64, holder string) (authority, error) {
	given := h.delegations[id]
	if given == nil || given.holder != holder || given.ended || given.Until <= h.clock.UnixMilli() {
		return authority{}, noDelegation()
	}
	return authority{kind: byDelegation, actor: given.actor, appid: given.AppID, scopes: given.Scopes, delegation: id, holder: holder}, nil
}

func noDelegation() error {
	return sdk.Forbidden("plugin.delegation", "委托已结束或已过期，请由小程序主体重新发起")
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
		return nil, sdk.EncodeError(refused("query of %s: %v", wired.GetEndpoint(), err))
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

// mayCall keeps the system to reading, an event to its own mini program, a delegation to its scopes, and all to what their
// space may do today.
func (h *host) mayCall(a authority, wired *pluginpb.WeChatRequest) error {
	endpoint, known := wechat.LookupEndpoint(wired.GetEndpoint())
	if !known {
		return refused("unknown endpoint %q", wired.GetEndpoint())
	}
	refuse := func(zh string) error { return sdk.Forbidden("plugin.not_allowed", zh) }
	h.mu.Lock()
	defer h.mu.Unlock()
	appid := wired.GetAppid()
	switch a.kind {
	case byEvent, byJob, bySpace:
		if !endpoint.ReadOnly {
			return refuse("事件和定时任务只能读取微信数据，不能修改")
		}
		if a.kind == byEvent && (a.appid == "" || appid != a.appid) && (appid != "" || wired.GetComponent() != a.component) {
			return refuse("事件处理只能读取该事件所属的小程序")
		}
		if a.kind == bySpace && !h.spaceReads(a, appid, wired.GetComponent(), endpoint.Scope) {
			return sdk.Forbidden("plugin.not_yours", "这个空间没有读取该小程序的权限")
		}
		return nil
	case byDelegation:
		if a.appid != "" && appid != a.appid {
			return refuse("委托只对指定的小程序有效")
		}
		if endpoint.Scope != "" && !endpoint.ReadOnly && !slices.Contains(a.scopes, endpoint.Scope) {
			return refuse("委托不包含这项权限：" + endpoint.Scope)
		}
	default:
		if a.nobody() {
			return needsLogin()
		}
	}
	if appid != "" && endpoint.Scope != "" && !h.may(a.actor.SpaceID, appid, endpoint.Scope) {
		return refuse("没有这个小程序的权限")
	}
	return nil
}

// spaceReads tells whether the space that the system works for may read the mini program, or owns the platform app. Call
// with mu held.
func (h *world) spaceReads(a authority, appid, component, scope string) bool {
	if a.appid != "" && appid != a.appid {
		return false
	}
	if appid != "" {
		return scope != "" && h.may(a.space, appid, scope)
	}
	return slices.ContainsFunc(h.options.Components, func(c sdk.ComponentInfo) bool {
		return component != "" && c.AppID == component && c.Space == a.space
	})
}

func needsLogin() error {
	return sdk.Forbidden("plugin.login", "请先登录再操作").OfKind(sdk.KindUnauthenticated)
}

var _ pluginpb.HostServer = (*host)(nil)
