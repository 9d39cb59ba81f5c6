package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"

	"minifleet/plugins/sdk/pluginpb"
)

// Server answers the host's calls for one Plugin. Serve makes it; the test
// harness too.
type Server struct {
	pluginpb.UnimplementedPluginServer
	plugin *Plugin
	dial   func() (grpc.ClientConnInterface, error)
	host   atomic.Pointer[hostLink]
	log    *slog.Logger
}

type hostLink struct{ client pluginpb.HostClient }

// NewServer makes the Plugin service of p. dial reaches the
// Host service.
func NewServer(p *Plugin, log *slog.Logger, dial func() (grpc.ClientConnInterface, error)) *Server {
	return &Server{plugin: p, dial: dial, log: log}
}

// routed lets ServeMux hold a route; ServeHTTP of the service runs it.
type routed struct{ *route }

func (*routed) ServeHTTP(http.ResponseWriter, *http.Request) {}

// Intercept gives each call its context and turns panics and errors into
// faults. Use it as the server's unary interceptor.
func (s *Server) Intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (answer any, err error) {
	if !strings.HasPrefix(info.FullMethod, "/minifleet.plugin.v1.Plugin/") {
		return next(ctx, request)
	}
	ctx, err = s.enter(ctx, request)
	if err != nil {
		return nil, EncodeError(err)
	}
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("handler panicked", "method", info.FullMethod, "panic", fmt.Sprint(cause),
				"stack", string(debug.Stack()), "request_id", RequestID(ctx))
			answer, err = nil, EncodeError(&Error{Kind: KindInternal, Code: "plugin.panic", Message: "插件处理时出错，请稍后重试"})
		}
	}()
	answer, err = next(ctx, request)
	if err == nil {
		return answer, nil
	}
	if faultOf(err).GetKind() == string(KindInternal) {
		s.log.Error("call failed", "method", info.FullMethod, "error", err.Error(), "request_id", RequestID(ctx))
	}
	return nil, EncodeError(err)
}

// enter makes the context of a call; request is nil for a stream.
func (s *Server) enter(ctx context.Context, request any) (context.Context, error) {
	var host pluginpb.HostClient
	if link := s.host.Load(); link != nil {
		host = link.client
	}
	return incoming(context.WithValue(ctx, pluginKey{}, s.plugin), request, host, s.log)
}

// Describe gives the manifest, or the list of the author's mistakes.
func (s *Server) Describe(context.Context, *pluginpb.DescribeRequest) (*pluginpb.Manifest, error) {
	if err := s.plugin.refusal(); err != nil {
		return nil, err
	}
	return s.plugin.manifest, nil
}

// Configure connects to the host.
func (s *Server) Configure(context.Context, *pluginpb.ConfigureRequest) (*pluginpb.ConfigureResponse, error) {
	connection, err := s.dial()
	if err != nil {
		return nil, fmt.Errorf("reach the host: %w", err)
	}
	s.host.Store(&hostLink{pluginpb.NewHostClient(connection)})
	return &pluginpb.ConfigureResponse{}, nil
}

func (s *Server) table(name string) (*Table, error) {
	if table := s.plugin.tables[name]; table != nil {
		return table, nil
	}
	return nil, NotFound("plugin.table", "没有这张表")
}

// Rows reads a page of a computed table.
func (s *Server) Rows(ctx context.Context, request *pluginpb.RowsRequest) (*pluginpb.RowsResponse, error) {
	table, err := s.table(request.GetTable())
	if err != nil {
		return nil, err
	}
	if table.Rows == nil {
		return nil, NotFound("plugin.table", "这张表由平台保管")
	}
	page, err := table.Rows(ctx, TableQuery{
		Filters: request.GetFilters(), Search: request.GetSearch(), Sort: request.GetSort(), Limit: int(request.GetLimit()), Cursor: request.GetCursor(),
	})
	if err != nil {
		return nil, err
	}
	answer := &pluginpb.RowsResponse{Next: page.Next, Total: -1, Note: page.Note}
	if page.Total != nil {
		answer.Total = *page.Total
	}
	answer.Rows, err = writeCells(table.shown, page.Rows)
	return answer, err
}

// Row reads one row of a computed table.
func (s *Server) Row(ctx context.Context, request *pluginpb.RowRequest) (*pluginpb.RowResponse, error) {
	table, err := s.table(request.GetTable())
	if err != nil {
		return nil, err
	}
	if table.Row == nil {
		return nil, NotFound("plugin.row", "没有这条数据")
	}
	row, err := table.Row(ctx, request.GetId())
	if err != nil {
		return nil, err
	}
	cells, err := writeCells(table.shown, []any{row})
	return &pluginpb.RowResponse{Row: cells}, err
}

// Save runs a table's hook.
func (s *Server) Save(ctx context.Context, request *pluginpb.SaveRequest) (*pluginpb.SaveResponse, error) {
	table, err := s.table(request.GetTable())
	if err != nil {
		return nil, err
	}
	if table.Save == nil {
		return nil, Forbidden("plugin.readonly", "这张表不能修改")
	}
	id, err := table.Save(ctx, request.GetId(), request.GetVersion(), request.GetValues())
	if err != nil {
		return nil, err
	}
	return &pluginpb.SaveResponse{Id: id}, nil
}

// Remove runs a table's hook.
func (s *Server) Remove(ctx context.Context, request *pluginpb.RemoveRequest) (*pluginpb.RemoveResponse, error) {
	table, err := s.table(request.GetTable())
	if err != nil {
		return nil, err
	}
	if table.Remove == nil {
		return nil, Forbidden("plugin.readonly", "这张表不能删除")
	}
	return &pluginpb.RemoveResponse{}, table.Remove(ctx, request.GetIds())
}

// Act runs an action.
func (s *Server) Act(ctx context.Context, request *pluginpb.ActRequest) (*pluginpb.ActResponse, error) {
	table, err := s.table(request.GetTable())
	if err != nil {
		return nil, err
	}
	for _, action := range table.Actions {
		if action.Name != request.GetAction() || action.Run == nil {
			continue
		}
		result, err := action.Run(ctx, request.GetIds())
		if err != nil {
			return nil, err
		}
		return &pluginpb.ActResponse{Message: result.Message, Redirect: result.Redirect}, nil
	}
	return nil, NotFound("plugin.action", "没有这个操作")
}

// ServeHTTP runs a page, raw address or REST call.
func (s *Server) ServeHTTP(ctx context.Context, request *pluginpb.HTTPRequest) (*pluginpb.HTTPResponse, error) {
	if request.GetType() == "asset" {
		return s.asset(request.GetPath())
	}
	found, r, err := s.request(ctx, request, bytes.NewReader(request.GetBody()))
	if err != nil {
		return nil, err
	}
	out, err := found.serve(ctx, r)
	if err != nil {
		return nil, err
	}
	return out.whole()
}

// request finds the route of a call and makes the request its handler sees.
func (s *Server) request(ctx context.Context, request *pluginpb.HTTPRequest, body io.Reader) (*routed, *http.Request, error) {
	address := &url.URL{Path: "/" + request.GetType() + request.GetPath(), RawQuery: request.GetQuery()}
	r, err := http.NewRequestWithContext(ctx, request.GetMethod(), address.RequestURI(), body)
	if err != nil {
		return nil, nil, Fail("plugin.request", "请求地址有误").Because(err)
	}
	for _, header := range request.GetHeaders() {
		r.Header[http.CanonicalHeaderKey(header.GetName())] = header.GetValues()
	}
	handler, pattern := s.plugin.mux.Handler(r)
	found, ok := handler.(*routed)
	if !ok {
		return nil, nil, NotFound("plugin.page", "没有这个页面")
	}
	bindPath(r, pattern)
	switch {
	case found.declared.GetStream(): // the body is the handler's alone
		r.Form, r.ContentLength = r.URL.Query(), -1
		if length, err := strconv.ParseInt(r.Header.Get("Content-Length"), 10, 64); err == nil {
			r.ContentLength = length
		}
	case found.declared.GetType() != "api":
		if err := r.ParseForm(); err != nil {
			return nil, nil, Fail("plugin.form", "表单内容无法解析，请返回重新填写").Because(err)
		}
	}
	r.URL.Path = request.GetPath()
	return found, r, nil
}

// bindPath sets the path values, which ServeMux itself sets only when it calls
// the handler.
func bindPath(r *http.Request, pattern string) {
	_, path, _ := strings.Cut(pattern, " ")
	wanted, got := strings.Split(path, "/"), strings.Split(r.URL.EscapedPath(), "/")
	for i, segment := range wanted {
		if !strings.HasPrefix(segment, "{") || i >= len(got) || segment == "{$}" {
			continue
		}
		name := strings.Trim(segment, "{}")
		value := got[i]
		if rest, isRest := strings.CutSuffix(name, "..."); isRest {
			name, value = rest, strings.Join(got[i:], "/")
		}
		if clear, err := url.PathUnescape(value); err == nil {
			value = clear
		}
		r.SetPathValue(name, value)
	}
}

// HandleEvent runs every handler whose type fits.
func (s *Server) HandleEvent(ctx context.Context, request *pluginpb.Event) (*pluginpb.HandleEventResponse, error) {
	event := Event{
		ID: request.GetId(), Type: request.GetType(), Source: request.GetSource(), Component: request.GetComponent(),
		AppID: request.GetAppid(), SpaceID: request.GetSpaceId(), Subject: request.GetSubject(), At: request.GetAtMs(),
		Data: json.RawMessage(request.GetData()),
	}
	for _, wanted := range s.plugin.order {
		prefix, isPrefix := strings.CutSuffix(wanted, "*")
		if wanted != event.Type && !(isPrefix && strings.HasPrefix(event.Type, prefix)) {
			continue
		}
		for _, handle := range s.plugin.handlers[wanted] {
			if err := handle(ctx, event); err != nil {
				return nil, err
			}
		}
	}
	return &pluginpb.HandleEventResponse{}, nil
}

// RunJob runs a cron job.
func (s *Server) RunJob(ctx context.Context, request *pluginpb.RunJobRequest) (*pluginpb.RunJobResponse, error) {
	job, known := s.plugin.jobs[request.GetName()]
	if !known {
		return nil, NotFound("plugin.job", "没有这个定时任务")
	}
	note, err := job.Run(ctx)
	if err != nil {
		return nil, err
	}
	if runes := []rune(note); len(runes) > 500 {
		note = string(runes[:500])
	}
	return &pluginpb.RunJobResponse{Note: note}, nil
}

// Operate runs an operation for another plugin.
func (s *Server) Operate(ctx context.Context, request *pluginpb.OperateRequest) (*pluginpb.OperateResponse, error) {
	handler, known := s.plugin.operations[request.GetName()]
	if !known {
		return nil, NotFound("plugin.operation", "没有这个操作")
	}
	output, err := handler.operate(ctx, request.GetInput())
	if err != nil {
		return nil, err
	}
	return &pluginpb.OperateResponse{Output: output}, nil
}

var _ pluginpb.PluginServer = (*Server)(nil)
