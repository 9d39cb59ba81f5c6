package sdktest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
	"minifleet/plugins/sdk/schema"
)

// Deadlines of calls to plugins, and how deep operations may call each other.
const (
	pageWithin  = 30 * time.Second
	eventWithin = time.Minute
	jobWithin   = 10 * time.Minute
	deepest     = 6
)

// operation is what a plugin offers others.
type operation struct {
	declared      *pluginpb.Operation
	input, output *schema.Schema
}

func operationsOf(m *pluginpb.Manifest) (map[string]*operation, error) {
	operations := map[string]*operation{}
	for _, declared := range m.GetOperations() {
		input, err := schema.Compile(declared.GetInputSchema())
		if err != nil {
			return nil, fmt.Errorf("input of operation %s: %w", declared.GetName(), err)
		}
		output, err := schema.Compile(declared.GetOutputSchema())
		if err != nil {
			return nil, fmt.Errorf("answer of operation %s: %w", declared.GetName(), err)
		}
		operations[declared.GetName()] = &operation{declared, input, output}
	}
	return operations, nil
}

// call makes one call to the plugin, under a token that dies with it and within its time.
func (h *host) call(ctx context.Context, a authority, within time.Duration, run func(context.Context, pluginpb.PluginClient) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	a.bound = ctx
	token, end := h.mint(a)
	defer end()
	call := h.callContext(a)
	call.Token = token
	err := run(pluginpb.WithCall(ctx, call), h.client)
	if deadline, _ := ctx.Deadline(); err != nil && !time.Now().Before(deadline) {
		return &sdk.Error{Kind: sdk.KindUnavailable, Code: "plugin.timeout", Message: "插件处理超时，请稍后重试", Cause: err}
	}
	return sdk.DecodeError(err)
}

// Call answers by a stub, plays the core, or asks the plugin whose operation it is.
func (h *host) Call(ctx context.Context, request *pluginpb.CallRequest) (*pluginpb.CallResponse, error) {
	a, err := h.authority(ctx)
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	full := request.GetOperation()
	target, name, whole := strings.Cut(full, ".")
	if !whole {
		return nil, sdk.EncodeError(refused("operation %q is not plugin.name", full))
	}
	if err := h.mayOperate(full); err != nil {
		return nil, sdk.EncodeError(err)
	}
	h.mu.Lock()
	stub := h.stubs[full]
	h.mu.Unlock()
	var output []byte
	switch {
	case stub != nil:
		output, err = encoded(stub(a.actor, request.GetInput()))
	case target == "core":
		output, err = encoded(h.core(a, name, request.GetInput()))
	default:
		output, err = h.operate(ctx, a, target, name, request.GetInput())
	}
	if err != nil {
		return nil, sdk.EncodeError(err)
	}
	return &pluginpb.CallResponse{Output: output}, nil
}

func encoded(answer any, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

// operate routes a call between plugins: the input fits before the callee is asked, the answer before the caller reads it,
// and the call ends with the call it was made in.
func (h *host) operate(ctx context.Context, a authority, target, name string, input []byte) ([]byte, error) {
	callee := h.plugins[target]
	if callee == nil {
		return nil, sdk.NotFound("plugin.unknown", "没有这个插件")
	}
	called := callee.operations[name]
	if called == nil || called.declared.GetInternal() {
		return nil, sdk.NotFound("plugin.operation", "插件没有这个操作")
	}
	full := target + "." + name
	switch {
	case slices.Contains(a.chain, full):
		return nil, sdk.Conflict("plugin.cycle", "插件之间的调用形成了循环，已停止")
	case len(a.chain) >= deepest:
		return nil, sdk.Conflict("plugin.depth", "插件之间的调用层数过多，已停止")
	}
	a.chain, a.caller, a.frame = append(slices.Clone(a.chain), full), h.plugin.GetId(), ""
	ctx, end := boundTo(ctx, a.bound)
	defer end()
	return callee.run(ctx, a, called, input)
}

// run asks the plugin for one of its operations and holds both sides to its schemas.
func (h *host) run(ctx context.Context, a authority, called *operation, input []byte) (output []byte, err error) {
	full := h.plugin.GetId() + "." + called.declared.GetName()
	if !json.Valid(input) {
		return nil, refused("input of %s is not JSON", full)
	}
	if wrong, err := called.input.Check(input); err != nil {
		bad := sdk.Fail("plugin.input", "调用 "+full+" 的参数有误").Because(err)
		for _, one := range wrong {
			bad = bad.On(one.Name, one.Message)
		}
		return nil, bad
	}
	ctx = metadata.NewOutgoingContext(ctx, metadata.MD{})
	err = h.call(ctx, a, jobWithin, func(ctx context.Context, client pluginpb.PluginClient) error {
		answer, err := client.Operate(ctx, &pluginpb.OperateRequest{Name: called.declared.GetName(), Input: input})
		output = answer.GetOutput()
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(output) > sdk.MaxBody {
		err = fmt.Errorf("%d bytes are more than %d", len(output), sdk.MaxBody)
	} else {
		_, err = called.output.Check(output)
	}
	if err != nil {
		return nil, (&sdk.Error{Kind: sdk.KindInternal, Code: "plugin.output", Message: "插件的回答与它声明的格式不符，请联系插件作者"}).
			Because(fmt.Errorf("%s: %w", full, err))
	}
	return output, nil
}

// boundTo lets what is called under a call end with it, whatever the plugin in between sends along.
func boundTo(ctx, bound context.Context) (context.Context, func()) {
	if bound == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(bound, func() { cancel(context.Cause(bound)) })
	free := func() {}
	if deadline, ok := bound.Deadline(); ok {
		ctx, free = context.WithDeadline(ctx, deadline)
	}
	return ctx, func() {
		stop()
		free()
		cancel(nil)
	}
}
