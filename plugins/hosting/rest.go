package hosting

import (
	"context"

	"minifleet/plugins/sdk"
)

type appInput struct {
	AppID string `json:"-" path:"appid"`
}

// findGrants lists the grants on a mini program, newest first; the owner's answer is complete.
func findGrants(ctx context.Context, in appInput) (sdk.Rows[sdk.Grant], error) {
	answer := sdk.Rows[sdk.Grant]{Items: []sdk.Grant{}}
	if _, err := readApp(ctx, in.AppID); err != nil {
		return answer, err
	}
	active, ended, err := holders(ctx, in.AppID)
	if err != nil {
		return answer, err
	}
	for _, found := range append(active, ended...) {
		answer.Items = append(answer.Items, found.Grant)
	}
	total := int64(len(answer.Items))
	answer.Total = &total
	return answer, nil
}

type grantInput struct {
	ID int64 `json:"-" path:"id"`
}

type grantEnded struct {
	ID    int64  `json:"id,string"`
	State string `json:"state"`
}

// deleteGrant ends a grant at once. The core finds the mini program and refuses whoever does not own it.
func deleteGrant(ctx context.Context, in grantInput) (grantEnded, error) {
	if in.ID <= 0 {
		return grantEnded{}, errNoGrant
	}
	if err := end(ctx, in.ID); err != nil {
		return grantEnded{}, err
	}
	return grantEnded{ID: in.ID, State: "revoked"}, nil
}
