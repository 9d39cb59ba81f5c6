package miniprogram

import (
	"context"
	"fmt"
	"slices"
)

// States of an account as WeChat tells them (01 D.6); 0 while they are unknown.
const (
	StatusNormal    = 1
	StatusCancelled = 14 // 注销
	StatusBanned    = 16 // 封禁
	StatusWarned    = 18 // 告警
	StatusFrozen    = 19 // 冻结
)

// StatusChanged is announced when a sync finds that an account fares worse than before, or well again.
const StatusChanged = "miniprogram.status_changed"

// StatusNews is what StatusChanged says.
type StatusNews struct {
	Before int `json:"before"`
	After  int `json:"after"`
}

// troubled tells whether customers or the owner feel such a state.
func troubled(status int) bool {
	return slices.Contains([]int{StatusCancelled, StatusBanned, StatusWarned, StatusFrozen}, status)
}

// turnStatus keeps the state of an account inside the caller's transaction and announces a change that somebody must hear
// of. When WeChat did not say, the state that is known stays.
func (s *Service) turnStatus(ctx context.Context, component, appid string, status int) error {
	if status == 0 {
		return nil
	}
	var row struct {
		AccountStatus int
		OwnerSpaceID  int64
	}
	found, err := s.db.One(ctx, &row, "SELECT account_status, owner_space_id FROM mini_program WHERE appid=?", appid)
	if err != nil {
		return fmt.Errorf("miniprogram: status of %s: %w", appid, err)
	}
	if !found || row.AccountStatus == status {
		return nil
	}
	// Of two syncs at once one makes the change and tells of it.
	n, err := s.db.Exec(ctx, "UPDATE mini_program SET account_status=? WHERE appid=? AND account_status=?", status, appid, row.AccountStatus)
	if err != nil {
		return fmt.Errorf("miniprogram: status of %s: %w", appid, err)
	}
	if n == 0 || !troubled(status) && !troubled(row.AccountStatus) {
		return nil
	}
	return s.events.Announce(ctx, StatusChanged, component, appid, row.OwnerSpaceID, StatusNews{Before: row.AccountStatus, After: status})
}

// AuthorizedTo reports whether the mini program is authorised to the platform app, be it that its token must be renewed.
func (m MiniProgram) AuthorizedTo(component string) bool {
	return slices.ContainsFunc(m.Authorizations, func(a Authorization) bool { return a.Component == component && a.State != Revoked })
}
