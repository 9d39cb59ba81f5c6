package market

import (
	"context"
	"strings"

	"minifleet/plugins/sdk"
)

// declareTables declares what merchants see in the back office. Both tables are computed: the shelf's rows are public
// and an installation has two parties, but a merchant wants to see their own side only.
func (m *market) declareTables(p *sdk.Plugin) {
	merchant := []string{"merchant"}
	p.Table(sdk.Table{
		Name: "listings", Title: "商品上架", Intro: "上架后，所有人都能在 APP Store 找到并试用。到“模板库”里选择模板，点“上架”新建商品。",
		Empty: "还没有上架的模板，先到“模板库”选择一个", Kinds: merchant, Permission: permissionList, Sort: "-id",
		Rows: m.listingRows, CanEdit: true, Row: m.listingForm, Save: m.saveTexts, Check: m.checkTexts, // the texts alone, also of many listings from a file
		Form: []sdk.Column{
			{Name: "title", Title: "名称", Required: true, Size: longestTitle}, {Name: "summary", Title: "一句话介绍", Required: true, Size: longestSummary},
			{Name: "category", Title: "行业", Required: true, Options: categoryOptions()},
			{Name: "description", Title: "详细介绍", Type: "longtext", Required: true, Size: longestDescription, Help: "10–5000 个字，保存后立即显示在商品页"},
		},
		Columns: []sdk.Column{
			{Name: "title", Title: "名称", List: true}, {Name: "state", Title: "状态", List: true, Filter: "eq", Options: listingStates},
			{Name: "category", Title: "行业", List: true, Filter: "eq", Options: categoryOptions()}, {Name: "release", Title: "版本", List: true},
			{Name: "template_name", Title: "模板", List: true}, {Name: "installs", Title: "安装量", Type: "int", List: true, Sort: true},
			{Name: "listed_at", Title: "上架时间", Type: "time", List: true, Sort: true},
		},
		Actions: []sdk.Action{
			{Name: "edit", Title: "换版本", Run: m.editAction},
			{Name: "list", Title: "上架", Batch: true, Permission: permissionList, WhenColumn: "state", When: []string{string(Delisted)}, Run: m.stateAction(Listed, "已上架")},
			{Name: "delist", Title: "下架", Confirm: "下架后用户不能再试用；已经安装的不受影响。确定下架？", Batch: true, Danger: true,
				Permission: permissionList, WhenColumn: "state", When: []string{string(Listed)}, Run: m.stateAction(Delisted, "已下架")},
		},
	})
	p.Table(sdk.Table{
		Name: "installations", Title: "安装记录", Intro: "用户对你的模板的每一次试用。", Empty: "还没有人试用你的模板", Kinds: merchant, Sort: "-id",
		Rows: m.installationRows,
		Columns: []sdk.Column{
			{Name: "title", Title: "模板", List: true}, {Name: "release", Title: "版本", List: true}, {Name: "owner", Title: "用户", List: true},
			{Name: "nick_name", Title: "小程序", List: true}, {Name: "appid", Title: "AppID", List: true, Filter: "eq"},
			{Name: "state", Title: "状态", List: true, Filter: "eq", Options: installationStates}, {Name: "failure", Title: "失败原因", List: true},
			{Name: "created_at", Title: "试用时间", Type: "time", List: true}, {Name: "ended_at", Title: "结束时间", Type: "time", List: true},
		},
	})
}

func categoryOptions() []sdk.Option {
	var options []sdk.Option
	for _, name := range categories() {
		options = append(options, sdk.Option{Value: name, Label: name})
	}
	return options
}

// listingRow is one line of 商品上架.
type listingRow struct {
	ID           int64        `json:"id"`
	Version      int64        `json:"version"`
	Title        string       `json:"title"`
	State        ListingState `json:"state"`
	Category     string       `json:"category"`
	Release      string       `json:"release"`
	TemplateName string       `json:"template_name"`
	Installs     int64        `json:"installs"`
	ListedAt     int64        `json:"listed_at"`
}

func (m *market) listingRows(ctx context.Context, ask sdk.TableQuery) (sdk.TablePage, error) {
	query := tableQuery(ask, sdk.Eq(sdk.ColumnSpace, sdk.Actor(ctx).SpaceID), map[string]string{"state": "state", "category": "category"})
	found, err := m.listings.Find(ctx, query)
	page := sdk.TablePage{Next: found.Next, Total: found.Total}
	for _, l := range found.Items {
		page.Rows = append(page.Rows, listingRow{
			ID: l.ID, Version: l.Version, Title: l.Title, State: l.State, Category: l.Category, Release: l.Release,
			TemplateName: l.TemplateName, Installs: l.Installs, ListedAt: l.ListedAt,
		})
	}
	return page, err
}

// listingTexts is what the form 修改 starts from.
type listingTexts struct {
	ID          int64  `json:"id"`
	Version     int64  `json:"version"`
	Title       string `json:"title"`
	Summary     string `json:"summary"`
	Category    string `json:"category"`
	Description string `json:"description"`
}

func (m *market) listingForm(ctx context.Context, id int64) (any, error) {
	l, err := m.ownListing(ctx, id)
	return listingTexts{l.ID, l.Version, l.Title, l.Summary, l.Category, l.Description}, err
}

// errNoNew answers a row without the number of a listing.
var errNoNew = sdk.Fail("market.no_new", "商品要从模板库上架，不能在这里新建")

// saveTexts changes the texts that were given, of a listing on the shelf or off it; template and version stay. version 0 is
// a row of a file, which holds what the merchant wants whatever stands there now.
func (m *market) saveTexts(ctx context.Context, id, version int64, values map[string]string) (int64, error) {
	if id == 0 {
		return 0, errNoNew
	}
	_, err := m.change(ctx, id, func(l *Listing) error {
		if version != 0 && l.Version != version {
			return errEdited
		}
		return l.retext(values)
	})
	return id, err
}

// checkTexts tells what saveTexts would refuse of a row of a file.
func (m *market) checkTexts(ctx context.Context, id int64, values map[string]string) error {
	if id == 0 {
		return errNoNew
	}
	l, err := m.ownListing(ctx, id)
	if err != nil {
		return err
	}
	return l.retext(values)
}

// retext takes the texts that were given.
func (l *Listing) retext(values map[string]string) error {
	in := ListingInput{Template: l.Template, Title: l.Title, Summary: l.Summary, Category: l.Category, Description: l.Description}
	for name, text := range map[string]*string{"title": &in.Title, "summary": &in.Summary, "category": &in.Category, "description": &in.Description} {
		if value, given := values[name]; given {
			*text = value
		}
	}
	in = in.tidy()
	if err := in.check(); err != nil {
		return err
	}
	l.Title, l.Summary, l.Category, l.Description = in.Title, in.Summary, in.Category, in.Description
	l.Revision++
	return nil
}

// installationRow is one line of 安装记录.
type installationRow struct {
	ID        int64  `json:"id"`
	Version   int64  `json:"version"`
	Title     string `json:"title"`
	Release   string `json:"release"`
	Owner     string `json:"owner"`
	NickName  string `json:"nick_name"`
	AppID     string `json:"appid"`
	State     State  `json:"state"`
	Failure   string `json:"failure"`
	CreatedAt int64  `json:"created_at"`
	EndedAt   int64  `json:"ended_at"`
}

func (m *market) installationRows(ctx context.Context, ask sdk.TableQuery) (sdk.TablePage, error) {
	query := tableQuery(ask, sdk.Eq("merchant_space", sdk.Actor(ctx).SpaceID), map[string]string{"state": "state", "appid": "appid"})
	found, err := m.installations.Find(ctx, query)
	page := sdk.TablePage{Next: found.Next, Total: found.Total}
	for _, i := range found.Items {
		page.Rows = append(page.Rows, installationRow{
			ID: i.ID, Version: i.Version, Title: i.Title, Release: i.Release, Owner: i.Owner, NickName: i.NickName, AppID: i.AppID,
			State: i.State, Failure: i.Failure, CreatedAt: i.CreatedAt, EndedAt: i.EndedAt,
		})
	}
	return page, err
}

// tableQuery turns what the host asks of a computed table into a query on the collection behind it.
func tableQuery(ask sdk.TableQuery, own sdk.Where, filters map[string]string) sdk.Query {
	query := sdk.Query{Where: []sdk.Where{own}, Sort: ask.Sort, Limit: ask.Limit, Cursor: ask.Cursor, Count: true}
	for name, column := range filters {
		if value := tidy(ask.Filters[name]); value != "" {
			if ids := strings.Split(value, ","); column == "appid" && len(ids) > 1 { // a pasted list
				query.Where = append(query.Where, sdk.In(column, ids...))
				continue
			}
			query.Where = append(query.Where, sdk.Eq(column, value))
		}
	}
	return query
}

func (m *market) editAction(ctx context.Context, ids []int64) (sdk.Result, error) {
	if len(ids) != 1 {
		return sdk.Result{}, sdk.Fail("market.one_row", "一次只能编辑一个商品")
	}
	listing, err := m.ownListing(ctx, ids[0])
	if err != nil {
		return sdk.Result{}, err
	}
	return sdk.Result{Redirect: editPath(listing)}, nil
}

func (m *market) stateAction(state ListingState, message string) func(context.Context, []int64) (sdk.Result, error) {
	return func(ctx context.Context, ids []int64) (sdk.Result, error) {
		for _, id := range ids {
			if _, err := m.setState(ctx, id, state); err != nil {
				return sdk.Result{}, err
			}
		}
		return sdk.Result{Message: message}, nil
	}
}
