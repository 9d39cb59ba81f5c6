package plugin

import (
	"context"
	"fmt"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc/metadata"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/trail"
	"minifleet/app/wechat"
	"minifleet/plugins/sdk/pluginpb"
)

// hostService answers the callbacks of one plugin process. It belongs to that process' connection, so which plugin asks
// is not a matter of the request; on whose behalf is decided by the token.
type hostService struct {
	pluginpb.UnimplementedHostServer
	host   *Host
	plugin string
	info   *described
	// capabilities bound an extension; nil for a plugin of the house.
	capabilities *capabilities
}

// authority resolves the call's metadata. A delegation counts instead of the token, and its actor's rights of today
// are looked up now.
func (s *hostService) authority(ctx context.Context) (authority, error) {
	received, _ := metadata.FromIncomingContext(ctx)
	var a authority
	live := false
	if values := received.Get(metadataToken); len(values) == 1 {
		a, live = s.host.tokens.find(s.plugin, values[0])
	}
	if values := received.Get(metadataDelegation); len(values) == 1 {
		id, err := strconv.ParseInt(values[0], 10, 64)
		if err != nil {
			return authority{}, noDelegation()
		}
		delegated, err := s.host.delegated(ctx, id, s.plugin)
		if err != nil {
			return authority{}, err
		}
		if live {
			delegated.chain, delegated.requestID, delegated.bound, delegated.hops = a.chain, a.requestID, a.bound, a.hops
		}
		return delegated, nil
	}
	if !live {
		return authority{}, fault.New(fault.Unauthenticated, "plugin.token", "这次调用已经结束，请重新发起").
			Because(fmt.Errorf("dead or foreign token of %s", s.plugin))
	}
	if a.delegation == 0 {
		return a, nil
	}
	again, err := s.host.delegated(ctx, a.delegation, a.holder)
	if err != nil {
		return authority{}, err
	}
	again.chain, again.requestID, again.caller, again.bound, again.hops = a.chain, a.requestID, a.caller, a.bound, a.hops
	return again, nil
}

// authorized is authority, with the request id put into the context for the trail.
func (s *hostService) authorized(ctx context.Context) (authority, context.Context, error) {
	a, err := s.authority(ctx)
	ctx = trail.WithRequestID(ctx, a.requestID)
	if a.actor.ByToken() { // the operation log names the token that a plugin works under
		ctx = account.With(ctx, a.actor)
	}
	if err == nil && s.info.third { // what was switched off or withdrawn while the call runs is off for the rest of it too
		err = s.host.offeredTo(ctx, a, s.plugin)
	}
	return a, ctx, err
}

// guard turns a panic of the host's own code into a fault for this one call.
func (s *hostService) guard(method string, err *error) {
	if cause := recover(); cause != nil {
		s.host.log.Error("host service panicked", "plugin", s.plugin, "method", method, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
		*err = toWire(fmt.Errorf("panic in %s", method))
		return
	}
	if *err != nil {
		if failure := faultOf(*err); failure.Kind == fault.Internal {
			s.host.log.Error("host call failed", "plugin", s.plugin, "method", method, "error", failure.Error())
		} else if failure.Code == "plugin.query" || failure.Code == codeCapability {
			s.host.log.Warn("plugin asked wrongly", "plugin", s.plugin, "method", method, "error", failure.Error())
		}
		*err = toWire(*err)
	}
}

// WeChat sends one request through the gateway, within what the call may do.
func (s *hostService) WeChat(ctx context.Context, wired *pluginpb.WeChatRequest) (answer *pluginpb.WeChatResponse, err error) {
	defer s.guard("WeChat", &err)
	a, ctx, err := s.authorized(ctx)
	if err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(wired.GetQuery())
	if err != nil {
		return nil, mistake("query of %s: %v", wired.GetEndpoint(), err)
	}
	request := wechat.Request{
		Endpoint: wired.GetEndpoint(), Component: wired.GetComponent(), AppID: wired.GetAppid(), Query: query, Body: wired.GetBody(),
		Key: wired.GetKey(),
	}
	if wired.GetFileField() != "" || len(wired.GetFile()) > 0 {
		request.File = &wechat.File{Field: wired.GetFileField(), Name: wired.GetFileName(), ContentType: wired.GetFileType(), Data: wired.GetFile()}
	}
	if err := s.capabilities.wechat(request.Endpoint); err != nil {
		return nil, err
	}
	if err := mayCall(a, &request); err != nil {
		return nil, err
	}
	if err := s.host.mayReadFor(ctx, a, &request); err != nil {
		return nil, err
	}
	if a.delegation != 0 {
		ctx = trail.WithVia(ctx, trail.Via{Kind: trail.ViaDelegation, ID: a.delegation, Name: a.holder})
	}
	response, err := s.host.options.Gateway.Do(ctx, a.asCaller(s.plugin), request)
	if err != nil {
		return nil, err
	}
	return &pluginpb.WeChatResponse{Body: response.Body, ContentType: response.ContentType, Rid: response.RID}, nil
}

// Settle hands on what became of a plugin's keyed request. A key is the plugin's own: it reaches no other's.
func (s *hostService) Settle(ctx context.Context, wired *pluginpb.SettleRequest) (_ *pluginpb.SettleResponse, err error) {
	defer s.guard("Settle", &err)
	a, ctx, err := s.authorized(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.host.options.Gateway.Settle(ctx, a.asCaller(s.plugin), wired.GetKey(), wired.GetHappened()); err != nil {
		return nil, err
	}
	return &pluginpb.SettleResponse{}, nil
}

// mayCall keeps the system to reading, an event to its own mini program, and a delegation to its scopes. What a person
// may do is the gateway's to decide.
func mayCall(a authority, request *wechat.Request) error {
	endpoint, known := wechat.LookupEndpoint(request.Endpoint)
	if !known {
		return mistake("unknown endpoint %q", request.Endpoint)
	}
	refuse := func(zh string) error { return fault.New(fault.Forbidden, "plugin.not_allowed", zh) }
	switch a.kind {
	case byEvent, byJob, bySpace:
		if !endpoint.ReadOnly {
			return refuse("事件和定时任务只能读取微信数据，不能修改")
		}
		if a.kind == byEvent && (a.appid == "" || request.AppID != a.appid) && (request.AppID != "" || request.Component != a.component) {
			return refuse("事件处理只能读取该事件所属的小程序")
		}
	case byDelegation:
		if a.appid != "" && request.AppID != a.appid {
			return refuse("委托只对指定的小程序有效")
		}
		if endpoint.Scope != "" && !endpoint.ReadOnly && !slices.Contains(a.scopes, endpoint.Scope) {
			return refuse("委托不包含这项权限：" + endpoint.Scope)
		}
	default:
		if a.actor.Nobody() {
			return fault.New(fault.Unauthenticated, "plugin.login", "请先登录再操作")
		}
	}
	return nil
}

// Find reads an own collection or a core view.
func (s *hostService) Find(ctx context.Context, request *pluginpb.FindRequest) (answer *pluginpb.FindResponse, err error) {
	defer s.guard("Find", &err)
	a, ctx, err := s.authorized(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.mayRead(request); err != nil {
		return nil, err
	}
	var page found
	if view, isCore := strings.CutPrefix(request.GetCollection(), "core."); isCore {
		page, err = s.host.view(ctx, a, view, request)
	} else if c := s.info.collections[request.GetCollection()]; c != nil {
		page, err = s.host.ownRows(ctx, a, c, request)
	} else {
		err = mistake("no collection %q", request.GetCollection())
	}
	if err != nil {
		return nil, err
	}
	return &pluginpb.FindResponse{Rows: page.rows, Next: page.next, Total: page.total}, nil
}

// Commit writes.
func (s *hostService) Commit(ctx context.Context, request *pluginpb.CommitRequest) (answer *pluginpb.CommitResponse, err error) {
	defer s.guard("Commit", &err)
	a, ctx, err := s.authorized(ctx)
	if err != nil {
		return nil, err
	}
	if s.info.third {
		request.IdempotencyKey = ownKey(a, request.GetIdempotencyKey())
	}
	if err := s.host.shallow(s.plugin, a, request.GetEvents()); err != nil {
		return nil, err
	}
	done, err := s.host.committer.commit(ctx, s.plugin, a, s.info.collections, request)
	if err != nil {
		return nil, err
	}
	return &pluginpb.CommitResponse{Ids: done.ids, Repeated: done.repeated}, nil
}

// Call runs an operation of the core or of another plugin with the authority of this call.
func (s *hostService) Call(ctx context.Context, request *pluginpb.CallRequest) (answer *pluginpb.CallResponse, err error) {
	defer s.guard("Call", &err)
	a, ctx, err := s.authorized(ctx)
	if err != nil {
		return nil, err
	}
	target, name, ok := strings.Cut(request.GetOperation(), ".")
	if !ok {
		return nil, mistake("operation %q is not plugin.name", request.GetOperation())
	}
	if target == "core" {
		if err := s.capabilities.core(name); err != nil {
			return nil, err
		}
		output, err := s.host.coreCall(ctx, a, s.plugin, name, request.GetInput())
		if err != nil {
			return nil, err
		}
		return &pluginpb.CallResponse{Output: output}, nil
	}
	if err := s.capabilities.call(request.GetOperation()); err != nil {
		return nil, err
	}
	output, err := s.host.operate(ctx, a, s.plugin, target, name, request.GetInput())
	if err != nil {
		return nil, err
	}
	return &pluginpb.CallResponse{Output: output}, nil
}

var _ pluginpb.HostServer = (*hostService)(nil)
