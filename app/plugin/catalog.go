package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/plugin/archive"
	"minifleet/app/store"
	"minifleet/app/trail"
)

// What may become of an archive.
const (
	ArchivePending   = "pending"
	ArchiveApproved  = "approved"
	ArchiveRejected  = "rejected"
	ArchiveWithdrawn = "withdrawn"
)

// ArchiveStates are all of them with their words on screens, in the order of a life.
func ArchiveStates() [][2]string {
	return [][2]string{{ArchivePending, "等待审批"}, {ArchiveApproved, "已批准"}, {ArchiveRejected, "未通过"}, {ArchiveWithdrawn, "已下架"}}
}

// ArchiveTitle is the word for a state on screens.
func ArchiveTitle(state string) string {
	for _, s := range ArchiveStates() {
		if s[0] == state {
			return s[1]
		}
	}
	return state
}

// Permissions of those who hand archives in and of those who decide.
const (
	PermissionSubmit  = "space.plugin"
	PermissionApprove = "plugin.approve"
)

// CatalogOptions are what a Catalog needs; all but Tell must be set.
type CatalogOptions struct {
	DB    *store.DB
	Clock clock.Clock
	Trail *trail.Log
	// Enabled is the setting plugins.thirdParty: false keeps every extension from being handed in, approved and run.
	Enabled bool
	// Development is the setting plugins.development: authors' builds are approved as they come.
	Development bool
	// Tell is asked, in the transaction of the decision, to tell people of it. Nil tells nobody.
	Tell func(ctx context.Context, news ArchiveNews) error
}

// ArchiveNews is what became of an archive, for those who should hear of it.
type ArchiveNews struct {
	Archive Archive
	Actor   account.Actor // who decided; nobody when the host did
}

// Catalog keeps the archives of extensions: who handed them in, who decided what, and which one serves. It executes
// nothing: the host follows it.
type Catalog struct {
	o CatalogOptions
}

// NewCatalog makes a catalog; it reads nothing yet.
func NewCatalog(o CatalogOptions) *Catalog { return &Catalog{o} }

// Archive is one archive that was handed in.
type Archive struct {
	ID          int64        `json:"id,string"`
	Plugin      string       `json:"plugin" dc:"插件代号"`
	Version     string       `json:"version" dc:"插件版本"`
	SHA256      string       `json:"sha256" dc:"插件包的 SHA-256，批准时要一致"`
	Size        int64        `json:"size" dc:"插件包的字节数"`
	State       string       `json:"state" dc:"pending 等待审批、approved 已批准、rejected 未通过、withdrawn 已下架"`
	SpaceID     int64        `json:"space_id,string" dc:"提交的空间；0 为命令行"` // whose it is; a platform space's, or 0 of the command line
	SubmittedBy int64        `json:"submitted_by,string" dc:"提交的账号；0 为命令行"`
	SubmittedAt int64        `json:"submitted_at" dc:"提交时间，Unix 毫秒"`
	DecidedBy   int64        `json:"decided_by,string" dc:"处理的账号；0 为还没有处理、命令行或系统"` // 0: nobody yet, the command line, or the host itself
	DecidedAt   int64        `json:"decided_at" dc:"处理时间，Unix 毫秒；0 为还没有处理"`
	Reason      string       `json:"reason" dc:"没有通过或下架的原因"` // of a rejection or a withdrawal
	Serving     bool         `json:"serving" dc:"正在上架的就是它"`
	Spec        archive.Spec `json:"spec" dc:"plugin.yaml 的内容"`
	Platforms   []string     `json:"platforms" dc:"适用的系统和架构"`

	binaries []archive.File
	blobID   int64
}

// errThirdParty says that extensions are off and how they are turned on.
func errThirdParty() error {
	return fault.New(fault.Forbidden, "plugin.third_party_off",
		"第三方插件没有开启：请在 config.yaml 中设置 plugins.thirdParty: true（或环境变量 MINIFLEET_PLUGINS_THIRDPARTY=true）后重启平台")
}

// Enabled reports whether extensions may run at all.
func (c *Catalog) Enabled() bool { return c.o.Enabled }

func errNoArchive() error {
	return fault.New(fault.NotFound, "plugin.archive_unknown", "没有找到这个插件包")
}

// platform is the word for where this process runs, in an archive's names.
func platform() string { return archive.Platform(runtime.GOOS, runtime.GOARCH) }

type archiveRow struct {
	ID, Size, BlobID, SpaceID, SubmittedBy, SubmittedAt, DecidedBy, DecidedAt int64
	Serving                                                                   int64
	Plugin, Version, SHA256, Spec, Binaries, State, Reason                    string
}

const archiveSQL = `SELECT a.id, a.plugin, a.version, a.sha256, a.size, a.spec, a.binaries, a.blob_id, a.state, a.space_id, a.submitted_by, a.submitted_at,
 a.decided_by, a.decided_at, a.reason, CASE WHEN c.archive_id=a.id THEN 1 ELSE 0 END AS serving
 FROM plugin_archive a LEFT JOIN plugin_catalog c ON c.plugin=a.plugin WHERE `

func (r archiveRow) archive() (Archive, error) {
	a := Archive{
		ID: r.ID, Plugin: r.Plugin, Version: r.Version, SHA256: r.SHA256, Size: r.Size, State: r.State, SpaceID: r.SpaceID, SubmittedBy: r.SubmittedBy,
		SubmittedAt: r.SubmittedAt, DecidedBy: r.DecidedBy, DecidedAt: r.DecidedAt, Reason: r.Reason, Serving: r.Serving == 1, blobID: r.BlobID,
	}
	var err error
	if a.Spec, err = archive.ReadSpec([]byte(r.Spec)); err != nil {
		return a, fmt.Errorf("plugin.yaml of archive %d: %w", r.ID, err)
	}
	if err := json.Unmarshal([]byte(r.Binaries), &a.binaries); err != nil {
		return a, fmt.Errorf("binaries of archive %d: %w", r.ID, err)
	}
	for _, f := range a.binaries {
		a.Platforms = append(a.Platforms, strings.Split(f.Name, "/")[1])
	}
	return a, nil
}

// reads tells whose archives the actor may see: all of them for operators, those of the own space for others.
func reads(who account.Actor) (cond string, args []any, err error) {
	if who.Operator() {
		return "1=1", nil, account.Require(who, "plugin.read")
	}
	if err := account.Require(who, PermissionSubmit); err != nil {
		return "", nil, err
	}
	return "a.space_id=?", []any{who.SpaceID}, nil
}

// ArchiveFilter narrows a list of archives.
type ArchiveFilter struct {
	Plugin, State string
	Cursor        int64 // archives older than this id
	Limit         int   // 1…100, default 20
}

// ArchivePage is one page of archives, the newest first. Next is 0 at the end.
type ArchivePage struct {
	Items []Archive
	Next  int64
	Total int64
}

// Archives lists what was handed in, as far as the actor may see it.
func (c *Catalog) Archives(ctx context.Context, who account.Actor, f ArchiveFilter) (ArchivePage, error) {
	var page ArchivePage
	cond, args, err := reads(who)
	if err != nil {
		return page, err
	}
	if f.Limit < 1 || f.Limit > 100 {
		f.Limit = 20
	}
	for _, narrow := range []struct{ column, value string }{{"a.plugin", f.Plugin}, {"a.state", f.State}} {
		if narrow.value != "" {
			cond, args = cond+" AND "+narrow.column+"=?", append(args, narrow.value)
		}
	}
	if page.Total, err = c.o.DB.Int(ctx, "SELECT COUNT(*) FROM plugin_archive a WHERE "+cond, args...); err != nil {
		return page, fmt.Errorf("count plugin archives: %w", err)
	}
	if f.Cursor > 0 {
		cond, args = cond+" AND a.id<?", append(args, f.Cursor)
	}
	var rows []archiveRow
	if err := c.o.DB.All(ctx, &rows, archiveSQL+cond+" ORDER BY a.id DESC LIMIT ?", append(args, f.Limit+1)...); err != nil {
		return page, fmt.Errorf("list plugin archives: %w", err)
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		page.Next = rows[f.Limit-1].ID
	}
	for _, row := range rows {
		one, err := row.archive()
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, one)
	}
	return page, nil
}

// Archive gives one that the actor may see.
func (c *Catalog) Archive(ctx context.Context, who account.Actor, id int64) (Archive, error) {
	cond, args, err := reads(who)
	if err != nil {
		return Archive{}, err
	}
	return c.archive(ctx, cond+" AND a.id=?", append(args, id)...)
}

func (c *Catalog) archive(ctx context.Context, cond string, args ...any) (Archive, error) {
	var row archiveRow
	known, err := c.o.DB.One(ctx, &row, archiveSQL+cond, args...)
	if err != nil {
		return Archive{}, fmt.Errorf("read plugin archive: %w", err)
	}
	if !known {
		return Archive{}, errNoArchive()
	}
	return row.archive()
}

// Entry is one extension of the catalog.
type Entry struct {
	Plugin    string `json:"plugin"`
	SpaceID   int64  `json:"space_id,string"` // whose it is; 0 the platform's
	UpdatedAt int64  `json:"updated_at"`
	// Serving is the archive that runs, Previous the one before it that 回到上一版本 leads to; nil where there is none.
	Serving  *Archive `json:"serving"`
	Previous *Archive `json:"previous"`

	number int64
}

type entryRow struct {
	Plugin                                            string
	Number, SpaceID, ArchiveID, PreviousID, UpdatedAt int64
}

// Entries lists the extensions that were ever approved, by id; for operators.
func (c *Catalog) Entries(ctx context.Context, who account.Actor) ([]Entry, error) {
	if !who.Operator() {
		return nil, fault.New(fault.Forbidden, "operators_only", "只有平台管理员可以管理插件")
	}
	if err := account.Require(who, "plugin.read"); err != nil {
		return nil, err
	}
	return c.entries(ctx, "1=1")
}

func (c *Catalog) entries(ctx context.Context, cond string, args ...any) ([]Entry, error) {
	var rows []entryRow
	if err := c.o.DB.All(ctx, &rows, "SELECT plugin, number, space_id, archive_id, previous_id, updated_at FROM plugin_catalog WHERE "+cond+" ORDER BY plugin", args...); err != nil {
		return nil, fmt.Errorf("read plugin catalog: %w", err)
	}
	list := make([]Entry, 0, len(rows))
	for _, row := range rows {
		e := Entry{Plugin: row.Plugin, SpaceID: row.SpaceID, UpdatedAt: row.UpdatedAt, number: row.Number}
		for _, part := range []struct {
			id   int64
			into **Archive
		}{{row.ArchiveID, &e.Serving}, {row.PreviousID, &e.Previous}} {
			if part.id == 0 {
				continue
			}
			found, err := c.archive(ctx, "a.id=?", part.id)
			if err != nil {
				return nil, err
			}
			*part.into = &found
		}
		list = append(list, e)
	}
	return list, nil
}

// entry gives one extension's; false when none was ever approved.
func (c *Catalog) entry(ctx context.Context, plugin string) (Entry, bool, error) {
	list, err := c.entries(ctx, "plugin=?", plugin)
	if err != nil || len(list) == 0 {
		return Entry{}, false, err
	}
	return list[0], true, nil
}

// Entry gives one extension of the catalog to an operator; false when none of this id was ever approved.
func (c *Catalog) Entry(ctx context.Context, who account.Actor, plugin string) (Entry, bool, error) {
	if _, err := c.mayDecide(who, "plugin.read"); err != nil {
		return Entry{}, false, err
	}
	return c.entry(ctx, plugin)
}

// Baseline is the archive that serves while another of its plugin is looked at, as far as the actor may see it; nil for
// none, or when it is that very one.
func (c *Catalog) Baseline(ctx context.Context, who account.Actor, a Archive) (*Archive, error) {
	e, known, err := c.entry(ctx, a.Plugin)
	if err != nil || !known || e.Serving == nil || e.Serving.ID == a.ID || !who.Operator() && e.Serving.SpaceID != who.SpaceID {
		return nil, err
	}
	return e.Serving, nil
}

// mayDecide is nil for an operator with the permission.
func (c *Catalog) mayDecide(who account.Actor, permission string) (account.Actor, error) {
	if !who.Operator() {
		return who, fault.New(fault.Forbidden, "operators_only", "只有平台管理员可以管理插件")
	}
	return who, account.Require(who, permission)
}
