package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// What `bench simulator` measures: calls of WeChat's interface over 64 connections against a simulator with 10,000 authorised
// mini programs, in memory and with a state file, and the same load against a bare net/http handler that reads the body and
// answers {"errcode":0}. Servers are processes of their own, so that the load does not count for them; rounds alternate.
const (
	simulatorPrograms = 10_000
	simulatorCallers  = 64
	simulatorCalls    = 10_000 // of each case and round
	simulatorRounds   = 3
)

// Goals: what the simulator spends on a call beside what net/http spends on any. With a state file a write costs two
// documents in SQLite, the mini program and the call.
const (
	goalSimulatorMemory = 3.0
	goalSimulatorFile   = 6.0
)

// simulatorCase is one kind of call; every number of a mini program makes another one.
type simulatorCase struct {
	name   string
	method string
	path   string
	body   func(i int) string
}

var simulatorCases = []simulatorCase{
	{"read GET /wxa/get_category", http.MethodGet, "/wxa/get_category", nil},
	{"write POST /wxa/commit", http.MethodPost, "/wxa/commit", func(i int) string {
		return `{"template_id":1,"ext_json":"{\"ext\":{\"shop\":\"` + strconv.Itoa(i) + `\"}}","user_version":"1.0.` + strconv.Itoa(i) + `","user_desc":"压力测试"}`
	}},
}

// simulatorBench holds the servers of one run.
type simulatorBench struct {
	env     Env
	bare    *listServer
	memory  *simulatorServer
	file    *simulatorServer
	client  *http.Client
	results map[string]*listLoad
}

// simulatorServer is a simulator with its mini programs' access tokens.
type simulatorServer struct {
	*listServer
	tokens []string
}

func benchSimulator(ctx context.Context, env Env, dir string) (rows []benchRow, err error) {
	b := &simulatorBench{env: env, results: map[string]*listLoad{}, client: &http.Client{Timeout: time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: simulatorCallers, MaxConnsPerHost: simulatorCallers, DisableCompression: true}}}
	defer func() { err = errors.Join(err, b.stop()) }()
	if err := b.start(ctx, dir); err != nil {
		return nil, err
	}
	for round := range simulatorRounds {
		for _, c := range simulatorCases {
			for _, where := range []struct {
				name   string
				server *listServer
				tokens []string
			}{{"bare", b.bare, nil}, {"memory", b.memory.listServer, b.memory.tokens}, {"state file", b.file.listServer, b.file.tokens}} {
				if err := b.load(ctx, where.name, c, where.server, where.tokens, round); err != nil {
					return nil, fmt.Errorf("%s of %s: %w", c.name, where.name, err)
				}
			}
		}
	}
	for _, where := range []string{"bare", "memory", "state file"} {
		for _, c := range simulatorCases {
			rows = append(rows, b.rows(where, c.name)...)
		}
	}
	return rows, nil
}

func (b *simulatorBench) rows(where, name string) []benchRow {
	l, bare := b.results[where+" "+name], b.results["bare "+name]
	title := where + ": " + name
	rows := []benchRow{
		{Case: title, Metric: "calls", Value: l.perSecond(), Unit: "1/s"},
		{Case: title, Metric: "p50", Value: l.quantile(0.5), Unit: "ms"},
		{Case: title, Metric: "p99", Value: l.quantile(0.99), Unit: "ms"},
		{Case: title, Metric: "CPU per call", Value: l.cpuMillis() * 1000, Unit: "µs"},
	}
	if where != "bare" {
		goal := goalSimulatorMemory
		if where == "state file" {
			goal = goalSimulatorFile
		}
		ratio := l.cpuMillis() / bare.cpuMillis()
		met := ratio <= goal
		rows = append(rows, benchRow{Case: title, Metric: "CPU, times the bare handler's", Value: ratio, Unit: "×", Goal: fmt.Sprintf("<= %g", goal), Met: &met})
	}
	return rows
}

// start brings up the three servers and fills the two simulators.
func (b *simulatorBench) start(ctx context.Context, dir string) (err error) {
	if b.bare, err = startListServer(ctx, b.env, filepath.Join(dir, "bare"), nil, "bench", "simulator-bare"); err != nil {
		return err
	}
	if b.memory, err = b.simulator(ctx, filepath.Join(dir, "memory"), "--memory"); err != nil {
		return err
	}
	b.file, err = b.simulator(ctx, filepath.Join(dir, "file"))
	return err
}

func (b *simulatorBench) stop() error {
	var all []error
	for _, s := range []*simulatorServer{{listServer: b.bare}, b.memory, b.file} {
		if s != nil && s.listServer != nil {
			all = append(all, s.stop())
		}
	}
	return errors.Join(all...)
}

// simulator starts one with 10,000 authorised mini programs, a template, and an access token for each of them.
func (b *simulatorBench) simulator(ctx context.Context, data string, args ...string) (*simulatorServer, error) {
	server, err := startListServer(ctx, b.env, data, nil, append([]string{"simulator"}, args...)...)
	if err != nil {
		return nil, err
	}
	s := &simulatorServer{listServer: server}
	const component = "wxbe00000000000001"
	ask := func(path string, in any, out any) error { return b.ask(ctx, server, path, in, out) }
	var token struct {
		Token string `json:"access_token"`
	}
	err = errors.Join(
		ask("/control/components", map[string]any{"appid": component, "name": "压力测试", "token": "bench", "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}, nil),
		ask("/control/drafts", map[string]any{"component_appid": component, "user_version": "1.0.0"}, nil),
		ask("/control/fleet", map[string]any{"count": simulatorPrograms, "admin": "bench", "component_appid": component}, nil),
		ask("/control/tokens", map[string]any{"component_appid": component}, &token),
	)
	if err != nil {
		return s, err
	}
	return s, b.authorizers(ctx, s, component, token.Token)
}

// authorizers makes the template and exchanges the refresh token of every mini program.
func (b *simulatorBench) authorizers(ctx context.Context, s *simulatorServer, component, token string) error {
	if err := b.ask(ctx, s.listServer, "/wxa/addtotemplate?access_token="+token, map[string]any{"draft_id": 1}, nil); err != nil {
		return err
	}
	type authorizer struct {
		AppID   string `json:"authorizer_appid"`
		Refresh string `json:"refresh_token"`
	}
	var all []authorizer
	for len(all) < simulatorPrograms {
		var page struct{ List []authorizer }
		if err := b.ask(ctx, s.listServer, "/cgi-bin/component/api_get_authorizer_list?access_token="+token,
			map[string]any{"component_appid": component, "offset": len(all), "count": 500}, &page); err != nil {
			return err
		}
		if len(page.List) == 0 {
			return fmt.Errorf("the list of authorizers ends after %d", len(all))
		}
		all = append(all, page.List...)
	}
	s.tokens = make([]string, len(all))
	return eachOfMany(len(all), func(i int) error {
		var out struct {
			Token string `json:"authorizer_access_token"`
		}
		err := b.ask(ctx, s.listServer, "/cgi-bin/component/api_authorizer_token?access_token="+token, map[string]any{"component_appid": component,
			"authorizer_appid": all[i].AppID, "authorizer_refresh_token": all[i].Refresh}, &out)
		s.tokens[i] = out.Token
		return err
	})
}

// eachOfMany runs n pieces of work over 64 goroutines and gives the first errors.
func eachOfMany(n int, work func(i int) error) error {
	var next atomic.Int64
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	for range simulatorCallers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := work(i); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// ask is one call that must be answered with errcode 0.
func (b *simulatorBench) ask(ctx context.Context, s *listServer, path string, in, out any) error {
	raw, err := json.Marshal(in)
	if err != nil {
		return err
	}
	body, err := b.send(ctx, http.MethodPost, "http://"+s.address+path, raw)
	if err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

func (b *simulatorBench) send(ctx context.Context, method, address string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(res.Body)
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	var answer struct {
		Errcode int `json:"errcode"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Errcode != 0 || res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %d %.200s: %w", req.URL.Path, res.StatusCode, raw, err)
	}
	return raw, nil
}

// load makes the calls of one case, spread over all mini programs, and adds what they cost.
func (b *simulatorBench) load(ctx context.Context, where string, c simulatorCase, server *listServer, tokens []string, round int) error {
	before, err := server.cpu()
	if err != nil {
		return err
	}
	one := listLoad{latencies: make([]time.Duration, simulatorCalls)}
	began := time.Now()
	err = eachOfMany(simulatorCalls, func(i int) error {
		address, body := "http://"+server.address+c.path, []byte(nil)
		if tokens == nil {
			address += "?access_token=62_0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
		} else {
			address += "?access_token=" + tokens[(i*7919)%len(tokens)]
		}
		if c.body != nil {
			body = []byte(c.body(round*simulatorCalls + i))
		}
		at := time.Now()
		_, err := b.send(ctx, c.method, address, body)
		one.latencies[i] = time.Since(at)
		return err
	})
	one.took = time.Since(began)
	after, cpuErr := server.cpu()
	if err = errors.Join(err, cpuErr); err != nil {
		return err
	}
	one.cpu = after - before
	key := where + " " + c.name
	if b.results[key] == nil {
		b.results[key] = &listLoad{}
	}
	b.results[key].add(one)
	return nil
}

// bareServer is the handler the simulator is compared with. It is a process of `bench simulator` only.
func bareServer(ctx context.Context, env Env) error {
	flags := newFlags(env, "bench simulator-bare")
	if err := flags.set.Parse(env.Args); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", flags.listen)
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		rw.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(rw, `{"errcode":0,"errmsg":"ok"}`) // a caller that went away is no news
	})}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
