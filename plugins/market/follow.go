package market

import (
	"context"
	"errors"
	"fmt"
	"time"

	"minifleet/plugins/sdk"
)

// finishedData is the data of eventFinished.
type finishedData struct {
	Installation string `json:"installation"`
	Listing      string `json:"listing"`
}

// count adds a finished installation to its listing, once.
func (m *market) count(ctx context.Context, event sdk.Event) error {
	var finished finishedData
	if err := event.Decode(&finished); err != nil {
		return err
	}
	id, err := parseID(finished.Listing)
	if err != nil {
		return fmt.Errorf("event %d: %w", event.ID, err)
	}
	listing, err := m.listings.Get(ctx, id)
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = sdk.Commit(ctx, []sdk.Op{
		m.listings.Update(listing.ID, listing.Version, sdk.Set{"installs": listing.Installs + 1}),
	}, sdk.Once("counted:"+finished.Installation))
	if err != nil {
		return fmt.Errorf("count installation %s: %w", finished.Installation, err)
	}
	return nil
}

// mostPerApp bounds the installations of one mini program that an authorisation event touches.
const mostPerApp = 1000

// unauthorized marks the installations of a mini program whose owner took the authorisation back at WeChat.
func (m *market) unauthorized(ctx context.Context, event sdk.Event) error {
	return m.rebind(ctx, event, func(installation Installation) sdk.Set {
		set := sdk.Set{"lost_at": event.At, "bound_at": event.At}
		if next, ok := installation.State.after(actFail); ok {
			why := failure{cause: "管理员已在微信侧解除授权", remedy: "请重新授权后点“重试此步”"}
			set["state"], set["steps"], set["ended_at"] = next, markFailed(installation.Steps, why), event.At
			set["failure"], set["remedy"], set["hint"] = why.cause, why.remedy, ""
		}
		return set
	})
}

// authorized takes the mark away again.
func (m *market) authorized(ctx context.Context, event sdk.Event) error {
	return m.rebind(ctx, event, func(Installation) sdk.Set { return sdk.Set{"lost_at": 0, "bound_at": event.At} })
}

// rebind changes the installations of the event's mini program and platform that have not heeded a newer event yet:
// events may come twice and out of order.
func (m *market) rebind(ctx context.Context, event sdk.Event, change func(Installation) sdk.Set) error {
	if event.AppID == "" {
		return nil
	}
	rows, err := m.installations.All(ctx, sdk.Query{Where: []sdk.Where{
		sdk.Eq("appid", event.AppID), sdk.Eq("component", event.Component), sdk.Ne("state", Abandoned), sdk.Lt("bound_at", event.At),
	}}, mostPerApp)
	if err != nil || len(rows) == 0 {
		return err
	}
	for len(rows) > 0 {
		batch := rows[:min(len(rows), 200)]
		rows = rows[len(batch):]
		ops := make([]sdk.Op, len(batch))
		for i, row := range batch {
			ops[i] = m.installations.Update(row.ID, row.Version, change(row))
		}
		if _, err := sdk.Commit(ctx, ops); err != nil {
			return fmt.Errorf("%s of %s: %w", event.Type, event.AppID, err)
		}
	}
	return nil
}

// Bounds of one run of the job.
const (
	resumeAfter = 5 * time.Minute
	resumeMost  = 100
)

// resume starts installations again that were left running without anybody at work on them: their event was given up
// after too many failures. The event log keeps the order per mini program, so two never run side by side.
func (m *market) resume(ctx context.Context) (string, error) {
	before := sdk.Now(ctx).Add(-resumeAfter).UnixMilli()
	page, err := m.installations.Find(ctx, sdk.Query{
		Where: []sdk.Where{sdk.Eq("state", Installing), sdk.Lt(sdk.ColumnUpdatedAt, before)}, Sort: sdk.ColumnID, Limit: resumeMost,
	})
	if err != nil {
		return "", err
	}
	resumed := 0
	var failures []error
	for _, installation := range page.Items {
		attempt := installation.Attempt + 1
		_, err := sdk.Commit(ctx, []sdk.Op{
			m.installations.Update(installation.ID, installation.Version, sdk.Set{"attempt": attempt}),
		}, sdk.WithEvents(startedEvent(installation, attempt)))
		switch {
		case errors.Is(err, sdk.ErrAborted): // it moved: somebody is at work after all
		case err != nil:
			failures = append(failures, fmt.Errorf("resume installation %d: %w", installation.ID, err))
		default:
			resumed++
		}
	}
	return fmt.Sprintf("续跑 %d 个", resumed), errors.Join(failures...)
}
