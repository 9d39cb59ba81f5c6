package market

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"minifleet/plugins/sdk"
)

// listingView is a listing as REST shows it to anybody.
type listingView struct {
	ID          int64        `json:"id,string"`
	Slug        string       `json:"slug"`
	Title       string       `json:"title"`
	Summary     string       `json:"summary"`
	Category    string       `json:"category"`
	Merchant    string       `json:"merchant"`
	PriceFen    int64        `json:"price_fen"`
	Installs    int64        `json:"installs"`
	State       ListingState `json:"state"`
	Version     string       `json:"version"`
	ListedAt    int64        `json:"listed_at"`
	Description string       `json:"description,omitempty"`
	Component   string       `json:"component,omitempty"`
	Sets        []int        `json:"sets,omitempty"`
	Schema      Schema       `json:"ext_schema,omitempty"`
	History     []Release    `json:"history,omitempty"`

	// Of use to the merchant who edits, and shown to no other.
	Template string `json:"template,omitempty"`
	Revision int64  `json:"revision,omitempty"`
}

// brief is a line of a list, full the listing itself.
func (l Listing) brief() listingView {
	return listingView{
		ID: l.ID, Slug: l.Slug, Title: l.Title, Summary: l.Summary, Category: l.Category, Merchant: l.Merchant, PriceFen: l.PriceFen,
		Installs: l.Installs, State: l.State, Version: l.Release, ListedAt: l.ListedAt,
	}
}

func (l Listing) full() listingView {
	view := l.brief()
	view.Description, view.Component, view.Sets, view.Schema, view.History = l.Description, l.Component, l.Sets, l.Schema, l.History
	return view
}

type findListingsInput struct {
	Search   string `json:"-" query:"q" check:"max=100"`
	Category string `json:"-" query:"category"`
	Sort     string `json:"-" query:"sort"`
	Cursor   string `json:"-" query:"cursor"`
	Limit    int    `json:"-" query:"limit"`
}

func (m *market) findListings(ctx context.Context, in findListingsInput) (sdk.Rows[listingView], error) {
	answer := sdk.Rows[listingView]{Items: []listingView{}}
	if err := checkCatalog(in.Category, in.Sort, in.Limit); err != nil {
		return answer, err
	}
	page, err := m.catalog(ctx, catalogQuery{Search: in.Search, Category: in.Category, Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return answer, err
	}
	answer.Next, answer.Total = page.Next, page.Total
	for _, listing := range page.Items {
		answer.Items = append(answer.Items, listing.brief())
	}
	return answer, nil
}

func checkCatalog(category, sort string, limit int) error {
	failure := sdk.Fail("market.bad_query", "查询条件有误，请按提示修改")
	if category != "" && !knownCategory(category) {
		failure = failure.On("category", "没有这个行业")
	}
	if sort != "" && sort != "new" && sort != sortInstalls {
		failure = failure.On("sort", "排序应为 new 或 installs")
	}
	if limit < 0 || limit > 100 {
		failure = failure.On("limit", "每页应为 1–100 条")
	}
	if len(failure.Fields) > 0 {
		return failure
	}
	return nil
}

type slugInput struct {
	Slug string `json:"-" path:"slug"`
}

func (m *market) readListing(ctx context.Context, in slugInput) (listingView, error) {
	listing, err := m.bySlug(ctx, in.Slug)
	if err != nil {
		return listingView{}, err
	}
	if listing.SpaceID == sdk.Actor(ctx).SpaceID {
		return listing.own(), nil
	}
	return listing.full(), nil
}

func (m *market) createListing(ctx context.Context, in ListingInput) (listingView, error) {
	listing, err := m.list(ctx, in, "")
	if err != nil {
		return listingView{}, err
	}
	return listing.own(), nil
}

type idInput struct {
	ID int64 `json:"-" path:"id"`
}

// installationView is an installation as REST shows it. The ticket is shown to the space that installs only: whoever
// holds it can authorise.
type installationView struct {
	ID        int64             `json:"id,string"`
	State     State             `json:"state"`
	Listing   string            `json:"listing"`
	Title     string            `json:"title"`
	Version   string            `json:"version"`
	Merchant  string            `json:"merchant"`
	Component string            `json:"component"`
	AppID     string            `json:"appid"`
	Config    map[string]string `json:"config,omitempty"`
	Steps     []Step            `json:"steps"`
	Failure   string            `json:"failure,omitempty"`
	Action    string            `json:"action,omitempty"`
	ErrCode   int64             `json:"errcode,omitempty"`
	RID       string            `json:"rid,omitempty"`
	Hint      string            `json:"hint,omitempty"`
	CreatedAt int64             `json:"created_at"`
	StartedAt int64             `json:"started_at"`
	EndedAt   int64             `json:"ended_at"`
	LostAt    int64             `json:"lost_at,omitempty"`

	Ticket      string `json:"ticket,omitempty"`
	URL         string `json:"url,omitempty"`
	ExpiresAt   int64  `json:"expires_at,omitempty"`
	TicketState string `json:"ticket_state,omitempty"`
}

func viewInstallation(ctx context.Context, i Installation) installationView {
	view := installationView{
		ID: i.ID, State: i.State, Listing: i.Slug, Title: i.Title, Version: i.Release, Merchant: i.Merchant, Component: i.Component,
		AppID: i.AppID, Steps: i.Steps, Failure: i.Failure, Action: i.Remedy, ErrCode: i.ErrCode, RID: i.RID, Hint: i.Hint,
		CreatedAt: i.CreatedAt, StartedAt: i.StartedAt, EndedAt: i.EndedAt, LostAt: i.LostAt,
	}
	if i.OwnerSpace == sdk.Actor(ctx).SpaceID {
		view.Config, view.Ticket, view.URL, view.ExpiresAt = i.Config, i.Ticket, i.TicketURL, i.TicketUntil
	}
	return view
}

type findInstallationsInput struct {
	State  string `json:"-" query:"state"`
	Cursor string `json:"-" query:"cursor"`
	Limit  int    `json:"-" query:"limit"`
}

func (m *market) findInstallations(ctx context.Context, in findInstallationsInput) (sdk.Rows[installationView], error) {
	answer := sdk.Rows[installationView]{Items: []installationView{}}
	where := []sdk.Where{sdk.Eq("owner_space", sdk.Actor(ctx).SpaceID)}
	if in.State != "" {
		if _, known := transitions[State(in.State)]; !known {
			return answer, sdk.Fail("market.bad_query", "查询条件有误，请按提示修改").On("state", "没有这个状态")
		}
		where = append(where, sdk.Eq("state", in.State))
	}
	page, err := m.installations.Find(ctx, sdk.Query{Where: where, Limit: in.Limit, Cursor: in.Cursor, Count: in.Cursor == ""})
	if err != nil {
		return answer, err
	}
	answer.Next, answer.Total = page.Next, page.Total
	for _, installation := range page.Items {
		answer.Items = append(answer.Items, viewInstallation(ctx, installation))
	}
	return answer, nil
}

type createInstallationInput struct {
	Listing string `json:"listing" check:"required,max=64"` // slug or id
}

var digits = regexp.MustCompile(`^[0-9]{1,19}$`)

func (m *market) createInstallation(ctx context.Context, in createInstallationInput) (installationView, error) {
	listing, err := m.bySlug(ctx, in.Listing)
	if errors.Is(err, sdk.ErrNotFound) && digits.MatchString(in.Listing) {
		id, parseErr := strconv.ParseInt(in.Listing, 10, 64)
		if parseErr != nil {
			return installationView{}, errNoListing.On("listing", "没有找到这个模板").Because(parseErr)
		}
		if listing, err = m.listings.Get(ctx, id); errors.Is(err, sdk.ErrNotFound) {
			err = errNoListing.Because(err)
		}
	}
	if err != nil {
		return installationView{}, err
	}
	installation, err := m.begin(ctx, listing, "")
	if err != nil {
		return installationView{}, err
	}
	return viewInstallation(ctx, installation), nil
}

func (m *market) readInstallation(ctx context.Context, in idInput) (installationView, error) {
	installation, err := m.seen(ctx, in.ID)
	if err != nil {
		return installationView{}, err
	}
	view := viewInstallation(ctx, installation)
	if view.Ticket != "" && installation.State == Choosing {
		ticket, err := ticketOf(ctx, installation)
		if err != nil {
			return view, fmt.Errorf("read ticket of installation %d: %w", installation.ID, err)
		}
		view.TicketState = ticket.State
		if view.AppID == "" {
			view.AppID = ticket.AppID
		}
	}
	return view, nil
}

func (m *market) authorizeInstallation(ctx context.Context, in idInput) (installationView, error) {
	installation, err := m.mine(ctx, in.ID)
	if err == nil {
		installation, err = m.askAuthorization(ctx, installation)
	}
	if err != nil {
		return installationView{}, err
	}
	return viewInstallation(ctx, installation), nil
}

type startInput struct {
	ID     int64             `json:"-" path:"id"`
	AppID  string            `json:"appid" check:"required,max=64"`
	Config map[string]string `json:"config"`
}

func (m *market) startInstallation(ctx context.Context, in startInput) (installationView, error) {
	installation, err := m.start(ctx, in.ID, tidy(in.AppID), in.Config)
	if err != nil {
		return installationView{}, err
	}
	return viewInstallation(ctx, installation), nil
}

func (m *market) retryInstallation(ctx context.Context, in idInput) (installationView, error) {
	installation, err := m.retry(ctx, in.ID)
	if err != nil {
		return installationView{}, err
	}
	return viewInstallation(ctx, installation), nil
}

func (m *market) abandonInstallation(ctx context.Context, in idInput) (installationView, error) {
	installation, err := m.abandon(ctx, in.ID)
	if err != nil {
		return installationView{}, err
	}
	return viewInstallation(ctx, installation), nil
}
