package main

import (
	"context"
	"fmt"

	"minifleet/plugins/sdk"
)

// region settings

// Settings are what each space fills in before it uses the plugin.
type Settings struct {
	Robot string `setting:"robot,机器人,text,required,default:wecom,options:wecom=企业微信;dingtalk=钉钉;feishu=飞书"`
	URL   string `setting:"url,Webhook 地址,text,required,secret,help:在群设置中添加机器人后得到的地址，含有密钥，只在这里填写"`
	Quiet bool   `setting:"quiet,不提醒所有人,bool"`
}

// endregion

// Notice is one message that was sent.
type Notice struct {
	sdk.Row
	AppID  string `col:"appid,小程序,text,size:64,filter:eq"`
	Reason string `col:"reason,驳回原因,longtext,list"`
	Times  int64  `col:"times,发送次数,int"`
}

// notifier sends and keeps what it sent.
type notifier struct{ sent *sdk.Registered[Notice] }

// region declare

// New declares the plugin.
func New() *sdk.Plugin {
	p := sdk.New("auditnotifier", "驳回提醒", "1.0.0")
	p.Describe("代码审核被驳回时，发消息到企业微信、钉钉或飞书的群机器人。", "MiniFleet 示例")
	p.Asks(sdk.ToHosts("qyapi.weixin.qq.com", "oapi.dingtalk.com", "open.feishu.cn"), sdk.ToCore("miniprograms"))
	sdk.UseSettings[Settings](p)
	n := &notifier{sdk.Register[Notice](p, "notices", "驳回提醒", sdk.ReadOnly(), sdk.Intro("发到群里的每条提醒"))}
	n.sent.Action("resend", "再发一次", n.resend, sdk.Single())
	p.On("wechat.weapp_audit_fail", n.rejected)
	return p
}

// endregion

// region handler

// rejected sends one message for each rejection. An event may arrive twice: the row says what was sent already, and a
// message that did not go out is an error, so that the platform delivers the event again.
func (n *notifier) rejected(ctx context.Context, event sdk.Event) error {
	var push struct{ Reason string }
	if err := event.Decode(&push); err != nil {
		return err
	}
	row := Notice{AppID: event.AppID, Reason: plain(push.Reason), Times: 1}
	if err := n.send(ctx, row); err != nil {
		return err
	}
	_, err := sdk.Commit(ctx, []sdk.Op{n.sent.Insert(row)}, sdk.Once(fmt.Sprintf("event-%d-%d", event.ID, sdk.Actor(ctx).SpaceID)))
	return err
}

// endregion

func (n *notifier) resend(ctx context.Context, rows []Notice) (sdk.Result, error) {
	for _, row := range rows {
		if err := n.send(ctx, row); err != nil {
			return sdk.Result{}, err
		}
		if _, err := sdk.Commit(ctx, []sdk.Op{n.sent.Increment(row.ID, map[string]int64{"times": 1})}); err != nil {
			return sdk.Result{}, err
		}
	}
	return sdk.Result{Message: "已发送"}, nil
}

// send posts one message to the robot of the call's space.
func (n *notifier) send(ctx context.Context, row Notice) error {
	settings, err := sdk.Settings[Settings](ctx)
	if err != nil {
		return err
	}
	if settings.URL == "" {
		return sdk.Fail("auditnotifier.settings", "还没有填写 Webhook 地址，请先在插件设置中填写")
	}
	name := row.AppID
	if app, err := sdk.GetMiniProgram(ctx, row.AppID); err == nil && app.NickName != "" {
		name = app.NickName
	}
	message := fmt.Sprintf("小程序「%s」审核被驳回\nAppID：%s\n原因：%s", name, row.AppID, row.Reason)
	var answer robotAnswer
	if err := sdk.Post(ctx, settings.URL, robotMessage(settings, message), &answer); err != nil {
		return err
	}
	return answer.refusal()
}
