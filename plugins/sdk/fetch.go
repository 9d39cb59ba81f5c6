package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// FetchRequest is one HTTP request to a host outside. The host must be among those that the plugin asks for (ToHosts).
type FetchRequest struct {
	Method string            `json:"method"` // default GET
	URL    string            `json:"url"`    // https://…
	Header map[string]string `json:"header"` // at most 32
	Body   []byte            `json:"body"`   // at most 1 MiB
}

// FetchResponse is the answer, whatever its status.
type FetchResponse struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header"` // by canonical name
	Body   []byte            `json:"body"`   // at most 4 MiB
}

// Fetch sends one request on behalf of this call, through the platform: only public addresses are reached, redirects are
// not followed, an answer must come within 10 seconds, and each space has a pace of 2 requests a second with 30 in a burst
// (KindTooMany beyond, with RetryAfter). A host that was not approved gives KindForbidden, one that cannot be reached
// KindUnavailable. The platform logs host and status, not the address.
func Fetch(ctx context.Context, request FetchRequest) (FetchResponse, error) {
	var response FetchResponse
	err := Call(ctx, "core.http", request, &response)
	return response, err
}

// Post sends in as JSON and reads the JSON answer into out, which may be nil. A status other than 2xx is an error of
// KindUnavailable whose code is "http_<status>".
func Post(ctx context.Context, address string, in, out any) error {
	body, err := encodeJSON(in)
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	answer, err := Fetch(ctx, FetchRequest{
		Method: http.MethodPost, URL: address, Body: body, Header: map[string]string{"Content-Type": "application/json; charset=utf-8"},
	})
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	if answer.Status < 200 || answer.Status > 299 {
		return &Error{
			Kind: KindUnavailable, Code: fmt.Sprintf("http_%d", answer.Status), Message: fmt.Sprintf("对方返回 %d，请检查地址", answer.Status),
			Cause: fmt.Errorf("the other side said %.200q", answer.Body),
		}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Body, out); err != nil {
		return fmt.Errorf("post: the answer is no JSON that fits: %w", err)
	}
	return nil
}
