package market

import (
	"context"
	"errors"
	"fmt"

	"minifleet/plugins/sdk"
)

// mostOpen bounds how many installations of one template a space may leave unfinished.
const mostOpen = 20

var errNoListing = sdk.NotFound("market.listing_not_found", "没有找到这个模板，可能已经下架，去 APP Store 看看别的")

// bySlug reads a listing that the actor may see.
func (m *market) bySlug(ctx context.Context, slug string) (Listing, error) {
	listing, found, err := m.listings.First(ctx, sdk.Eq("slug", slug))
	if err != nil {
		return Listing{}, err
	}
	if !found {
		return Listing{}, errNoListing
	}
	return listing, nil
}

// begin makes an installation and its first authorisation ticket. The same key gives the same installation, so a double
// click makes one.
func (m *market) begin(ctx context.Context, listing Listing, key string) (Installation, error) {
	if listing.State != Listed {
		return Installation{}, errNoListing
	}
	actor := sdk.Actor(ctx)
	if err := m.boundOpen(ctx, listing, actor.SpaceID); err != nil {
		return Installation{}, err
	}
	var options []sdk.CommitOption
	if key != "" {
		options = append(options, sdk.Once(fmt.Sprintf("try:%d:%d:%s", actor.SpaceID, listing.ID, key)))
	}
	made, err := sdk.Commit(ctx, []sdk.Op{m.installations.Insert(Installation{
		OwnerSpace: actor.SpaceID, MerchantSpace: listing.SpaceID, Owner: actor.Space, Merchant: listing.Merchant,
		Listing: listing.ID, Slug: listing.Slug, Title: listing.Title, Component: listing.Component, State: Choosing,
		Template: listing.Template, TemplateID: listing.TemplateID, Release: listing.Release, Domains: listing.Domains,
		Steps: plannedSteps(), Config: map[string]string{},
	})}, options...)
	if err != nil {
		return Installation{}, fmt.Errorf("try %s: %w", listing.Slug, err)
	}
	installation, err := m.mine(ctx, made.IDs[0])
	if err != nil || installation.Ticket != "" {
		return installation, err
	}
	ticketed, err := m.askAuthorization(ctx, installation)
	if err != nil {
		// The installation stands: its page says that there is no link yet and offers to make one.
		sdk.Log(ctx).Warn("no authorisation ticket for a new installation", "installation", installation.key(), "error", err.Error())
		return installation, nil
	}
	return ticketed, nil
}

func (m *market) boundOpen(ctx context.Context, listing Listing, space int64) error {
	open, err := m.installations.Find(ctx, sdk.Query{
		Where: []sdk.Where{sdk.Eq("owner_space", space), sdk.Eq("listing", listing.ID), sdk.In("state", Choosing, Ready)},
		Limit: 1, Count: true,
	})
	if err != nil {
		return err
	}
	if open.Total == nil || *open.Total >= mostOpen {
		return sdk.Conflict("market.too_many_open", "这个模板有太多未完成的安装，请先到“我的安装”里继续或放弃").OfKind(sdk.KindTooMany)
	}
	return nil
}

// askAuthorization makes a new ticket: for any mini program while none is chosen, for the chosen one after that.
func (m *market) askAuthorization(ctx context.Context, installation Installation) (Installation, error) {
	request := sdk.AuthorizeRequest{Component: installation.Component, ReturnTo: "/" + mount + "/installations/" + installation.key()}
	switch installation.State {
	case Choosing, Ready:
		request.ReturnTo += "/choose"
	case Failed, Done:
		request.BizAppID = installation.AppID
	default:
		return installation, sdk.Conflict("market.no_authorize", "这次安装现在不需要授权，请刷新查看")
	}
	ticket, err := sdk.Authorize(ctx, request)
	if err != nil {
		return installation, fmt.Errorf("authorise for installation %d: %w", installation.ID, err)
	}
	_, err = sdk.Commit(ctx, []sdk.Op{m.installations.Update(installation.ID, installation.Version, sdk.Set{
		"ticket": ticket.ID, "ticket_url": ticket.URL, "ticket_at": sdk.Now(ctx).UnixMilli(), "ticket_until": ticket.ExpiresAt,
	})})
	if err != nil && !errors.Is(err, sdk.ErrAborted) { // aborted: another click stored its ticket, which is as good
		return installation, fmt.Errorf("keep ticket of installation %d: %w", installation.ID, err)
	}
	return m.mine(ctx, installation.ID)
}

// ticketOf reads the present state of the installation's ticket; the zero Ticket when it has none.
func ticketOf(ctx context.Context, installation Installation) (sdk.Ticket, error) {
	if installation.Ticket == "" {
		return sdk.Ticket{}, nil
	}
	ticket, err := sdk.AuthorizeState(ctx, installation.Ticket)
	if errors.Is(err, sdk.ErrNotFound) {
		return sdk.Ticket{}, nil
	}
	return ticket, err
}
