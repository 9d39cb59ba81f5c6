package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/gogf/gf/v2/net/ghttp"

	"minifleet/app/account"
	"minifleet/app/fault"
)

// The typed handlers are GoFrame's, which makes the OpenAPI page of them. Their input is read here instead: GoFrame's
// reader takes any key from anywhere, lets a body override the address, and forgives wrong types.

// serveTyped is the middleware that calls a typed handler.
func (s *Server) serveTyped(r *ghttp.Request) {
	w, req := r.Response.RawWriter(), r.Request
	handler := r.GetServeHandler().Handler.Info
	in, err := readInput(handler.Type.In(1).Elem(), r)
	if err != nil {
		fail(w, req, err)
		return
	}
	if _, ok := in.Interface().(anonymous); ok {
		// A token that has ended must not keep its holder from logging in again, and an answer that holds a fresh one is
		// never kept for repetition.
		finish(w, req, func() (int, []byte, error) { return invoke(req.Context(), handler.Value, in) })
		return
	}
	actor, err := s.actor(req)
	if _, ok := in.Interface().(duringSetup); ok && errors.Is(err, account.ErrFactorNeeded) {
		err = nil
	}
	if err != nil {
		fail(w, req, err)
		return
	}
	if err := permit(handler.Type.In(1).Elem(), actor); err != nil {
		fail(w, req, err)
		return
	}
	ctx := account.With(req.Context(), actor)
	if _, ok := in.Interface().(streamed); ok {
		sendFile(w, req, ctx, handler.Value, in)
		return
	}
	key := req.Header.Get("Idempotency-Key")
	call := func() (int, []byte, error) { return invoke(ctx, handler.Value, in) }
	_, secret := in.Interface().(unrepeatable)
	if key == "" || secret || req.Method == http.MethodGet || actor.Nobody() {
		finish(w, req, call)
		return
	}
	finish(w, req, func() (int, []byte, error) {
		return s.idem.once(ctx, actor, key, req.Method+" "+req.URL.Path, in.Interface(), call)
	})
}

// finish answers with what the call brings.
func finish(w http.ResponseWriter, r *http.Request, call func() (int, []byte, error)) {
	status, body, err := call()
	if err != nil {
		fail(w, r, err)
		return
	}
	writeRaw(w, status, body)
}

// anonymous is the input of a call that looks at no session: logging in and registering.
type anonymous interface{ anonymous() }

// statuser is an answer with a status other than 200.
type statuser interface{ HTTPStatus() int }

// invoke calls a typed handler and encodes what it gives. GoFrame would answer a panic with its words: it becomes an error.
func invoke(ctx context.Context, fn reflect.Value, in reflect.Value) (status int, body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("web: a handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	out := fn.Call([]reflect.Value{reflect.ValueOf(ctx), in})
	if err, _ := out[1].Interface().(error); err != nil {
		return 0, nil, err
	}
	status = http.StatusOK
	if st, ok := out[0].Interface().(statuser); ok {
		status = st.HTTPStatus()
	}
	fillSlices(out[0])
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out[0].Interface()); err != nil {
		return 0, nil, fmt.Errorf("web: encode answer: %w", err)
	}
	return status, b.Bytes(), nil
}

func writeRaw(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// readInput fills the input struct: fields tagged in:"path" from the address, in:"query" from the query, the others
// from the JSON body, in which unknown keys are refused by name.
func readInput(typ reflect.Type, r *ghttp.Request) (reflect.Value, error) {
	in := reflect.New(typ)
	body := map[string]bool{}
	bad := fault.InvalidInput()
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous || name == "" || name == "-":
		case f.Tag.Get("in") == "path":
			if err := setText(in.Elem().Field(i), r.GetRouter(name).String()); err != nil {
				return in, fault.New(fault.NotFound, "not_found", "没有找到")
			}
		case f.Tag.Get("in") == "query":
			if v := r.URL.Query().Get(name); v != "" {
				if err := setText(in.Elem().Field(i), v); err != nil {
					bad.On(name, "应为数字")
				}
			}
		default:
			body[name] = true
		}
	}
	if err := bad.OrNil(); err != nil {
		return in, err
	}
	if own, ok := in.Interface().(ownBody); ok {
		return in, own.take(r.Request)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodDelete && len(body) == 0 {
		return in, nil
	}
	raw, err := io.ReadAll(r.Request.Body)
	if err != nil {
		var tooLong *http.MaxBytesError
		if errors.As(err, &tooLong) {
			return in, fault.New(fault.Invalid, "body_too_long", "请求内容太长")
		}
		return in, fault.New(fault.Invalid, "body_unreadable", "请求内容没有读完整").Because(err)
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = []byte("{}")
	}
	return in, decodeBody(raw, body, in.Interface())
}

func setText(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		v.SetInt(n)
	default:
		return fmt.Errorf("web: no way to read a %s from an address", v.Kind())
	}
	return nil
}

// decodeBody decodes exactly one JSON object whose keys are all known.
func decodeBody(raw []byte, known map[string]bool, into any) error {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(raw, &keys); err != nil {
		return fault.New(fault.Invalid, "bad_json", "请求内容应是一个 JSON 对象").Because(err)
	}
	bad := fault.InvalidInput()
	for k := range keys {
		if !known[k] {
			bad.On(k, "没有这个字段")
		}
	}
	if err := bad.OrNil(); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return fault.InvalidInput().On(wrong.Field, "类型不对").Because(err)
	case err != nil:
		return fault.New(fault.Invalid, "bad_json", "请求内容里有不认识的字段或写错的值："+strings.TrimPrefix(err.Error(), "json: ")).Because(err)
	}
	return nil
}

// actor tells who asks: by bearer token (a session's or an API token) or cookie, in the space of X-Space or the session's. Nobody is no error here.
func (s *Server) actor(r *http.Request) (account.Actor, error) {
	token := bearer(r)
	if token == "" {
		c, err := r.Cookie(account.Cookie)
		if err != nil {
			return account.Actor{}, nil //nolint:nilerr // no cookie is a visitor
		}
		token = c.Value
	}
	var space int64
	if h := r.Header.Get("X-Space"); h != "" {
		n, err := strconv.ParseInt(h, 10, 64)
		if err != nil || n <= 0 {
			return account.Actor{}, fault.InvalidInput().On("X-Space", "应为空间编号")
		}
		space = n
	}
	if secret := tokenOf(r); secret != "" {
		return s.o.Tokens.Authenticate(r.Context(), secret, clientIP(r), space)
	}
	return s.o.Accounts.Authenticate(r.Context(), token, space)
}

// must gives the actor of a call that needs one.
func must(ctx context.Context) (account.Actor, error) {
	a, ok := account.From(ctx)
	if !ok {
		return a, fault.New(fault.Unauthenticated, "login_required", "请先登录")
	}
	return a, nil
}
