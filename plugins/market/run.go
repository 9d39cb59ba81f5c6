package market

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// mostCalls bounds the steps of one delivery; a plugin version that never ends cannot keep it busy for ever.
const mostCalls = 12

// installInput and installOutput are the operation version.install: one step per call, repeatable at any point.
type installInput struct {
	Installation string   `json:"installation"`
	AppID        string   `json:"appid"`
	Component    string   `json:"component"`
	TemplateID   int64    `json:"template_id"`
	Template     string   `json:"template"`
	ExtJSON      string   `json:"ext_json"`
	Version      string   `json:"version"`
	Desc         string   `json:"desc"`
	Domains      *Domains `json:"domains"`
}

type installOutput struct {
	Installation string `json:"installation"`
	Steps        []Step `json:"steps"`
	State        string `json:"state"` // running done failed
	Next         bool   `json:"next"`
}

// run takes an installation through its steps under its owner's delegation. It is delivered at least once: what was
// done before is plugin version's knowledge, so a repeated delivery or a restart in the middle goes on where it stopped.
func (m *market) run(ctx context.Context, event sdk.Event) error {
	var started startedData
	if err := event.Decode(&started); err != nil {
		return err
	}
	id, err := parseID(started.Installation)
	if err != nil {
		return fmt.Errorf("event %d: %w", event.ID, err)
	}
	for range mostCalls {
		installation, err := m.installations.Get(ctx, id)
		if errors.Is(err, sdk.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if installation.State != Installing || installation.Attempt != started.Attempt {
			return nil // finished, given up, or started anew by a later event
		}
		more, err := m.step(ctx, installation)
		if err != nil || !more {
			return err
		}
	}
	return fmt.Errorf("installation %d: no end after %d calls", id, mostCalls)
}

// step makes one call and stores what came of it.
func (m *market) step(ctx context.Context, installation Installation) (more bool, err error) {
	var answer installOutput
	err = sdk.Call(sdk.WithDelegation(ctx, installation.Delegation), "version.install", installInput{
		Installation: installation.key(), AppID: installation.AppID, Component: installation.Component,
		TemplateID: installation.TemplateID, Template: installation.Template, ExtJSON: installation.ExtJSON,
		Version: installation.Release, Desc: "安装模板「" + installation.Title + "」", Domains: installation.Domains,
	}, &answer)
	if err != nil {
		return false, m.troubled(ctx, installation, err)
	}
	switch answer.State {
	case "done":
		return false, m.finish(ctx, installation, answer.Steps)
	case "failed":
		return false, m.fail(ctx, installation, answer.Steps, failureOf(answer.Steps))
	default:
		return true, m.save(ctx, installation, sdk.Set{"steps": answer.Steps, "hint": ""})
	}
}

func (m *market) save(ctx context.Context, installation Installation, set sdk.Set, events ...sdk.Event) error {
	_, err := sdk.Commit(ctx, []sdk.Op{m.installations.Update(installation.ID, installation.Version, set)}, sdk.WithEvents(events...))
	if err != nil {
		return fmt.Errorf("save installation %d: %w", installation.ID, err)
	}
	m.tell(ctx, installation)
	return nil
}

// topicInstallations says that an installation has moved; the page reads it then, instead of asking every second.
const topicInstallations = "installations"

// moved is a message of the topic.
type moved struct {
	Key string `json:"key"`
}

// tell wakes the owner's page. A message that is lost costs nothing but the seconds until the page asks by itself.
func (m *market) tell(ctx context.Context, installation Installation) {
	if err := sdk.PublishTo(ctx, installation.OwnerSpace, topicInstallations, moved{installation.key()}); err != nil {
		sdk.Log(ctx).Warn("news of an installation", "installation", installation.ID, "error", err.Error())
	}
}

// troubled decides about a call that failed as a whole: a passing trouble is left to the event log to repeat, with a
// hint for who watches; anything else ends the attempt.
func (m *market) troubled(ctx context.Context, installation Installation, cause error) error {
	if !passing(cause) {
		return m.fail(ctx, installation, installation.Steps, failureFrom(cause))
	}
	hint := "暂时遇到问题，正在自动重试：" + sdk.Message(cause)
	if installation.Hint != hint {
		if err := m.save(ctx, installation, sdk.Set{"hint": short(hint, 500)}); err != nil {
			return errors.Join(cause, err)
		}
	}
	return fmt.Errorf("install %d: %w", installation.ID, cause)
}

// passing tells a trouble that is worth repeating by itself.
func passing(err error) bool {
	var failure *sdk.Error
	if errors.As(err, &failure) {
		switch failure.Kind {
		case sdk.KindUnavailable, sdk.KindInternal, sdk.KindTooMany, sdk.KindAborted:
			return true
		default:
			return false
		}
	}
	var refused *wechat.Error
	return !errors.As(err, &refused)
}

// failure is why an installation failed and what to do.
type failure struct {
	cause, remedy, rid string
	code               int
}

func failureOf(steps []Step) failure {
	for _, step := range steps {
		if step.State == stepFailed {
			return failure{cause: step.Title + "失败：" + step.Error, remedy: step.Action, code: step.ErrCode, rid: step.RID}
		}
	}
	return failure{cause: "安装没有完成", remedy: "请点“重试此步”；仍不成功请联系商户"}
}

func failureFrom(err error) failure {
	found := failure{cause: sdk.Message(err), remedy: "请按提示处理后点“重试此步”"}
	var refused *wechat.Error
	if errors.As(err, &refused) {
		found.code, found.rid = refused.Code, refused.RID
		if known, ok := wechat.Explain(refused.Code); ok {
			found.cause, found.remedy = known.Reason, known.Action
		}
	}
	return found
}

// failedData is the data of eventFailed. It names what went wrong in words for people.
type failedData struct {
	Installation string `json:"installation"`
	Title        string `json:"title"`
	Reason       string `json:"reason"`
	Remedy       string `json:"remedy"`
	ErrCode      int    `json:"errcode"` // WeChat's, 0 when it did not refuse
	RID          string `json:"rid"`
}

func (m *market) fail(ctx context.Context, installation Installation, steps []Step, why failure) error {
	next, ok := installation.State.after(actFail)
	if !ok {
		return nil
	}
	return m.save(ctx, installation, sdk.Set{
		"state": next, "steps": markFailed(steps, why), "failure": short(why.cause, 500), "remedy": short(why.remedy, 500), "errcode": why.code,
		"rid": short(why.rid, 64), "hint": "", "ended_at": sdk.Now(ctx).UnixMilli(),
	}, sdk.Event{
		Type: eventFailed, Component: installation.Component, AppID: installation.AppID, SpaceID: installation.MerchantSpace,
		Subject: installation.key(), Data: failedData{
			Installation: installation.key(), Title: installation.Title, Reason: short(why.cause, 500), Remedy: short(why.remedy, 500), ErrCode: why.code, RID: short(why.rid, 64),
		},
	})
}

// markFailed lets the first step that is not done carry the failure, when plugin version gave no steps of its own.
func markFailed(steps []Step, why failure) []Step {
	marked := append([]Step(nil), steps...)
	for i := range marked {
		switch marked[i].State {
		case stepFailed:
			return marked
		case stepDone:
			continue
		}
		marked[i].State, marked[i].Error, marked[i].Action = stepFailed, why.cause, why.remedy
		marked[i].ErrCode, marked[i].RID = why.code, why.rid
		return marked
	}
	return marked
}

func (m *market) finish(ctx context.Context, installation Installation, steps []Step) error {
	next, ok := installation.State.after(actFinish)
	if !ok {
		return nil
	}
	err := m.save(ctx, installation, sdk.Set{
		"state": next, "steps": steps, "hint": "", "ended_at": sdk.Now(ctx).UnixMilli(),
	}, sdk.Event{
		Type: eventFinished, Component: installation.Component, AppID: installation.AppID, SpaceID: installation.MerchantSpace,
		Subject: installation.key(), Data: finishedData{Installation: installation.key(), Listing: fmt.Sprint(installation.Listing)},
	})
	if err != nil {
		return err
	}
	m.endDelegation(sdk.WithDelegation(ctx, installation.Delegation), installation.Delegation)
	return nil
}

func short(text string, most int) string {
	text = strings.TrimSpace(text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
