package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/grpc/metadata"

	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
	"minifleet/plugins/sdk/schema"
)

// Bounds of operations.
const (
	operationsMost     = 100 // of one plugin
	operationsOfCaller = 128 // that one plugin has running in others at a time
)

// operation is what a plugin offers others, with its schemas compiled; a nil one lets everything pass.
type operation struct {
	declared      *pluginpb.Operation
	input, output *schema.Schema
}

func checkOperations(m *Manifest) (map[string]*operation, error) {
	operations := map[string]*operation{}
	for _, declared := range m.GetOperations() {
		name := declared.GetName()
		if !nameShape.MatchString(name) || operations[name] != nil {
			return nil, fmt.Errorf("operation %q is badly named or declared twice", name)
		}
		input, err := schema.Compile(declared.GetInputSchema())
		if err != nil {
			return nil, fmt.Errorf("input of operation %s: %w", name, err)
		}
		output, err := schema.Compile(declared.GetOutputSchema())
		if err != nil {
			return nil, fmt.Errorf("answer of operation %s: %w", name, err)
		}
		operations[name] = &operation{declared, input, output}
	}
	if len(operations) > operationsMost {
		return nil, fmt.Errorf("%d operations are more than %d", len(operations), operationsMost)
	}
	return operations, nil
}

// wrongInput names what is wrong with a call's input, field by field.
func wrongInput(operation string, wrong []schema.Wrong, cause error) *fault.Error {
	bad := fault.New(fault.Invalid, "plugin.input", "调用 "+operation+" 的参数有误").Because(cause)
	for _, one := range wrong {
		bad.On(one.Name, one.Message)
	}
	return bad
}

// operate routes a call between plugins: the input fits before the callee is asked, the answer before the caller reads it,
// and the call ends with the call it was made in.
func (h *Host) operate(ctx context.Context, a authority, caller, target, name string, input []byte) ([]byte, error) {
	u := h.unit(target)
	if u == nil {
		return nil, unknownPlugin()
	}
	if err := h.offeredTo(ctx, a, target); err != nil {
		return nil, err
	}
	full := target + "." + name
	var called *operation
	if info := u.known(); info != nil {
		called = info.offers.operations[name]
		if called == nil || called.declared.GetInternal() && caller != "core" {
			return nil, fault.New(fault.NotFound, "plugin.operation", "插件没有这个操作").Because(errors.New(full))
		}
	}
	entered, err := a.enter(caller, full)
	if err != nil {
		return nil, err
	}
	if !json.Valid(input) {
		return nil, mistake("input of %s is not JSON", full)
	}
	if called != nil {
		if wrong, err := called.input.Check(input); err != nil {
			return nil, wrongInput(full, wrong, err)
		}
	}
	leave, err := h.streams.cross(caller)
	if err != nil {
		return nil, err
	}
	defer leave()
	ctx, end := boundTo(ctx, a.bound)
	defer end()
	var output []byte
	err = h.call(outOfCall(ctx), target, entered, jobTimeout, func(ctx context.Context, client pluginpb.PluginClient) error {
		answer, err := client.Operate(ctx, &pluginpb.OperateRequest{Name: name, Input: input})
		output = answer.GetOutput()
		return err
	})
	if err != nil {
		return nil, err
	}
	return output, h.soundOutput(u, called, full, output)
}

// soundOutput looks at an answer. What does not fit is the callee's fault, and the log's to tell; the caller only hears that
// there is no answer.
func (h *Host) soundOutput(u *unit, called *operation, full string, output []byte) error {
	var err error
	switch {
	case len(output) > maxBody:
		err = fmt.Errorf("%d bytes are more than %d", len(output), maxBody)
	case called != nil:
		_, err = called.output.Check(output)
	}
	if err == nil {
		return nil
	}
	u.log.Error("plugin answered against its own schema", "operation", full, "error", err.Error())
	return fault.New(fault.Internal, "plugin.output", "插件的回答与它声明的格式不符，请联系插件作者").Because(fmt.Errorf("%s: %w", full, err))
}

// boundTo lets what is called under a call end with it and have at most the rest of its time, whatever the plugin in between
// sends along.
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

// outOfCall keeps deadline and cancellation but sends none of the metadata on.
func outOfCall(ctx context.Context) context.Context {
	return metadata.NewOutgoingContext(ctx, metadata.MD{})
}

// cross counts what one plugin has running in others; the host itself is not counted.
func (s *openStreams) cross(caller string) (leave func(), err error) {
	if caller == "core" {
		return func() {}, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations[caller] >= operationsOfCaller {
		return nil, fault.New(fault.TooMany, "plugin.operations", "插件之间的调用太多，请稍后重试")
	}
	s.operations[caller]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.operations[caller]--; s.operations[caller] == 0 {
			delete(s.operations, caller)
		}
	}, nil
}

// Operation is one operation that plugins offer each other, for the operator's page and the reference.
type Operation struct {
	Plugin, Name, Title string // called as Plugin.Name
	Internal            bool   // only the host asks
	Input, Output       json.RawMessage
}

// Operations lists what the plugins offer, in the order of the catalog and of their manifests.
func (h *Host) Operations() []Operation {
	var all []Operation
	for _, manifest := range h.Manifests() {
		for _, o := range manifest.GetOperations() {
			all = append(all, Operation{
				Plugin: manifest.GetId(), Name: o.GetName(), Title: o.GetTitle(), Internal: o.GetInternal(), Input: o.GetInputSchema(), Output: o.GetOutputSchema(),
			})
		}
	}
	return all
}
