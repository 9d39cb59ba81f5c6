package market

import (
	"context"

	"minifleet/plugins/sdk"
)

// dashboard is the plugin's cards on the 工作台: a merchant's shelf and who tries it, a person's own installations.
func (m *market) dashboard(ctx context.Context) ([]sdk.Card, error) {
	who := sdk.Actor(ctx)
	switch who.SpaceKind {
	case "merchant":
		shelf, err := m.shelfCard(ctx, who.SpaceID)
		if err != nil {
			return nil, err
		}
		installs, err := m.installCard(ctx, sdk.Eq("merchant_space", who.SpaceID), "/admin/info/market_installations", "用户试用")
		return []sdk.Card{shelf, installs}, err
	case "personal":
		own, err := m.installCard(ctx, sdk.Eq("owner_space", who.SpaceID), "", "我的安装")
		return []sdk.Card{own}, err
	default:
		return nil, nil
	}
}

func (m *market) shelfCard(ctx context.Context, space int64) (sdk.Card, error) {
	card := sdk.Card{Key: "shelf", Title: "商品上架", Permission: permissionList}
	for _, state := range listingStates {
		page, err := m.listings.Find(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq(sdk.ColumnSpace, space), sdk.Eq("state", state.Value)}, Limit: 1, Count: true})
		if err != nil {
			return card, err
		}
		card.Figures = append(card.Figures, sdk.Counted("listing_"+state.Value, state.Label, "/admin/info/market_listings?state="+state.Value, state.Color, page.Total))
	}
	return card, nil
}

// installCard counts installations by state, through the same conditions as the list.
func (m *market) installCard(ctx context.Context, own sdk.Where, list, title string) (sdk.Card, error) {
	card := sdk.Card{Key: "installations", Title: title, Permission: permissionRead}
	for _, state := range installationStates {
		page, err := m.installations.Find(ctx, sdk.Query{Where: []sdk.Where{own, sdk.Eq("state", state.Value)}, Limit: 1, Count: true})
		if err != nil {
			return card, err
		}
		href := ""
		if list != "" {
			href = list + "?state=" + state.Value
		}
		card.Figures = append(card.Figures, sdk.Counted("installation_"+state.Value, state.Label, href, state.Color, page.Total))
	}
	return card, nil
}
