package wechat

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// MaxAnswer bounds what is read of an answer, in bytes. The largest real ones are lists of 500 authorisers and QR codes.
const MaxAnswer = 8 << 20

// DefaultTimeout bounds one call when the context sets no earlier deadline. commit of a large template takes long.
const DefaultTimeout = 30 * time.Second

// Client makes raw calls to WeChat over HTTPS. It holds no token and no state besides its connections.
type Client struct {
	BaseURL string       // e.g. https://api.weixin.qq.com, without trailing slash; the simulator's address in a demo
	HTTP    *http.Client // nil: net/http's default transport. Redirects are never followed
}

// Send makes one call to e with token ("" for TokenNone) and gives the answer when errcode is 0 or absent.
// It never repeats. Errors: *Error from WeChat, *CallError otherwise; neither text holds the token.
func (c *Client) Send(ctx context.Context, e Endpoint, token string, req Request) (_ Response, err error) {
	defer func() { err = Concerning(err, req, 0) }()
	if (e.Token == TokenNone) != (token == "") {
		return Response{}, &CallError{Endpoint: e.Name, Cause: errors.New("token missing or not wanted")}
	}
	if err := e.carries(req.Body); err != nil {
		return Response{}, &CallError{Endpoint: e.Name, Cause: err}
	}
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	hr, err := c.build(ctx, e, token, req)
	if err != nil {
		return Response{}, &CallError{Endpoint: e.Name, Cause: err}
	}
	client := http.Client{}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	// A redirect would carry the token to wherever it points.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(hr)
	if err != nil {
		return Response{}, &CallError{Endpoint: e.Name, Sent: reached(err), Cause: redact(err, token)}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, MaxAnswer+1))
	if err != nil {
		return Response{}, &CallError{Endpoint: e.Name, Status: res.StatusCode, Sent: true, Cause: fmt.Errorf("read answer: %w", redact(err, token))}
	}
	if len(body) > MaxAnswer {
		return Response{}, &CallError{Endpoint: e.Name, Status: res.StatusCode, Sent: true, Cause: errors.New("answer too long")}
	}
	if res.StatusCode != http.StatusOK {
		return Response{}, &CallError{Endpoint: e.Name, Status: res.StatusCode, Sent: true, Cause: errors.New("unexpected status")}
	}
	return judge(e, body, res.Header.Get("Content-Type"))
}

func (c *Client) build(ctx context.Context, e Endpoint, token string, req Request) (*http.Request, error) {
	query := url.Values{}
	for k, v := range req.Query {
		query[k] = v
	}
	if e.Fixed[0] != "" {
		query.Set(e.Fixed[0], e.Fixed[1])
	}
	if token != "" {
		query.Set(cmp.Or(e.TokenQuery, "access_token"), token)
	}
	var body io.Reader
	contentType := "application/json; charset=utf-8"
	switch {
	case e.Upload:
		b, ct, err := multipartBody(req.File, req.Body)
		if err != nil {
			return nil, err
		}
		body, contentType = b, ct
	case e.Method == http.MethodPost:
		raw := req.Body
		if len(raw) == 0 {
			raw = []byte("{}") // an empty POST is answered with 44002
		}
		body = bytes.NewReader(raw)
	}
	target := strings.TrimSuffix(c.BaseURL, "/") + e.Path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	hr, err := http.NewRequestWithContext(ctx, e.Method, target, body)
	if err != nil {
		return nil, redact(err, token)
	}
	if body != nil {
		hr.Header.Set("Content-Type", contentType)
	}
	// net/http repeats a request by itself when a kept-alive connection breaks and the body can be read again. A GET
	// such as undocodeaudit spends quota, so only what the table calls safe may be repeated there.
	if !e.SafeToRepeat {
		hr.GetBody = nil
		if hr.Body == nil {
			hr.Body, hr.ContentLength = io.NopCloser(strings.NewReader("")), 0
		}
	}
	return hr, nil
}

// multipartBody makes the form of an upload: the members of body, a JSON object of texts or nil, and then the file.
func multipartBody(f *File, body []byte) (io.Reader, string, error) {
	if f == nil || len(f.Data) == 0 {
		return nil, "", errors.New("upload without a file")
	}
	fields := map[string]string{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &fields); err != nil {
			return nil, "", fmt.Errorf("form fields of an upload: %w", err)
		}
	}
	field := f.Field
	if field == "" {
		field = "media"
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := w.WriteField(name, fields[name]); err != nil {
			return nil, "", err
		}
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", multipart.FileContentDisposition(field, f.Name))
	if f.ContentType != "" {
		h.Set("Content-Type", f.ContentType)
	}
	part, err := w.CreatePart(h)
	if err != nil {
		return nil, "", err
	}
	if _, err := part.Write(f.Data); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return &b, w.FormDataContentType(), nil
}

// reached tells whether the request may have arrived: everything but a failure to connect.
func reached(err error) bool {
	var op interface{ Timeout() bool }
	if errors.As(err, &op) && op.Timeout() {
		return true
	}
	return !strings.Contains(err.Error(), "dial tcp") && !strings.Contains(err.Error(), "no such host")
}

// redact takes the URL, which carries the token, off an error of net/http, and the token off the rest.
func redact(err error, token string) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if token != "" && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), url.QueryEscape(token))) {
		return errors.New("request failed (details withheld: they hold a token)")
	}
	return err
}

// judge splits answers into success and *Error. An image endpoint answers JSON when it fails.
func judge(e Endpoint, body []byte, contentType string) (Response, error) {
	trimmed := bytes.TrimLeft(body, " \t\r\n\ufeff")
	if e.Answer == AnswerImage && (len(trimmed) == 0 || trimmed[0] != '{') {
		if len(body) == 0 {
			return Response{}, &CallError{Endpoint: e.Name, Status: http.StatusOK, Sent: true, Cause: errors.New("empty image")}
		}
		return Response{Body: body, ContentType: contentType}, nil
	}
	var st status
	if err := json.Unmarshal(trimmed, &st); err != nil {
		return Response{}, &CallError{Endpoint: e.Name, Status: http.StatusOK, Sent: true, Cause: fmt.Errorf("answer is no JSON: %w", err)}
	}
	code, err := errcode(st.ErrCode)
	if err != nil {
		return Response{}, &CallError{Endpoint: e.Name, Status: http.StatusOK, Sent: true, Cause: err}
	}
	message, rid := SplitRID(st.ErrMsg)
	if code != 0 {
		return Response{}, &Error{Code: code, Message: message, RID: rid, Endpoint: e.Name, Body: trimmed}
	}
	if e.Answer == AnswerImage {
		return Response{}, &CallError{Endpoint: e.Name, Status: http.StatusOK, Sent: true, Cause: errors.New("no image in the answer")}
	}
	return Response{Body: trimmed, ContentType: contentType, RID: rid}, nil
}
