package admin

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"minifleet/app/account"
	"minifleet/app/fault"
	"minifleet/app/plugin"
	"minifleet/app/plugin/archive"
)

// Catalog is that of third-party plugins. What is decided through it has taken effect when it returns.
type Catalog interface {
	// Enabled tells whether they may run at all, Isolated whether they run as users of their own.
	Enabled() bool
	Isolated() bool
	// MaySubmit is asked before an archive is read, nil where Submit would look at it.
	MaySubmit(who account.Actor) error
	Submit(ctx context.Context, who account.Actor, name string, source io.ReaderAt, size int64) (plugin.Archive, error)
	Archives(ctx context.Context, who account.Actor, f plugin.ArchiveFilter) (plugin.ArchivePage, error)
	Archive(ctx context.Context, who account.Actor, id int64) (plugin.Archive, error)
	// Baseline is what an archive would take the place of, nil for nothing.
	Baseline(ctx context.Context, who account.Actor, a plugin.Archive) (*plugin.Archive, error)
	Entry(ctx context.Context, who account.Actor, id string) (plugin.Entry, bool, error)
	Approve(ctx context.Context, who account.Actor, id int64, sum string) error
	Reject(ctx context.Context, who account.Actor, id int64, reason string) error
	Withdraw(ctx context.Context, who account.Actor, id, reason string) error
	Back(ctx context.Context, who account.Actor, id string) error
}

// Submitters names accounts and spaces; whoever is gone has no name.
type Submitters interface {
	Names(ctx context.Context, accounts, spaces []int64) (people, places map[int64]string, err error)
}

const archivesBase = Prefix + "/plugin-archives"

func (a *Admin) archivePages() []Page {
	return []Page{
		{Pattern: "GET /plugin-archives", Title: "插件包", Query: []string{"plugin", "state", queryCursor}, Handle: a.archivesPage},
		{Pattern: "GET /plugin-archives/new", Title: "安装插件", Handle: a.newArchivePage},
		{Pattern: "POST /plugin-archives/new", Title: "安装插件", MaxBody: archive.MaxSize + 64<<10, May: func(who account.Actor) error { return a.o.Services.Catalog.MaySubmit(who) }, Handle: a.submitArchive},
		{Pattern: "GET /plugin-archives/{id}", Title: "插件包", Handle: a.archivePage},
		{Pattern: "POST /plugin-archives/{id}", Title: "插件包", Kinds: operators, Handle: a.decideArchive},
		{Pattern: "POST /plugins/{id}/withdraw", Title: "插件", Kinds: operators, Handle: a.withdrawPlugin},
		{Pattern: "POST /plugins/{id}/back", Title: "插件", Kinds: operators, Handle: a.backPlugin},
	}
}

// archiveTag is the colour of an archive's state and its word.
func archiveTag(one plugin.Archive) (color, label string) {
	if one.Serving {
		return "green", "上架中"
	}
	label = plugin.ArchiveTitle(one.State)
	switch one.State {
	case plugin.ArchivePending:
		return "orange", label
	case plugin.ArchiveApproved:
		return "blue", label
	case plugin.ArchiveRejected:
		return "red", label
	default:
		return "grey", label
	}
}

type archiveRow struct {
	plugin.Archive
	Color, Label, Person, Space, Decider, Size string
}

// archiveRows puts names to what was handed in.
func (a *Admin) archiveRows(ctx context.Context, items ...plugin.Archive) ([]archiveRow, error) {
	var people, places []int64
	for _, one := range items {
		people, places = append(people, one.SubmittedBy, one.DecidedBy), append(places, one.SpaceID)
	}
	named, spaces, err := a.o.Services.Submitters.Names(ctx, people, places)
	if err != nil {
		return nil, err
	}
	rows := make([]archiveRow, 0, len(items))
	for _, one := range items {
		row := archiveRow{Archive: one, Person: named[one.SubmittedBy], Space: spaces[one.SpaceID], Decider: named[one.DecidedBy], Size: megabytes(one.Size)}
		row.Color, row.Label = archiveTag(one)
		rows = append(rows, row)
	}
	return rows, nil
}

func megabytes(bytes int64) string {
	return strconv.FormatFloat(float64(bytes)/(1<<20), 'f', 1, 64) + " MB"
}

func (a *Admin) archivesPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	q := r.URL.Query()
	v := struct {
		Rows          []archiveRow
		Total         int64
		Plugin, State string
		States        [][2]string
		Next          string
		Filtered      bool
		Operator      bool
	}{Plugin: trimmed(q, "plugin"), State: q.Get("state"), States: plugin.ArchiveStates(), Filtered: len(keep(q)) > 0, Operator: actor.Operator()}
	cursor, err := strconv.ParseInt(q.Get(queryCursor), 10, 64)
	if err != nil {
		cursor = 0
	}
	page, err := a.o.Services.Catalog.Archives(ctx, actor, plugin.ArchiveFilter{Plugin: v.Plugin, State: v.State, Cursor: cursor})
	if err != nil {
		return View{}, err
	}
	if v.Rows, err = a.archiveRows(ctx, page.Items...); err != nil {
		return View{}, err
	}
	v.Total = page.Total
	if page.Next != 0 {
		more := clone(q)
		more.Set(queryCursor, strconv.FormatInt(page.Next, 10))
		v.Next = archivesBase + "?" + more.Encode()
	}
	subtitle := "提交给平台审批的插件，以及审批结果；批准并对空间开放后，在“扩展”里开启"
	if v.Operator {
		subtitle = "核对内容和权限后才会运行"
	}
	return View{Subtitle: subtitle, Body: a.render("archives", v)}, nil
}

type submitView struct {
	refusals
	Enabled, Operator bool
	Most              int
}

func (a *Admin) newArchivePage(_ context.Context, actor account.Actor, _ *http.Request) (View, error) {
	return a.submitForm(actor, nil)
}

func (a *Admin) submitForm(actor account.Actor, problem *fault.Error) (View, error) {
	permission := plugin.PermissionSubmit
	if actor.Operator() {
		permission = plugin.PermissionApprove
	}
	if err := account.Require(actor, permission); err != nil {
		return View{}, err
	}
	v := submitView{refusals{problem}, a.o.Services.Catalog.Enabled(), actor.Operator(), archive.MaxSize >> 20}
	title, subtitle := "提交插件", "上传插件包（.mfp），由平台审批"
	if v.Operator {
		title, subtitle = "安装插件", "上传插件包（.mfp），核对无误后再批准"
	}
	return View{Title: title, Subtitle: subtitle, Trail: archiveTrail(), Body: a.render("archive-new", v), Status: statusOf(problem)}, nil
}

func archiveTrail() []Link { return []Link{{"插件包", archivesBase}} }

func (a *Admin) submitArchive(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	up, err := readUpload(ctx, r)
	if err != nil {
		return View{}, err
	}
	raw := up.files["file"]
	if len(raw) == 0 {
		return a.submitForm(actor, fault.InvalidInput().On("file", "请选择插件包文件"))
	}
	made, err := a.o.Services.Catalog.Submit(ctx, actor, up.names["file"], bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		problem, err := problemOf(err)
		if err != nil {
			return View{}, err
		}
		return a.submitForm(actor, problem)
	}
	words := "插件包已提交，审批结果会通知你"
	if actor.Operator() {
		words = "插件包已上传，请核对后批准"
	}
	a.flash.put(actor, words)
	return View{Redirect: archivesBase + "/" + strconv.FormatInt(made.ID, 10)}, nil
}

type archiveView struct {
	refusals
	archiveRow
	Asked            []plugin.Asked
	Before           *plugin.Archive
	More, SameNumber bool // asks for more than what serves; bears its version
	Waiting, MayTake bool
	Isolated, Reason string
	Use              *plugin.Extension // as the submitter's own space has it; nil: not open to it
	Submitter        bool              // reads it as one who may switch it on, not as an operator
}

func (a *Admin) archivePage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	return a.oneArchive(ctx, actor, idIn(r), "", nil)
}

func (a *Admin) oneArchive(ctx context.Context, actor account.Actor, id int64, reason string, problem *fault.Error) (View, error) {
	ext := a.o.Services.Catalog
	one, err := ext.Archive(ctx, actor, id)
	if err != nil {
		return View{}, err
	}
	rows, err := a.archiveRows(ctx, one)
	if err != nil {
		return View{}, err
	}
	v := archiveView{refusals: refusals{problem}, archiveRow: rows[0], Waiting: one.State == plugin.ArchivePending, Reason: reason}
	v.MayTake = actor.Operator() && actor.Can(plugin.PermissionApprove)
	if actor.Operator() && !ext.Isolated() {
		v.Isolated = "平台不是以 root 运行，第三方插件与平台使用同一个系统用户，能读取平台的文件。只批准你信任的插件。"
	}
	if v.Before, err = ext.Baseline(ctx, actor, one); err != nil {
		return View{}, err
	}
	if v.Before == nil {
		v.Asked = plugin.Ask(one.Spec, nil)
	} else {
		v.Asked = plugin.Ask(one.Spec, &v.Before.Spec)
		v.More, v.SameNumber = plugin.More(v.Asked), v.Before.Version == one.Version
	}
	if err := a.ownUse(ctx, actor, &v); err != nil {
		return View{}, err
	}
	return View{Title: one.Spec.Title + " " + one.Version, Trail: archiveTrail(), Body: a.render("archive", v), Status: statusOf(problem)}, nil
}

// ownUse finds out how the submitter's space goes on with what was approved: it switches the extension on, once it is open
// to the space.
func (a *Admin) ownUse(ctx context.Context, actor account.Actor, v *archiveView) error {
	if !v.Serving || actor.Operator() || a.o.Services.SpaceExtensions == nil || account.Narrowed(actor, readPermission(extensionsBase)) != nil {
		return nil
	}
	v.Submitter = true
	x, err := a.o.Services.SpaceExtensions.Extension(ctx, actor, v.Plugin)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	if err == nil {
		v.Use = &x
	}
	return err
}

func (a *Admin) decideArchive(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id, f, ext := idIn(r), r.PostForm, a.o.Services.Catalog
	var err error
	words := "已拒绝，提交者会看到原因"
	if f.Get("do") == "approve" {
		words = "已批准，插件已上架"
		err = ext.Approve(ctx, actor, id, f.Get("sha256"))
	} else {
		err = ext.Reject(ctx, actor, id, f.Get("reason"))
	}
	if err == nil {
		a.flash.put(actor, words)
		return View{Redirect: archivesBase + "/" + strconv.FormatInt(id, 10)}, nil
	}
	problem, err := problemOf(err)
	if err != nil {
		return View{}, err
	}
	return a.oneArchive(ctx, actor, id, f.Get("reason"), problem)
}

func (a *Admin) withdrawPlugin(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id := r.PathValue("id")
	reason := strings.TrimSpace(r.PostForm.Get("reason"))
	if err := a.o.Services.Catalog.Withdraw(ctx, actor, id, reason); err != nil {
		problem := fault.From(err)
		if problem.Kind != fault.Invalid {
			return View{}, err
		}
		return a.oneProcess(ctx, actor, id, reason, problem)
	}
	a.flash.put(actor, "插件已下架，它保存的数据不变")
	return View{Redirect: archivesBase + "?plugin=" + id}, nil
}

func (a *Admin) backPlugin(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	id := r.PathValue("id")
	if err := a.o.Services.Catalog.Back(ctx, actor, id); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "插件已回到上一版本")
	return View{Redirect: Prefix + "/plugins/" + id}, nil
}
