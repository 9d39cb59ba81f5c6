package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

type idInput struct {
	ID int64 `json:"id,string"`
}

// coreCall runs an operation that the core offers plugins.
func (h *Host) coreCall(ctx context.Context, a authority, plugin, name string, input []byte) ([]byte, error) {
	switch name {
	case "can":
		return coreOperation(input, func(in struct {
			Permission string `json:"permission"`
		}) (any, error) {
			return map[string]bool{"can": !a.system() && a.actor.Can(in.Permission)}, nil
		})
	case "authorize":
		return coreOperation(input, func(in AuthorizeRequest) (any, error) {
			if err := needPerson(a); err != nil {
				return nil, err
			}
			return h.options.Authorizations.Create(ctx, a.actor, in)
		})
	case "authorize.state":
		return coreOperation(input, func(in struct {
			Ticket string `json:"ticket"`
		}) (any, error) {
			return h.options.Authorizations.State(ctx, a.actor, a.kind == byJob, in.Ticket)
		})
	case "grant.create":
		return coreOperation(input, func(in GrantRequest) (any, error) {
			if err := needPerson(a); err != nil {
				return nil, err
			}
			id, err := h.options.Grants.Create(ctx, a.actor, in)
			return idInput{id}, err
		})
	case "grant.revoke":
		return coreOperation(input, func(in idInput) (any, error) {
			if err := needPerson(a); err != nil {
				return nil, err
			}
			return struct{}{}, h.options.Grants.Revoke(ctx, a.actor, in.ID)
		})
	case "http":
		return coreOperation(input, func(in fetchRequest) (any, error) { return h.fetch(ctx, a, plugin, in) })
	case "delegate":
		return coreOperation(input, func(in delegationRequest) (any, error) {
			id, err := h.delegate(ctx, a, plugin, in)
			return idInput{id}, err
		})
	case "delegate.end":
		return coreOperation(input, func(in idInput) (any, error) {
			return struct{}{}, h.endDelegation(ctx, plugin, in.ID)
		})
	default:
		return nil, mistake("no operation core.%s", name)
	}
}

// coreOperation decodes strictly, runs and encodes.
func coreOperation[In any](input []byte, run func(In) (any, error)) ([]byte, error) {
	var in In
	decoder := json.NewDecoder(bytes.NewReader(input))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil {
		return nil, mistake("input of a core operation: %v", err)
	}
	out, err := run(in)
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", out, err)
	}
	return encoded, nil
}
