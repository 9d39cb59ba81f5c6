package market

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"minifleet/plugins/sdk"
)

// State is where an installation stands.
type State string

// The states of an installation.
const (
	Choosing   State = "choosing"   // asked for; the mini program is still to be authorised and chosen
	Ready      State = "ready"      // mini program and configuration are chosen
	Installing State = "installing" // plugin version is at work
	Done       State = "done"       // the trial version stands
	Failed     State = "failed"     // a step failed; 重试 goes on from there
	Abandoned  State = "abandoned"  // the owner gave up
)

// act is what happens to an installation.
type act string

const (
	actChoose  act = "choose"
	actLaunch  act = "launch"
	actFinish  act = "finish"
	actFail    act = "fail"
	actRetry   act = "retry"
	actAbandon act = "abandon"
)

// transitions is the whole life of an installation. A mini program cannot be changed once work on it began: another one
// is another installation.
var transitions = map[State]map[act]State{
	Choosing:   {actChoose: Ready, actAbandon: Abandoned},
	Ready:      {actChoose: Ready, actLaunch: Installing, actAbandon: Abandoned},
	Installing: {actFinish: Done, actFail: Failed, actRetry: Installing, actAbandon: Abandoned},
	Failed:     {actRetry: Installing, actAbandon: Abandoned},
	Done:       {actAbandon: Abandoned},
	Abandoned:  {},
}

// after gives the state that an act leads to; false when it is not possible now.
func (s State) after(a act) (State, bool) {
	next, ok := transitions[s][a]
	return next, ok
}

// installationStates names the states with their colour on the screens.
var installationStates = []sdk.Option{
	{Value: string(Choosing), Label: "待授权", Color: "orange"},
	{Value: string(Ready), Label: "待安装", Color: "orange"},
	{Value: string(Installing), Label: "安装中", Color: "blue"},
	{Value: string(Done), Label: "已安装", Color: "green"},
	{Value: string(Failed), Label: "失败", Color: "red"},
	{Value: string(Abandoned), Label: "已放弃", Color: "grey"},
}

func optionOf(options []sdk.Option, value string) sdk.Option {
	for _, option := range options {
		if option.Value == value {
			return option
		}
	}
	return sdk.Option{Value: value, Label: value, Color: "grey"}
}

// Installation is one try of one template: from the click on 试用 to the trial version. It is seen by the space that
// installs and by the merchant. What it needs of the listing is a copy, so that an edit never changes a running one.
type Installation struct {
	sdk.Row
	OwnerSpace    int64             `col:"owner_space,安装方空间,int"`
	MerchantSpace int64             `col:"merchant_space,商户空间,int"`
	Owner         string            `col:"owner,安装方,text,size:255,list"`
	Merchant      string            `col:"merchant,商户,text,size:255"`
	Listing       int64             `col:"listing,商品,int"`
	Slug          string            `col:"slug,地址,text,size:64"`
	Title         string            `col:"title,模板,text,size:60,list"`
	Component     string            `col:"component,第三方平台,text,size:64"`
	State         State             `col:"state,状态,text,required,size:16,filter:eq,list"`
	Template      string            `col:"template,模板,text,size:32"`
	TemplateID    int64             `col:"template_id,模板 ID,int"`
	Release       string            `col:"release_no,版本,text,size:64,list"`
	Domains       *Domains          `col:"domains,服务器域名,json"`
	AppID         string            `col:"appid,AppID,text,size:64,filter:eq,list"`
	NickName      string            `col:"nick_name,小程序,text,size:255,list"`
	Config        map[string]string `col:"config,配置,json"`
	ExtJSON       string            `col:"ext_json,ext_json,longtext"`
	Ticket        string            `col:"ticket,授权单,text,size:64"`
	TicketURL     string            `col:"ticket_url,授权链接,text,size:512"`
	TicketAt      int64             `col:"ticket_at,授权单时间,time"`
	TicketUntil   int64             `col:"ticket_until,授权单到期,time"`
	Delegation    int64             `col:"delegation,委托,int"`
	Grant         int64             `col:"grant_id,授权,int"`
	Attempt       int64             `col:"attempt,第几次,int"`
	Steps         []Step            `col:"steps,步骤,json"`
	Failure       string            `col:"failure,失败原因,text,size:500,list"`
	Remedy        string            `col:"remedy,处理办法,text,size:500"`
	ErrCode       int64             `col:"errcode,错误码,int"`
	RID           string            `col:"rid,rid,text,size:64"`
	Hint          string            `col:"hint,提示,text,size:500"` // a passing trouble that is being repeated by itself
	StartedAt     int64             `col:"started_at,开始时间,time"`
	EndedAt       int64             `col:"ended_at,结束时间,time"`
	BoundAt       int64             `col:"bound_at,授权变化时间,time"` // newest authorisation event that was heeded
	LostAt        int64             `col:"lost_at,解除授权时间,time"`  // 0 while authorised
}

// Step is one of the four steps, as plugin version tells it.
type Step struct {
	Name      string `json:"name"`
	Title     string `json:"title"`
	State     string `json:"state"` // waiting running done failed
	StartedAt int64  `json:"started_at"`
	EndedAt   int64  `json:"ended_at"`
	Error     string `json:"error"`
	Action    string `json:"action"`
	ErrCode   int    `json:"errcode"`
	RID       string `json:"rid"`
	Note      string `json:"note,omitempty"`
}

// States of a step.
const (
	stepWaiting = "waiting"
	stepRunning = "running"
	stepDone    = "done"
	stepFailed  = "failed"
)

// plannedSteps are what will happen, before anything has.
func plannedSteps() []Step {
	return []Step{
		{Name: "check", Title: "校验权限", State: stepWaiting},
		{Name: "domains", Title: "配置域名", State: stepWaiting},
		{Name: "commit", Title: "上传代码", State: stepWaiting},
		{Name: "trial", Title: "生成体验版", State: stepWaiting},
	}
}

// key names the installation in other rooms: its grant's source and plugin version's key.
func (i Installation) key() string { return strconv.FormatInt(i.ID, 10) }

// Lost tells that the owner took the authorisation back at WeChat.
func (i Installation) Lost() bool { return i.LostAt != 0 }

var errNoInstallation = sdk.NotFound("market.installation_not_found", "没有找到这次安装，请到“我的安装”里查看")

// seen reads an installation that the actor may look at: their own, or one of their template.
func (m *market) seen(ctx context.Context, id int64) (Installation, error) {
	installation, err := m.installations.Get(ctx, id)
	if errors.Is(err, sdk.ErrNotFound) {
		return Installation{}, errNoInstallation.Because(err)
	}
	return installation, err
}

// mine reads an installation that the actor may act on: only the space that installs may.
func (m *market) mine(ctx context.Context, id int64) (Installation, error) {
	installation, err := m.seen(ctx, id)
	if err == nil && installation.OwnerSpace != sdk.Actor(ctx).SpaceID {
		return Installation{}, errNoInstallation
	}
	return installation, err
}

// parseID reads an id from an address.
func parseID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, errNoInstallation.Because(fmt.Errorf("id %q", text))
	}
	return id, nil
}

// Refusal is WeChat's answer that ended the attempt, with what the dictionary says about it; nil when WeChat refused nothing.
func (i Installation) Refusal() *sdk.Refusal {
	if i.ErrCode == 0 {
		return nil
	}
	r := sdk.Refusal{ErrCode: int(i.ErrCode), RID: i.RID, AppID: i.AppID, Component: i.Component, At: i.EndedAt}.Explain()
	return &r
}
