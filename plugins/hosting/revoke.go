package hosting

import (
	"context"
	"errors"
	"fmt"

	"minifleet/plugins/sdk"
)

var errNoGrant = sdk.NotFound("hosting.grant_not_found", "没有找到这项授权，可能已经撤销，请刷新查看")

// revoke ends one of the grants on a mini program of the actor's own. The core decides again; here a grant of another
// mini program or of somebody else's is as good as none.
func revoke(ctx context.Context, app sdk.MiniProgramInfo, id int64) (sdk.Grant, error) {
	if !owns(ctx, app) {
		return sdk.Grant{}, sdk.Forbidden("hosting.not_owner", "只有小程序的所有者可以撤销授权")
	}
	grants, err := sdk.Grants(ctx, app.AppID)
	if err != nil {
		return sdk.Grant{}, fmt.Errorf("grants on %s: %w", app.AppID, err)
	}
	for _, grant := range grants {
		if grant.ID == id {
			return grant, end(ctx, id)
		}
	}
	return sdk.Grant{}, errNoGrant
}

func end(ctx context.Context, id int64) error {
	err := sdk.GrantRevoke(ctx, id)
	if errors.Is(err, sdk.ErrNotFound) {
		return errNoGrant.Because(err)
	}
	if err != nil {
		return fmt.Errorf("revoke grant %d: %w", id, err)
	}
	return nil
}
