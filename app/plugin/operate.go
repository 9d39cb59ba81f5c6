package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"google.golang.org/grpc/metadata"

	"minifleet/app/fault"
	"minifleet/plugins/sdk/pluginpb"
)

// Bounds of operations.
const (
	operationsMost     = 100      // of one plugin
	operationSchema    = 64 << 10 // bytes of one schema
	operationsOfCaller = 128      // that one plugin has running in others at a time
)

// operation is what a plugin offers others, with its schemas compiled; a nil one lets everything pass.
type operation struct {
	declared      *pluginpb.Operation
	input, output *jsonschema.Schema
}

func checkOperations(m *Manifest) (map[string]*operation, error) {
	operations := map[string]*operation{}
	for _, declared := range m.GetOperations() {
		name := declared.GetName()
		if !nameShape.MatchString(name) || operations[name] != nil {
			return nil, fmt.Errorf("operation %q is badly named or declared twice", name)
		}
		input, err := compileSchema(declared.GetInputSchema())
		if err != nil {
			return nil, fmt.Errorf("input of operation %s: %w", name, err)
		}
		output, err := compileSchema(declared.GetOutputSchema())
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

// compileSchema compiles once what every call is checked by. A reference leads nowhere but into the schema itself: nothing is
// read from disk or net.
func compileSchema(raw []byte) (*jsonschema.Schema, error) {
	if len(raw) == 0 {
		return nil, nil //nolint:nilnil // no schema: everything fits
	}
	if len(raw) > operationSchema {
		return nil, fmt.Errorf("a schema of %d bytes is more than %d", len(raw), operationSchema)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.UseLoader(jsonschema.SchemeURLLoader{})
	const name = "minifleet:operation"
	if err := compiler.AddResource(name, document); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return compiler.Compile(name)
}

// fits checks a JSON value; the second result is the validator's own word, when that is why it does not fit.
func fits(schema *jsonschema.Schema, raw []byte) (*jsonschema.ValidationError, error) {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil || schema == nil {
		return nil, err
	}
	err = schema.Validate(value)
	var wrong *jsonschema.ValidationError
	if errors.As(err, &wrong) {
		return wrong, err
	}
	return nil, err
}

// wrongInput names what is wrong with a call's input, field by field.
func wrongInput(operation string, wrong *jsonschema.ValidationError, cause error) *fault.Error {
	bad := fault.New(fault.Invalid, "plugin.input", "调用 "+operation+" 的参数有误").Because(cause)
	if wrong != nil {
		blame(wrong, bad)
	}
	return bad
}

func blame(wrong *jsonschema.ValidationError, bad *fault.Error) {
	for _, cause := range wrong.Causes {
		blame(cause, bad)
	}
	if len(wrong.Causes) > 0 || len(bad.Fields) >= 20 {
		return
	}
	on := func(name, text string) {
		if path := strings.Join(append(slices.Clone(wrong.InstanceLocation), name), "."); name != "" {
			bad.On(path, text)
		} else {
			bad.On(strings.Trim(path, "."), text)
		}
	}
	switch k := wrong.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			on(name, "必填")
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			on(name, "没有这个字段")
		}
	case *kind.Type:
		on("", "类型不正确，应为 "+strings.Join(k.Want, " 或 "))
	default:
		on("", sentence(wrong.ErrorKind))
	}
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
		if wrong, err := fits(called.input, input); err != nil {
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
		_, err = fits(called.output, output)
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
