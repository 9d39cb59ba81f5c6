package market

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"minifleet/plugins/sdk"
)

func TestListingNamesEachWrongField(t *testing.T) {
	f := newFixture(t)
	for name, test := range map[string]struct {
		change func(*ListingInput)
		field  string
	}{
		"no template":        {func(in *ListingInput) { in.Template = "" }, "template"},
		"template is a word": {func(in *ListingInput) { in.Template = "abc" }, "template"},
		"unknown template":   {func(in *ListingInput) { in.Template = "999" }, "template"},
		"no title":           {func(in *ListingInput) { in.Title = "  " }, "title"},
		"title of one":       {func(in *ListingInput) { in.Title = "餐" }, "title"},
		"title too long":     {func(in *ListingInput) { in.Title = strings.Repeat("餐", 31) }, "title"},
		"no summary":         {func(in *ListingInput) { in.Summary = "" }, "summary"},
		"summary too long":   {func(in *ListingInput) { in.Summary = strings.Repeat("餐", 61) }, "summary"},
		"unknown category":   {func(in *ListingInput) { in.Category = "航天" }, "category"},
		"short description":  {func(in *ListingInput) { in.Description = "好用" }, "description"},
		"long description":   {func(in *ListingInput) { in.Description = strings.Repeat("好", 5001) }, "description"},
	} {
		t.Run(name, func(t *testing.T) {
			in := input()
			test.change(&in)
			err := f.As(merchant).API("POST", "/listings", in, nil)
			if got := sdk.FieldErrors(err); got[test.field] == "" {
				t.Errorf("error %v blames %v, want %s", err, got, test.field)
			}
			answer, err := f.As(merchant).In(sdk.FrameAdmin).PostForm("/listings/new", listingForm(in))
			if err != nil || answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, "mf-error") {
				t.Errorf("form answers %d, %v", answer.Status, err)
			}
		})
	}
	if rows, _, err := f.As(merchant).Rows("listings", sdk.TableQuery{}); err != nil || len(rows) != 0 {
		t.Errorf("%d listings were made, %v", len(rows), err)
	}
}

func TestShelfIsOpenToVisitors(t *testing.T) {
	f := newFixture(t)
	made := f.list()
	out := f.As(visitor)
	f.page(out, "/", "扫码点餐", "三分钟开张", "好味科技", "免费", "/p/market/"+made.Slug)
	f.page(out, "/"+made.Slug, "顾客扫桌码点餐", "开发管理与数据分析", "1.0.0", "提审和发布由你确认", `data-test="try"`)
	var found sdk.Rows[listingView]
	f.must(out.API("GET", "/listings", nil, &found))
	if len(found.Items) != 1 || found.Items[0].Slug != made.Slug || *found.Total != 1 {
		t.Errorf("visitors find %+v", found)
	}
}

func TestSearchFindsByWordsCategoryAndOrder(t *testing.T) {
	f := newFixture(t)
	f.list()
	second := input()
	second.Title, second.Summary, second.Category = "Yoga 约课", "私教与团课", "预约"
	f.Advance(time.Minute)
	f.must(f.As(merchant).API("POST", "/listings", second, nil))
	for name, test := range map[string]struct {
		query string
		want  []string
	}{
		"everything, newest first": {"", []string{"Yoga 约课", "扫码点餐"}},
		"a word of the title":      {"?q=三分钟", []string{"扫码点餐"}},
		"letters in any case":      {"?q=yoga", []string{"Yoga 约课"}},
		"full-width letters":       {"?q=ｙｏｇａ", []string{"Yoga 约课"}},
		"the merchant":             {"?q=好味", []string{"Yoga 约课", "扫码点餐"}},
		"all words must occur":     {"?q=好味+团课", []string{"Yoga 约课"}},
		"a category":               {"?category=餐饮", []string{"扫码点餐"}},
		"nothing":                  {"?q=航天", nil},
		"wildcards are letters":    {"?q=%25", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var found sdk.Rows[listingView]
			f.must(f.As(visitor).API("GET", "/listings"+test.query, nil, &found))
			var titles []string
			for _, item := range found.Items {
				titles = append(titles, item.Title)
			}
			if fmt.Sprint(titles) != fmt.Sprint(test.want) {
				t.Errorf("found %v, want %v", titles, test.want)
			}
		})
	}
	f.page(f.As(visitor), "/?q=航天", "没有找到“航天”", "清除筛选")
	for field, query := range map[string]string{"category": "?category=x", "sort": "?sort=x", "limit": "?limit=1000"} {
		if err := f.API("GET", "/listings"+query, nil, nil); sdk.FieldErrors(err)[field] == "" {
			t.Errorf("%s is answered by %v", query, err)
		}
	}
}

func TestDelistedListingIsGoneForOthers(t *testing.T) {
	f := newFixture(t)
	made := f.list()
	f.must(f.As(merchant).API("POST", fmt.Sprintf("/listings/%d/delist", made.ID), nil, nil))
	for name, actor := range map[string]sdk.ActorInfo{"visitor": visitor, "user": user, "rival": rival} {
		if _, err := f.As(actor).Get("/" + made.Slug); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("%s reads a delisted page: %v", name, err)
		}
		if err := f.As(actor).API("GET", "/listings/"+made.Slug, nil, nil); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("%s reads a delisted listing: %v", name, err)
		}
		if err := f.As(actor).API("POST", "/installations", map[string]string{"listing": made.Slug}, nil); err == nil {
			t.Errorf("%s installs a delisted listing", name)
		}
	}
	f.page(f.As(merchant), "/"+made.Slug, "这个模板没有上架")
	if body := f.page(f.As(merchant), "/"); strings.Contains(body, made.Slug) {
		t.Error("the shelf shows a delisted listing to its merchant")
	}
	if _, err := f.As(merchant).Act("listings", "list", made.ID); err != nil {
		t.Fatal(err)
	}
	f.page(f.As(visitor), "/"+made.Slug, "立即试用")
}

func TestAnotherMerchantCannotTouchAListing(t *testing.T) {
	f := newFixture(t)
	made := f.list()
	if err := f.As(rival).API("POST", fmt.Sprintf("/listings/%d/delist", made.ID), nil, nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("delist: %v", err)
	}
	if _, err := f.As(rival).Get(fmt.Sprintf("/listings/%d/edit", made.ID)); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("edit: %v", err)
	}
	if _, err := f.As(rival).Act("listings", "delist", made.ID); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("action: %v", err)
	}
	if err := f.As(rival).API("POST", "/listings", input(), nil); sdk.FieldErrors(err)["template"] == "" {
		t.Errorf("listing somebody else's template: %v", err)
	}
	if rows, _, err := f.As(rival).Rows("listings", sdk.TableQuery{}); err != nil || len(rows) != 0 {
		t.Errorf("the table of another merchant has %d rows, %v", len(rows), err)
	}
}

func TestDoubleSubmitMakesOneListing(t *testing.T) {
	f := newFixture(t)
	form := listingForm(input())
	form.Set("key", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	for range 2 {
		answer, err := f.As(merchant).In(sdk.FrameAdmin).PostForm("/listings/new", form)
		if err != nil || answer.View.GetRedirect() != "/admin/info/market_listings" {
			t.Fatalf("answer %+v, %v", answer.View, err)
		}
	}
	if rows, _, err := f.As(merchant).Rows("listings", sdk.TableQuery{}); err != nil || len(rows) != 1 {
		t.Errorf("%d listings, %v", len(rows), err)
	}
}

func TestNewFormShowsTheTemplateAndWhatItCouldUpdate(t *testing.T) {
	f := newFixture(t)
	admin := f.As(merchant).In(sdk.FrameAdmin)
	f.page(admin, "/listings/new", "先选择一个模板", "/admin/info/version_templates")
	f.page(admin, "/listings/new?template=501", "店铺名称", "1.0.0", `value="扫码点餐"`)
	made := f.list()
	f.page(admin, "/listings/new?template=501", "更新已有的商品", fmt.Sprintf("/admin/p/market/listings/%d/edit?template=501", made.ID))
	if _, err := admin.Get("/listings/new?template=999"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("unknown template: %v", err)
	}
}

func TestEditMovesToAnotherVersionAndKeepsTheHistory(t *testing.T) {
	f := newFixture(t)
	made := f.list()
	f.template.ID, f.template.Version, f.template.Notes = "502", "1.1.0", "支持外卖"
	in := input()
	in.Template, in.Title = "502", "扫码点餐外卖"
	form := listingForm(in)
	form.Set("revision", "1")
	edit := fmt.Sprintf("/listings/%d/edit", made.ID)
	admin := f.As(merchant).In(sdk.FrameAdmin)
	if answer, err := admin.PostForm(edit, form); err != nil || answer.View.GetRedirect() == "" {
		t.Fatalf("answer %+v, %v", answer, err)
	}
	var found listingView
	f.must(f.API("GET", "/listings/"+made.Slug, nil, &found))
	if found.Title != "扫码点餐外卖" || found.Version != "1.1.0" || len(found.History) != 2 || found.History[0].Notes != "支持外卖" {
		t.Errorf("listing %+v", found)
	}
	answer, err := admin.PostForm(edit, form) // the form of before
	if err != nil || answer.Status != http.StatusConflict || !strings.Contains(answer.Body, "刚刚被别人修改过") {
		t.Errorf("an outdated form is answered %d, %v", answer.Status, err)
	}
}

func TestWhatAMerchantWritesIsEscaped(t *testing.T) {
	f := newFixture(t)
	in := input()
	in.Title, in.Summary, in.Description = "<script>x</script>", `"><img src=x>`, "<script>alert(1)</script> 很好用的模板"
	var made listingView
	f.must(f.As(merchant).API("POST", "/listings", in, &made))
	for _, address := range []string{"/", "/" + made.Slug} {
		if body := f.page(f.As(visitor), address); strings.Contains(body, "<script") || strings.Contains(body, "<img src=x") {
			t.Errorf("%s holds a merchant's markup", address)
		}
	}
}

func TestUnknownKeysAreRefusedByName(t *testing.T) {
	f := newFixture(t)
	err := f.As(merchant).API("POST", "/listings", map[string]any{"template": "501", "price": 1}, nil)
	if sdk.FieldErrors(err)["price"] == "" {
		t.Errorf("answer %v", err)
	}
}

func TestSchemaIsReadInEveryShape(t *testing.T) {
	for name, raw := range map[string]string{
		"a list": `[{"name":"shop","label":"店铺"}]`, "an object": `{"fields":[{"name":"shop","label":"店铺"}]}`,
		"text": `"[{\"name\":\"shop\",\"label\":\"店铺\"}]"`,
	} {
		if schema, err := parseSchema(json.RawMessage(raw)); err != nil || len(schema) != 1 || schema[0].Title() != "店铺" {
			t.Errorf("%s: %v, %v", name, schema, err)
		}
	}
	for name, raw := range map[string]string{"nothing": "", "null": "null", "empty text": `""`} {
		if schema, err := parseSchema(json.RawMessage(raw)); err != nil || len(schema) != 0 {
			t.Errorf("%s: %v, %v", name, schema, err)
		}
	}
	if _, err := parseSchema(json.RawMessage(`{"fields":`)); err == nil {
		t.Error("broken JSON is taken")
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	schema := Schema{{Name: "shop", Label: "店铺名称", Required: true}, {Name: "color", Default: "#07c160"}}
	for name, test := range map[string]struct {
		given map[string]string
		field string
		ext   string
	}{
		"defaults fill in":   {map[string]string{"shop": " A<b "}, "", `{"ext":{"color":"#07c160","shop":"A<b"}}`},
		"required is asked":  {nil, "config.shop", ""},
		"unknown is refused": {map[string]string{"shop": "a", "x": "1"}, "config.x", ""},
		"too long":           {map[string]string{"shop": strings.Repeat("长", 501)}, "config.shop", ""},
	} {
		values, err := schema.check(test.given)
		if test.field != "" {
			if sdk.FieldErrors(err)[test.field] == "" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if ext, extErr := schema.extJSON(values); err != nil || extErr != nil || ext != test.ext {
			t.Errorf("%s: %s, %v, %v", name, ext, err, extErr)
		}
	}
	if ext, err := (Schema{}).extJSON(nil); ext != "" || err != nil {
		t.Errorf("without settings: %q, %v", ext, err)
	}
}

// TestTextsOfAListingAreSavedAloneAndFromAFile writes what a form and a row of a file bring: only the texts that were given
// change, the checks are those of the editor, and a listing of somebody else is none.
func TestTextsOfAListingAreSavedAloneAndFromAFile(t *testing.T) {
	f := newFixture(t)
	made, mine := f.list(), f.As(merchant)
	read := func() (l listingView) {
		t.Helper()
		f.must(mine.API("GET", "/listings/"+made.Slug, nil, &l))
		return l
	}
	if _, err := mine.Save("listings", made.ID, 0, map[string]string{"title": "扫码点餐专业版"}); err != nil {
		t.Fatal(err)
	}
	after := read()
	if after.Title != "扫码点餐专业版" || after.Summary != made.Summary || after.Description != made.Description || after.Category != made.Category || after.Version != made.Version || after.Template != made.Template || after.Revision != made.Revision+1 {
		t.Errorf("%+v, before %+v", after, made)
	}
	for name, values := range map[string]map[string]string{
		"title": {"title": "餐"}, "summary": {"summary": " "}, "category": {"category": "没有的行业"}, "description": {"description": "太短"},
	} {
		if _, err := mine.Save("listings", made.ID, 0, values); sdk.FieldErrors(err)[name] == "" {
			t.Errorf("%s is answered %v", name, err)
		}
		if err := mine.Call("check_listings", map[string]any{"id": made.ID, "values": values}, nil); sdk.FieldErrors(err)[name] == "" {
			t.Errorf("%s is found by the check to be %v", name, err)
		}
	}
	sound := map[string]any{"id": made.ID, "values": map[string]string{"title": "只是看看"}}
	f.must(mine.Call("check_listings", sound, nil))
	if err := f.As(rival).Call("check_listings", sound, nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("a rival's check: %v", err)
	}
	if _, err := mine.Save("listings", 0, 0, map[string]string{"title": "新的"}); err == nil {
		t.Error("a listing was made without a template")
	}
	if _, err := mine.Save("listings", made.ID, 99, map[string]string{"title": "旧页面"}); err == nil {
		t.Error("a form that somebody else was faster than was taken")
	}
	if _, err := f.As(rival).Save("listings", made.ID, 0, map[string]string{"title": "别人的"}); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("a rival: %v", err)
	}
	if l := read(); l.Title != after.Title || l.Revision != after.Revision {
		t.Errorf("what was refused changed %+v", l)
	}
}
