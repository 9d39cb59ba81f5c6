package command

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// listServer is a process that answers list pages.
type listServer struct {
	env     Env
	data    string
	environ []string
	args    []string
	address string
	cookie  string
	rows    int
	cmd     *exec.Cmd
	ended   <-chan error
	client  *http.Client
}

func startListServer(ctx context.Context, env Env, data string, environ []string, args ...string) (*listServer, error) {
	s := &listServer{env: env, data: data, environ: environ, args: args}
	return s, s.start(ctx)
}

func (s *listServer) start(ctx context.Context) error {
	if err := os.MkdirAll(s.data, 0o700); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.address = ln.Addr().String()
	if err := ln.Close(); err != nil {
		return err
	}
	s.client = &http.Client{Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{MaxIdleConnsPerHost: listConnections, MaxConnsPerHost: listConnections, DisableCompression: true}}
	s.cmd = exec.Command(s.env.Executable, append(slices.Clone(s.args), "--listen", s.address, "--data", s.data)...)
	s.cmd.Dir, s.cmd.Env = s.data, append([]string{"MINIFLEET_LOG_LEVEL=error", "TMPDIR=" + os.TempDir()}, s.environ...)
	log, err := os.Create(filepath.Join(s.data, "server-"+s.args[len(s.args)-1]+".log"))
	if err != nil {
		return err
	}
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.ended, err = startChild(s.cmd)
	if err = errors.Join(err, log.Close()); err != nil {
		return err
	}
	for began := time.Now(); time.Since(began) < time.Minute; {
		select {
		case err := <-s.ended:
			s.ended = nil
			said, _ := os.ReadFile(log.Name()) // best effort: it only explains
			return fmt.Errorf("%v ended at its start: %w\n%s", s.args, err, said)
		default:
		}
		res, err := s.client.Get("http://" + s.address + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		if err := wait(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.Join(fmt.Errorf("%v did not get ready within a minute", s.args), s.stop())
}

func (s *listServer) stop() error {
	if s.ended == nil {
		return nil
	}
	ended := s.ended
	s.ended = nil
	s.client.CloseIdleConnections()
	if err := askToEnd(s.cmd.Process); err != nil {
		return err
	}
	select {
	case <-ended:
		return nil
	case <-time.After(15 * time.Second):
		return errors.Join(fmt.Errorf("%v did not end within 15 s", s.args), s.cmd.Process.Kill())
	}
}

func (s *listServer) restart(ctx context.Context) error {
	if err := s.stop(); err != nil {
		return err
	}
	return s.start(ctx)
}

// get asks for a page and gives how long its answer was.
func (s *listServer) get(ctx context.Context, path string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		return 0, err
	}
	listCookies(req, s.cookie)
	res, err := s.client.Do(req)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, res.Body)
	if err = errors.Join(err, res.Body.Close()); err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s", path, res.Status)
	}
	return n, err
}

// warm looks that the pages are what they should be, twenty rows of a list, before anything is measured.
func (s *listServer) warm(ctx context.Context, paths ...string) error {
	for _, path := range paths {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+path, nil)
		if err != nil {
			return err
		}
		listCookies(req, s.cookie)
		res, err := s.client.Do(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			return err
		}
		if rows := strings.Count(string(body), "<tr"); res.StatusCode != http.StatusOK || rows < 20 {
			return fmt.Errorf("%s answered %s with %d rows of a table", path, res.Status, rows)
		}
	}
	return nil
}

// listLoad is what some requests cost.
type listLoad struct {
	took      time.Duration
	cpu       time.Duration
	latencies []time.Duration
}

func (l *listLoad) add(o listLoad) {
	l.took, l.cpu, l.latencies = l.took+o.took, l.cpu+o.cpu, append(l.latencies, o.latencies...)
}

func (l listLoad) cpuMillis() float64 { return l.cpu.Seconds() * 1000 / float64(len(l.latencies)) }
func (l listLoad) perSecond() float64 { return float64(len(l.latencies)) / l.took.Seconds() }

// quantile is in milliseconds.
func (l listLoad) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(l.latencies))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)].Seconds() * 1000
}

// load asks n times over eight connections.
func (s *listServer) load(ctx context.Context, path string, n int) (l listLoad, err error) {
	before, err := s.cpu()
	if err != nil {
		return l, err
	}
	var left atomic.Int64
	left.Store(int64(n))
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for range listConnections {
		wg.Go(func() {
			var own []time.Duration
			var failed error
			for failed == nil && left.Add(-1) >= 0 {
				at := time.Now()
				if _, failed = s.get(ctx, path); failed == nil {
					own = append(own, time.Since(at))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			l.latencies, err = append(l.latencies, own...), errors.Join(err, failed)
		})
	}
	wg.Wait()
	l.took = time.Since(began)
	after, cpuErr := s.cpu()
	l.cpu = after - before
	return l, errors.Join(err, cpuErr)
}

// cpu is the time that the server's process and its plugins' have spent, user and system, as getrusage counts it: a
// process cannot ask getrusage about another one, /proc tells the same counters in hundredths of a second.
func (s *listServer) cpu() (total time.Duration, err error) {
	err = eachOf(s.cmd.Process.Pid, func(dir string) error {
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			return nil //nolint:nilerr // it has ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		f := strings.Fields(rest)
		for _, ticks := range f[11:13] { // utime and stime
			n, err := strconv.ParseInt(ticks, 10, 64)
			if err != nil {
				return fmt.Errorf("read %s: %w", dir, err)
			}
			total += time.Duration(n) * 10 * time.Millisecond
		}
		return nil
	})
	return total, err
}

// memory is the resident memory of the server's own process, in bytes.
func (s *listServer) memory() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(strings.NewReader(string(status)))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("no VmRSS")
}

// eachOf visits a process and its children in /proc.
func eachOf(pid int, visit func(dir string) error) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return err
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		dir := filepath.Join("/proc", e.Name())
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue // it has ended meanwhile
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); n != pid && (len(f) < 2 || f[1] != strconv.Itoa(pid)) {
			continue
		}
		if err := visit(dir); err != nil {
			return err
		}
	}
	return nil
}

// startExport asks for the whole table as the list's dialog does and gives the export's id.
func (s *listServer) startExport(ctx context.Context, format string) (string, error) {
	form := url.Values{"table": {"version_templates"}, "format": {format}, "scope": {"all"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+"/admin/exports", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	listCookies(req, s.cookie)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", "http://"+s.address)
	res, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	if err := res.Body.Close(); err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusSeeOther {
		return "", fmt.Errorf("the export was answered %s", res.Status)
	}
	list, err := s.exports(ctx)
	if err != nil || len(list) == 0 {
		return "", errors.Join(errors.New("no export is listed"), err)
	}
	return list[0].ID, nil
}

type listExport struct{ ID, State, Error string }

func (s *listServer) exports(ctx context.Context) ([]listExport, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/api/v1/exports", nil)
	if err != nil {
		return nil, err
	}
	listCookies(req, s.cookie)
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	var answer struct{ Items []listExport }
	err = json.NewDecoder(res.Body).Decode(&answer)
	return answer.Items, errors.Join(err, res.Body.Close())
}

func (s *listServer) exported(ctx context.Context, id string) (bool, error) {
	list, err := s.exports(ctx)
	if err != nil {
		return false, err
	}
	for _, e := range list {
		if e.ID == id && e.Error != "" {
			return false, fmt.Errorf("export: %s", e.Error)
		}
		if e.ID == id {
			return e.State == "done", nil
		}
	}
	return false, fmt.Errorf("export %s is gone", id)
}
