package version

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"minifleet/plugins/sdk"
)

// States of a step and of an installation.
const (
	stepWaiting = "waiting"
	stepRunning = "running"
	stepDone    = "done"
	stepFailed  = "failed"
)

// Names of the steps, in their order.
const (
	stepCheck   = "check"
	stepDomains = "domains"
	stepCommit  = "commit"
	stepTrial   = "trial"
)

// patience is how many times in a row a step may meet a passing trouble before it counts as failed.
const patience = 5

// Step is one part of an installation. Times are Unix milliseconds, 0 for not yet.
type Step struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	State     string `json:"state"`
	StartedAt int64  `json:"started_at"`
	EndedAt   int64  `json:"ended_at"`
	Note      string `json:"note"`
	Error     string `json:"error"`
	Action    string `json:"action"`
	ErrCode   int    `json:"errcode"`
	RID       string `json:"rid"`
	Attempts  int    `json:"attempts"`
}

func newSteps() []Step {
	return []Step{
		{Name: stepCheck, Title: "校验权限", State: stepWaiting}, {Name: stepDomains, Title: "配置域名", State: stepWaiting},
		{Name: stepCommit, Title: "上传代码", State: stepWaiting}, {Name: stepTrial, Title: "生成体验版", State: stepWaiting},
	}
}

// Install is one installation of a template on a mini program, kept so that it goes on after any crash.
type Install struct {
	sdk.Row
	Installation string  `json:"installation" col:"installation,安装单,text,size:64"`
	AppID        string  `json:"appid" col:"appid,AppID,text,size:64"`
	Component    string  `json:"component" col:"component,第三方平台,text,size:64"`
	Template     string  `json:"template" col:"template,模板,text,size:32"`
	TemplateID   int64   `json:"template_id" col:"template_id,模板ID,int"`
	TemplateName string  `json:"template_name" col:"template_name,产品,text,size:60"`
	Merchant     int64   `json:"-" col:"merchant,商户,int"`
	ExtJSON      string  `json:"ext_json" col:"ext_json,扩展配置,longtext"`
	UserVersion  string  `json:"user_version" col:"user_version,版本号,text,size:64"`
	UserDesc     string  `json:"user_desc" col:"user_desc,描述,longtext"`
	Domains      Domains `json:"domains" col:"domains,服务器域名,json"`
	Steps        []Step  `json:"steps" col:"steps,步骤,json"`
	State        string  `json:"state" col:"state,状态,text,size:16"`
	// The trial version before the commit was sent, to tell ours from it after a crash.
	BeforeAt int64 `json:"-" col:"before_at,原体验版时间,time"`
}

// installInput is what market asks for; the contract is between the two plugins.
type installInput struct {
	Installation string   `json:"installation" check:"required,max=64"`
	AppID        string   `json:"appid" check:"required,max=64"`
	Component    string   `json:"component" check:"required,max=64"`
	TemplateID   int64    `json:"template_id"`
	Template     string   `json:"template" check:"max=32"`
	ExtJSON      string   `json:"ext_json"`
	Version      string   `json:"version" check:"required,max=64"`
	Desc         string   `json:"desc" check:"max=1000"`
	Domains      *Domains `json:"domains"`
}

// installOutput tells where the installation stands. Next: call again for the following step.
type installOutput struct {
	Installation string `json:"installation"`
	Steps        []Step `json:"steps"`
	State        string `json:"state"`
	Next         bool   `json:"next"`
}

func (i Install) output() installOutput {
	return installOutput{Installation: i.Installation, Steps: i.Steps, State: i.State, Next: i.State == stepRunning}
}

// install does the first step that is not done and answers all of them. Repeatable at any point: what is done is never
// sent again, and a failed step is tried again by calling again. A passing trouble comes back as an error.
func (v *plugin) install(ctx context.Context, in installInput) (installOutput, error) {
	ext, err := extFor(in.AppID, in.ExtJSON)
	if err != nil {
		return installOutput{}, err
	}
	row, err := v.installRow(ctx, in, ext)
	if err != nil {
		return installOutput{}, err
	}
	at := slices.IndexFunc(row.Steps, func(s Step) bool { return s.State != stepDone })
	if at < 0 {
		return row.output(), nil
	}
	// A step found running was cut short: its outcome is unknown. Only commit cares.
	interrupted := row.Steps[at].State == stepRunning
	running := row
	running.Steps = slices.Clone(row.Steps)
	running.State = stepRunning
	step := &running.Steps[at]
	if step.State != stepRunning {
		*step = Step{Name: step.Name, Title: step.Title, State: stepRunning, StartedAt: sdk.Now(ctx).UnixMilli()}
	}
	if row, err = v.keepInstall(ctx, row, running, nil); err != nil {
		return installOutput{}, err
	}
	return v.runStep(ctx, row, at, interrupted)
}

// runStep runs a step that is marked as running and writes down how it ended.
func (v *plugin) runStep(ctx context.Context, row Install, at int, interrupted bool) (installOutput, error) {
	before := row // what is stored: a step may learn something to keep
	var result outcome
	var err error
	switch row.Steps[at].Name {
	case stepCheck:
		result, err = v.checkStep(ctx, &row)
	case stepDomains:
		result, err = v.domainsStep(ctx, row)
	case stepCommit:
		row, result, err = v.commitStep(ctx, row, interrupted)
		before = row // it has written by itself
	case stepTrial:
		result, err = v.trialStep(ctx, row)
	}
	ctx = context.WithoutCancel(ctx)
	row.Steps = slices.Clone(row.Steps)
	step := &row.Steps[at]
	if err != nil {
		result = failureOf(err)
		step.Attempts++
		if result.passing && step.Attempts < patience {
			step.Error, step.Action, step.ErrCode, step.RID = result.problem, result.action, result.errcode, result.rid
			_, keepErr := v.keepInstall(ctx, before, row, nil)
			return installOutput{}, errors.Join(fmt.Errorf("install %s: %s: %w", row.Installation, step.Name, err), keepErr)
		}
	}
	step.Note, step.Error, step.Action, step.ErrCode, step.RID = result.note, result.problem, result.action, result.errcode, result.rid
	step.EndedAt = sdk.Now(ctx).UnixMilli()
	var events []sdk.Event
	if result.problem != "" {
		step.State, row.State = stepFailed, stepFailed
	} else {
		step.State = stepDone
		if at == len(row.Steps)-1 {
			row.State = stepDone
			events = []sdk.Event{{
				Type: "installed", Component: row.Component, AppID: row.AppID, Subject: row.Installation,
				Data: map[string]string{"installation": row.Installation, "appid": row.AppID},
			}}
		}
	}
	row, err = v.keepInstall(ctx, before, row, events)
	if err != nil {
		return installOutput{}, err
	}
	return row.output(), nil
}

// installRow finds the installation or makes it. Another content starts it over; another mini program is refused.
func (v *plugin) installRow(ctx context.Context, in installInput, ext string) (Install, error) {
	wanted := Install{
		Installation: in.Installation, AppID: in.AppID, Component: in.Component, Template: in.Template, TemplateID: in.TemplateID, ExtJSON: ext,
		UserVersion: in.Version, UserDesc: in.Desc, Steps: newSteps(), State: stepRunning,
	}
	if in.Domains != nil {
		wanted.Domains = *in.Domains
	}
	if wanted.UserDesc == "" {
		wanted.UserDesc = in.Version
	}
	for range attempts {
		row, found, err := v.installs.First(ctx, sdk.Eq("installation", in.Installation))
		if err != nil {
			return Install{}, err
		}
		if !found {
			_, err = sdk.Commit(ctx, []sdk.Op{v.installs.Insert(wanted)})
			if err != nil && !errors.Is(err, sdk.ErrConflict) {
				return Install{}, fmt.Errorf("make installation %s: %w", in.Installation, err)
			}
			continue
		}
		if row.AppID != in.AppID {
			return Install{}, sdk.Conflict("version.other_app", "这个安装单属于另一个小程序，请新建安装").On("appid", "与安装单不一致")
		}
		if row.sameContent(wanted) {
			return row, nil
		}
		wanted.Row = row.Row
		return v.keepInstall(ctx, row, wanted, nil)
	}
	// Another holder of this id exists whose row this actor may not see.
	return Install{}, sdk.NotFound("version.no_installation", "没有找到这个安装单")
}

func (i Install) sameContent(other Install) bool {
	same := func(a, b []string) bool { return slices.Equal(a, b) }
	return i.Component == other.Component && i.TemplateID == other.TemplateID && i.ExtJSON == other.ExtJSON &&
		i.UserVersion == other.UserVersion && i.UserDesc == other.UserDesc && same(i.Domains.Request, other.Domains.Request) &&
		same(i.Domains.WebSocket, other.Domains.WebSocket) && same(i.Domains.Upload, other.Domains.Upload) && same(i.Domains.Download, other.Domains.Download)
}

// keepInstall writes a changed row; of two calls at once one fails.
func (v *plugin) keepInstall(ctx context.Context, before, after Install, events []sdk.Event) (Install, error) {
	set := changes(before, after)
	if len(set) == 0 && len(events) == 0 {
		return after, nil
	}
	_, err := sdk.Commit(ctx, []sdk.Op{v.installs.Update(before.ID, before.Version, set)}, sdk.WithEvents(events...))
	if errors.Is(err, sdk.ErrAborted) {
		// Not a verdict about the installation: whoever called asks again and finds where the other call brought it.
		return before, sdk.Conflict("version.busy", "这个安装单正在进行，请稍候刷新").OfKind(sdk.KindUnavailable).Because(err)
	}
	if err != nil {
		return before, fmt.Errorf("keep installation %s: %w", before.Installation, err)
	}
	after.Row = before.Row
	after.Version++
	return after, nil
}
