package wechattest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"minifleet/app/wechat"
)

// Case is the typed call of one endpoint, made from a golden request through the typed parameters.
type Case func(ctx context.Context, by Callers, g Golden) (any, error)

// Callers are the three ways of making a typed call; which one a case uses is the API's to say.
type Callers struct {
	App      wechat.MiniProgram
	Platform wechat.Component
	Client   *wechat.Client // token calls; nil where only a Transport is at hand
}

// Cases gives the typed call of every endpoint that has one, by the endpoint's name.
func Cases() map[string]Case {
	all := map[string]Case{}
	for _, part := range []map[string]Case{
		tokenCases(), platformCases(), registerCases(), codeCases(), domainCases(), accountCases(), certifyCases(), icpCases(),
		linkCases(), figureCases(), otherCases(),
	} {
		maps.Copy(all, part)
	}
	return all
}

// Typed are the names of Cases, sorted.
func Typed() []string { return slices.Sorted(maps.Keys(Cases())) }

// Direct tells whether the endpoint's typed call goes straight over a Client, because the gateway itself lives on what it
// brings.
func Direct(name string) bool {
	_, direct := tokenCases()[name]
	return direct
}

// in reads the golden request, and where there is none the query, as parameters. What the parameters cannot carry is an
// error.
func in[T any](g Golden) (T, error) {
	var params T
	raw := g.Request
	if len(raw) == 0 {
		query := maps.Clone(g.Query)
		delete(query, g.Endpoint().Fixed[0])
		encoded, err := json.Marshal(query)
		if err != nil {
			return params, err
		}
		if raw = encoded; len(query) == 0 {
			raw = json.RawMessage(`{}`)
		}
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&params); err != nil {
		return params, fmt.Errorf("the parameters cannot carry the golden request: %w", err)
	}
	return params, nil
}

// app makes a case of a call on behalf of a mini program.
func app[T any](call func(ctx context.Context, m wechat.MiniProgram, in T) (any, error)) Case {
	return func(ctx context.Context, by Callers, g Golden) (any, error) {
		params, err := in[T](g)
		if err != nil {
			return nil, err
		}
		return call(ctx, by.App, params)
	}
}

// platform makes a case of a call of the platform itself.
func platform[T any](call func(ctx context.Context, c wechat.Component, in T) (any, error)) Case {
	return func(ctx context.Context, by Callers, g Golden) (any, error) {
		params, err := in[T](g)
		if err != nil {
			return nil, err
		}
		return call(ctx, by.Platform, params)
	}
}

// none is for calls without parameters.
type none struct{}

// plain makes a case of a call without parameters.
func plain[R any](call func(wechat.MiniProgram, context.Context) (R, error)) Case {
	return app(func(ctx context.Context, m wechat.MiniProgram, _ none) (any, error) { return call(m, ctx) })
}

// done is the result of a call that gives none.
func done(err error) (any, error) { return nil, err }

// upload is the golden file with some bytes in it.
func upload(g Golden) wechat.File {
	return wechat.File{Name: g.File.Name, ContentType: g.File.Type, Data: []byte("golden bytes")}
}
