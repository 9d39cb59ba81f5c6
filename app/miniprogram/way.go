package miniprogram

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"minifleet/app/fault"
)

// Ways are the ways to WeChat on a mini program's behalf, with whose it is: what every call asks the database, in one
// question.
type Ways struct {
	AppID        string
	OwnerSpaceID int64 // 0 = 未认领
	Name         string
	list         []Way
}

// Way is one authorisation. What is sealed in it stays in this room.
type Way struct {
	Component string
	appid     string
	state     string
	sets      []int
	sealed    string
	expires   time.Time
	renewable bool
}

// Ways reads them, whoever asks; callers check who may go. NotFound for a mini program that is not known here.
func (s *Service) Ways(ctx context.Context, appid string) (Ways, error) {
	type row struct {
		ID           int64
		OwnerSpaceID int64
		NickName     string
		Component    string
		State        string
		Sets         string
		AccessToken  string
		ExpiresAt    int64
		Renewable    int
	}
	var rows []row
	err := s.db.All(ctx, &rows, "SELECT m.owner_space_id, m.nick_name, COALESCE(a.id,0) AS id, COALESCE(a.component,'') AS component, COALESCE(a.state,'') AS state, COALESCE(a.sets,'') AS sets, "+
		"COALESCE(a.access_token,'') AS access_token, COALESCE(a.expires_at,0) AS expires_at, CASE WHEN COALESCE(a.refresh_token,'')='' THEN 0 ELSE 1 END AS renewable "+
		"FROM mini_program m LEFT JOIN authorization a ON a.appid=m.appid WHERE m.appid=?", appid)
	if err != nil {
		return Ways{}, fmt.Errorf("miniprogram: %w", err)
	}
	if len(rows) == 0 {
		return Ways{}, errNotFound
	}
	w := Ways{AppID: appid, OwnerSpaceID: rows[0].OwnerSpaceID, Name: rows[0].NickName}
	if w.Name == "" {
		w.Name = appid
	}
	slices.SortFunc(rows, func(x, y row) int { return cmp.Compare(x.ID, y.ID) }) // cheaper here: it is one as a rule
	for _, r := range rows {
		if r.Component != "" {
			w.list = append(w.list, Way{r.Component, appid, r.State, parseSets(r.Sets), r.AccessToken, time.UnixMilli(r.ExpiresAt), r.Renewable == 1})
		}
	}
	return w, nil
}

// Holder picks the authorisation that holds one of the permission sets, that of the wanted platform app if named. Without
// sets any active one does.
func (w Ways) Holder(wanted string, sets ...int) (Way, error) {
	active := false
	for _, a := range w.list {
		if wanted != "" && a.Component != wanted || a.state != Active {
			continue
		}
		active = true
		if len(sets) == 0 || slices.ContainsFunc(sets, func(set int) bool { return slices.Contains(a.sets, set) }) {
			return a, nil
		}
	}
	if !active {
		return Way{}, errRevoked
	}
	return Way{}, fault.Newf(fault.Conflict, "missing_permission_set", "小程序没有授予“%s”权限，请让管理员重新授权并勾选它", SetName(sets[0]))
}

// TokenOf is Token for a way that was read a moment ago: the token that was read with it, when it is good for two minutes.
func (s *Service) TokenOf(ctx context.Context, w Way) (string, error) {
	if w.sealed == "" || !w.renewable || w.expires.Before(s.clk.Now().Add(renewAtCall)) {
		return s.Token(ctx, w.Component, w.appid)
	}
	return s.vault.OpenString(purpose("access_token", w.Component, w.appid), w.sealed)
}

// Holder picks the platform app whose authorisation holds one of the permission sets, the wanted one if named.
// Without sets any active authorisation does.
func (s *Service) Holder(ctx context.Context, appid, wanted string, sets ...int) (string, error) {
	w, err := s.Ways(ctx, appid)
	if err != nil {
		return "", err
	}
	way, err := w.Holder(wanted, sets...)
	return way.Component, err
}
