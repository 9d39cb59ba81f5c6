package market

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"minifleet/plugins/sdk"
)

// ListingInput is what a merchant writes about a template.
type ListingInput struct {
	Template    string `json:"template"` // row id in plugin version's template library
	Title       string `json:"title"`
	Summary     string `json:"summary"`
	Category    string `json:"category"`
	Description string `json:"description"`
}

// Bounds of the texts, in characters.
const (
	shortestTitle       = 2
	longestTitle        = 30
	longestSummary      = 60
	shortestDescription = 10
	longestDescription  = 5000
)

// tidy trims every field.
func (in ListingInput) tidy() ListingInput {
	in.Template, in.Title, in.Summary = strings.TrimSpace(in.Template), strings.TrimSpace(in.Title), strings.TrimSpace(in.Summary)
	in.Category, in.Description = strings.TrimSpace(in.Category), strings.TrimSpace(strings.ReplaceAll(in.Description, "\r\n", "\n"))
	return in
}

// check blames every field that is wrong; nil when none is.
func (in ListingInput) check() error {
	failure := sdk.Fail("market.bad_listing", "商品信息有误，请按提示修改")
	length := utf8.RuneCountInString
	if id, err := strconv.ParseInt(in.Template, 10, 64); err != nil || id <= 0 {
		failure = failure.On("template", "请从模板库选择要上架的模板")
	}
	if n := length(in.Title); n < shortestTitle || n > longestTitle {
		failure = failure.On("title", fmt.Sprintf("名称应为 %d–%d 个字", shortestTitle, longestTitle))
	}
	if n := length(in.Summary); n == 0 || n > longestSummary {
		failure = failure.On("summary", fmt.Sprintf("请用一句话介绍，最多 %d 个字", longestSummary))
	}
	if !knownCategory(in.Category) {
		failure = failure.On("category", "请选择行业："+strings.Join(categories(), "、"))
	}
	if n := length(in.Description); n < shortestDescription || n > longestDescription {
		failure = failure.On("description", fmt.Sprintf("详细介绍应为 %d–%d 个字", shortestDescription, longestDescription))
	}
	if len(failure.Fields) > 0 {
		return failure
	}
	return nil
}

// readTemplate asks plugin version; a template of another space is as good as none.
func readTemplate(ctx context.Context, id string) (Template, error) {
	var template Template
	err := sdk.Call(ctx, "version.template", map[string]string{"id": id}, &template)
	missing := sdk.Fail("market.no_template", "没有找到这个模板，请到模板库重新选择").On("template", "没有找到这个模板")
	if errors.Is(err, sdk.ErrNotFound) {
		return template, missing.Because(err)
	}
	if err != nil {
		return template, fmt.Errorf("read template %s: %w", id, err)
	}
	if template.Space != strconv.FormatInt(sdk.Actor(ctx).SpaceID, 10) {
		return template, missing
	}
	return template, nil
}

// fill writes input, template and the merchant's name of today into a listing.
func (l *Listing) fill(ctx context.Context, in ListingInput, template Template) error {
	l.Title, l.Summary, l.Category, l.Description = in.Title, in.Summary, in.Category, in.Description
	l.Merchant = sdk.Actor(ctx).Space
	l.Revision++
	return l.take(template, sdk.Now(ctx).UnixMilli())
}

// list puts a new listing on the shelf. The same key gives the same listing.
func (m *market) list(ctx context.Context, in ListingInput, key string) (Listing, error) {
	in = in.tidy()
	if err := in.check(); err != nil {
		return Listing{}, err
	}
	if err := mayShow(ctx); err != nil {
		return Listing{}, err
	}
	template, err := readTemplate(ctx, in.Template)
	if err != nil {
		return Listing{}, err
	}
	listing := Listing{State: Listed, ListedAt: sdk.Now(ctx).UnixMilli(), Slug: newSlug(in.Title)}
	if err := listing.fill(ctx, in, template); err != nil {
		return Listing{}, err
	}
	listing.Haystack = listing.haystack()
	var options []sdk.CommitOption
	if key != "" {
		options = append(options, sdk.Once(fmt.Sprintf("list:%d:%s", sdk.Actor(ctx).SpaceID, key)))
	}
	made, err := sdk.Commit(ctx, []sdk.Op{m.listings.Insert(listing)}, options...)
	if err != nil {
		return Listing{}, fmt.Errorf("list template %s: %w", in.Template, err)
	}
	return m.listings.Get(ctx, made.IDs[0])
}

// mayShow refuses a merchant whose application the platform has not approved.
func mayShow(ctx context.Context) error {
	me := sdk.Actor(ctx).SpaceID
	spaces, err := sdk.Spaces(ctx, me)
	if err != nil {
		return fmt.Errorf("read own space: %w", err)
	}
	if own, known := spaces[me]; known && !own.Approved {
		return sdk.Conflict("market.unapproved", "商户入驻审核通过后才能上架，请先到“系统 → 商户入驻”提交资料")
	}
	return nil
}

// errEdited is for two people who edit the same listing.
var errEdited = sdk.Conflict("market.edited", "这个商品刚刚被别人修改过，请刷新后再改")

// edit changes a listing that stood at revision when the person began. A count that goes up meanwhile is no conflict.
func (m *market) edit(ctx context.Context, id, revision int64, in ListingInput) (Listing, error) {
	in = in.tidy()
	if err := in.check(); err != nil {
		return Listing{}, err
	}
	template, err := readTemplate(ctx, in.Template)
	if err != nil {
		return Listing{}, err
	}
	return m.change(ctx, id, func(listing *Listing) error {
		if revision != 0 && listing.Revision != revision {
			return errEdited
		}
		return listing.fill(ctx, in, template)
	})
}

// setState puts a listing on the shelf or takes it off. Being there already is fine.
func (m *market) setState(ctx context.Context, id int64, state ListingState) (Listing, error) {
	if state == Listed {
		// First whose it is: an id of another's is told apart from one that does not exist by nobody.
		if _, err := m.ownListing(ctx, id); err != nil {
			return Listing{}, err
		}
		if err := mayShow(ctx); err != nil {
			return Listing{}, err
		}
	}
	return m.change(ctx, id, func(listing *Listing) error {
		if state == Listed && listing.State != Listed {
			listing.ListedAt = sdk.Now(ctx).UnixMilli()
		}
		listing.State = state
		return nil
	})
}

// change reads an own listing, changes it and writes it, again when somebody else was faster.
func (m *market) change(ctx context.Context, id int64, apply func(*Listing) error) (Listing, error) {
	for attempt := 0; ; attempt++ {
		listing, err := m.ownListing(ctx, id)
		if err != nil {
			return listing, err
		}
		if err := apply(&listing); err != nil {
			return listing, err
		}
		_, err = sdk.Commit(ctx, []sdk.Op{m.listings.Update(id, listing.Version, listing.set())})
		if errors.Is(err, sdk.ErrAborted) && attempt < 3 {
			continue
		}
		if err != nil {
			return listing, fmt.Errorf("change listing %d: %w", id, err)
		}
		return m.ownListing(ctx, id)
	}
}

// ownListing reads a listing of the actor's space. A listing of somebody else is readable on the shelf, not here.
func (m *market) ownListing(ctx context.Context, id int64) (Listing, error) {
	listing, err := m.listings.Get(ctx, id)
	if errors.Is(err, sdk.ErrNotFound) || err == nil && listing.SpaceID != sdk.Actor(ctx).SpaceID {
		return Listing{}, errNoListing.Because(err)
	}
	return listing, err
}

// newSlug makes an address: the title's letters and digits of the alphabet, and a random part that keeps it unique.
func newSlug(title string) string {
	var words strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			words.WriteRune(r)
		case words.Len() > 0 && !strings.HasSuffix(words.String(), "-"):
			words.WriteByte('-')
		}
	}
	name := strings.Trim(words.String(), "-")
	if name == "" {
		name = "t"
	}
	return name[:min(len(name), 30)] + "-" + strings.ToLower(rand.Text()[:8])
}
