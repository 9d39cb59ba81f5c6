package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"minifleet/app/clock"
	"minifleet/app/config"
	"minifleet/app/event"
	"minifleet/app/secret"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// errUnwell says that a check failed; what is wrong has been printed.
var errUnwell = errors.New("a check failed")

// finding is the outcome of one check.
type finding struct {
	Check  string        `json:"check"`
	State  string        `json:"state"` // ok, warning, failed, skipped
	Words  string        `json:"words"`
	Report *trail.Report `json:"report,omitempty"`
}

// Outcomes of a check.
const (
	wellState    = "ok"
	warnState    = "warning"
	failedState  = "failed"
	skippedState = "skipped"
)

// doctor examines an installation without changing it: the platform may be running or not.
func doctor(ctx context.Context, env Env) (err error) {
	f := newFlags(env, "doctor")
	onlyTrail := f.set.Bool("trail", false, "verify the operation log's hash chain only")
	head := f.set.String("head", "", "a head noted earlier (from this command's output): the chain must pass through it")
	asJSON := f.set.Bool("json", false, "print JSON")
	cfg, err := f.load(env)
	if err != nil {
		return err
	}
	d := &examination{cfg: cfg, witness: *head, http: &http.Client{Timeout: 5 * time.Second}}
	if !*asJSON {
		d.progress = env.Stderr
	}
	defer func() { err = errors.Join(err, d.close()) }()
	d.keyset()
	d.database(ctx)
	if !*onlyTrail {
		d.clock(ctx)
		d.intake(ctx)
	}
	d.trail(ctx)
	if err := d.print(env.Stdout, *asJSON); err != nil {
		return err
	}
	for _, f := range d.found {
		if f.State == failedState {
			return errUnwell
		}
	}
	return nil
}

// examination is one run of the doctor.
type examination struct {
	cfg      config.Config
	witness  string
	http     *http.Client
	progress io.Writer // nil: silent
	vault    *secret.Vault
	db       *store.DB
	ready    bool // the database has this build's tables
	found    []finding
}

func (d *examination) note(check, state, format string, args ...any) {
	d.found = append(d.found, finding{Check: check, State: state, Words: fmt.Sprintf(format, args...)})
}

func (d *examination) close() error {
	if d.db == nil {
		return nil
	}
	return d.db.Close()
}

// keyset looks whether the key file is there, only this user's, and opens what it seals.
func (d *examination) keyset() {
	path := filepath.Join(d.cfg.Data.Dir, "key.json")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		d.note("密钥", failedState, "没有 %s：数据目录不对，或密钥文件丢失（丢失后密文无法恢复）", path)
		return
	}
	vault, err := secret.OpenFile(path)
	if err != nil {
		d.note("密钥", failedState, "%v", err)
		return
	}
	const purpose = "doctor"
	sealed, err := vault.Seal(purpose, []byte(purpose))
	if err == nil {
		_, err = vault.Open(purpose, sealed)
	}
	if err != nil {
		d.note("密钥", failedState, "%v", err)
		return
	}
	d.vault = vault
	d.note("密钥", wellState, "可读，权限正确")
}

// database looks whether it answers and has this build's tables.
func (d *examination) database(ctx context.Context) {
	path := filepath.Join(d.cfg.Data.Dir, "minifleet.db")
	if store.Dialect(d.cfg.Database.Type) == store.SQLite {
		if _, err := os.Stat(path); err != nil {
			d.note("数据库", failedState, "没有 %s：数据目录不对，或平台还没有启动过", path)
			return
		}
	}
	db, err := store.Open(ctx, store.Options{Dialect: store.Dialect(d.cfg.Database.Type), Path: path, DSN: d.cfg.Database.DSN, Readers: 2})
	if err != nil {
		d.note("数据库", failedState, "连不上：%v", err)
		return
	}
	d.db = db
	n, err := db.Pending(ctx)
	switch {
	case err != nil:
		d.note("数据库", failedState, "结构读不出来：%v", err)
	case n > 0:
		d.note("数据库", failedState, "有 %d 个结构升级没有执行，请运行 minifleet migrate", n)
	default:
		d.ready = true
		d.note("数据库", wellState, "%s，结构已是最新", db.Dialect())
	}
}

// intake looks for pushes that were taken in and cannot be read.
func (d *examination) intake(ctx context.Context) {
	const check = "推送接收"
	if d.db == nil || d.vault == nil || !d.ready {
		d.note(check, skippedState, "上面的检查没有通过")
		return
	}
	n, err := event.New(event.Options{DB: d.db, Sealer: d.vault, Clock: clock.System(), Logger: slog.New(slog.DiscardHandler)}).Damaged(ctx)
	switch {
	case err != nil:
		d.note(check, failedState, "%v", err)
	case n > 0:
		d.note(check, warnState, "有 %d 批推送读不出来，已移到 event_intake_damaged 表；里面写着原因，请核对磁盘后在微信侧重新触发", n)
	default:
		d.note(check, wellState, "没有读不出来的批次")
	}
}

// Bounds of a clock: WeChat refuses tokens and signatures of clocks that are minutes off.
const (
	skewWarn = 5 * time.Second
	skewFail = time.Minute
)

// clock compares this machine's with that of the database server and of WeChat's.
func (d *examination) clock(ctx context.Context) {
	if d.db != nil {
		if ms, has, err := d.db.ServerTime(ctx); err != nil {
			d.note("时钟（数据库）", failedState, "%v", err)
		} else if has {
			d.skew("时钟（数据库）", time.Since(time.UnixMilli(ms)))
		}
	}
	if d.cfg.Simulated() {
		d.note("时钟（微信）", skippedState, "模拟环境的时间由模拟器决定")
		return
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, d.cfg.WeChat.BaseURL, nil)
	if err != nil {
		d.note("时钟（微信）", failedState, "%v", err)
		return
	}
	res, err := d.http.Do(req)
	if err != nil {
		d.note("时钟（微信）", warnState, "连不上 %s：%v", d.cfg.WeChat.BaseURL, err)
		return
	}
	_ = res.Body.Close() // a HEAD has none
	at, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		d.note("时钟（微信）", skippedState, "%s 没有说现在几点", d.cfg.WeChat.BaseURL)
		return
	}
	d.skew("时钟（微信）", time.Since(at.Add(500*time.Millisecond))) // a date has whole seconds
}

func (d *examination) skew(check string, off time.Duration) {
	state := wellState
	switch {
	case off.Abs() > skewFail:
		state = failedState
	case off.Abs() > skewWarn:
		state = warnState
	}
	d.note(check, state, "相差 %.1f 秒", off.Seconds())
}

// unsealedFor is how old an entry without a place may be while a platform runs.
const unsealedFor = time.Minute

// trail verifies the operation log.
func (d *examination) trail(ctx context.Context) {
	const check = "操作日志"
	if d.db == nil || d.vault == nil || !d.ready {
		d.note(check, skippedState, "上面的检查没有通过")
		return
	}
	chain := trail.NewChain(trail.New(d.db, clock.System()), d.vault, slog.New(slog.DiscardHandler))
	last := time.Now()
	r, err := chain.Verify(ctx, trail.VerifyOptions{Witness: d.witness, Progress: func(n int64) {
		if d.progress != nil && time.Since(last) > time.Second {
			last = time.Now()
			_, _ = fmt.Fprintf(d.progress, "已校验 %d 条\n", n)
		}
	}})
	if err != nil {
		d.note(check, failedState, "%v", err)
		return
	}
	one := finding{Check: check, State: wellState, Report: &r}
	one.Words = fmt.Sprintf("%d 条，第 %d 到 %d 条，锚点 %d 个，用时 %d 毫秒，每秒 %.0f 条", r.Entries, r.First, r.Last, r.Anchors, r.TookMS, r.EntriesPerSec)
	if r.Pruned > 0 {
		one.Words += fmt.Sprintf("；第 %d 条及以前已按保留期清理", r.Pruned)
	}
	if r.Unsealed > 0 {
		one.Words += fmt.Sprintf("；%d 条还没有封存", r.Unsealed)
		if time.Since(time.UnixMilli(r.UnsealedSince)) > unsealedFor {
			one.State = warnState
			one.Words += "（最早一条已超过 1 分钟：平台没有运行？）"
		}
	}
	if r.Bad != nil {
		one.State = failedState
		one.Words = fmt.Sprintf("第一处不符：%s（位置 %d，记录 %d）；已校验 %d 条", r.Bad.Words, r.Bad.Seq, r.Bad.ID, r.Entries)
	}
	d.found = append(d.found, one)
}

func (d *examination) print(w io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(d.found)
	}
	words := map[string]string{wellState: "正常", warnState: "注意", failedState: "失败", skippedState: "跳过"}
	for _, f := range d.found {
		if _, err := fmt.Fprintf(w, "%s  %s  %s\n", words[f.State], f.Check, f.Words); err != nil {
			return err
		}
		if f.Report != nil && f.Report.Last > 0 && f.Report.OK {
			if _, err := fmt.Fprintf(w, "            链头 %s\n            （请记在别处；以后用 --head 核对，可发现整库被换回旧版本）\n", f.Report.Head()); err != nil {
				return err
			}
		}
	}
	return nil
}
