package wechat

import "context"

// CategoryNode is one 类目 that may be set (02 D.7). The tree is flat: Children names ids.
type CategoryNode struct {
	ID        int64                 `json:"id"` // 0 is the root
	Name      string                `json:"name"`
	Level     int                   `json:"level"` // 1 or 2
	Father    int64                 `json:"father"`
	Children  []int64               `json:"children"`
	Sensitive int                   `json:"sensitive_type"` // 1: a qualification is needed
	Qualify   CategoryQualification `json:"qualify"`
	Hidden    bool                  `json:"is_hidden"`
	ForPlugin bool                  `json:"available_for_plugin"`
	Type      string                `json:"type"`
}

// CategoryQualification tells which documents a category wants: one of Alternatives, all documents of it.
type CategoryQualification struct {
	Remark       string                `json:"remark"`
	Alternatives []CategoryAlternative `json:"exter_list"`
}

// CategoryAlternative is a set of documents that suffices.
type CategoryAlternative struct {
	Documents []CategoryDocument `json:"inner_list"`
}

// CategoryDocument is one document; URL shows an example.
type CategoryDocument struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type categoryTree struct {
	List struct {
		Nodes []CategoryNode `json:"categories"`
	} `json:"categories_list"`
}

// AllCategories lists the categories that the mini program may set.
func (m MiniProgram) AllCategories(ctx context.Context) ([]CategoryNode, error) {
	out, err := ask[categoryTree](ctx, m, EndpointCategoryAll, nil, nil)
	return out.List.Nodes, err
}

// CategoriesByType lists the categories of a kind of subject: 0 persons, 1 enterprises.
func (m MiniProgram) CategoriesByType(ctx context.Context, verifyType int) ([]CategoryNode, error) {
	out, err := ask[categoryTree](ctx, m, EndpointCategoryByType, nil, struct {
		Type int `json:"verify_type"`
	}{verifyType})
	return out.List.Nodes, err
}

// Values of ConfiguredCategory.Status.
const (
	CategoryAuditing = 1
	CategoryRejected = 2
	CategoryPassed   = 3
)

// ConfiguredCategory is a category that the mini program has set.
type ConfiguredCategory struct {
	First      int64  `json:"first"`
	FirstName  string `json:"first_name"`
	Second     int64  `json:"second"`
	SecondName string `json:"second_name"`
	Status     int    `json:"audit_status"` // Category…
	Reason     string `json:"audit_reason"`
}

// ConfiguredCategories is what is set and what may still change.
type ConfiguredCategories struct {
	List  []ConfiguredCategory `json:"categories"`
	Limit int                  `json:"limit"`          // changes per period
	Quota int                  `json:"quota"`          // changes left
	Max   int                  `json:"category_limit"` // categories at most
}

// ConfiguredCategories reads the categories that are set, with their review.
func (m MiniProgram) ConfiguredCategories(ctx context.Context) (ConfiguredCategories, error) {
	return ask[ConfiguredCategories](ctx, m, EndpointCategoryList, nil, nil)
}

// Certificate is one document of a category.
type Certificate struct {
	Key       string `json:"key"`                   // its name in CategoryDocument
	Value     string `json:"value"`                 // temporary media id
	Expires   int64  `json:"expire_time,omitempty"` // unix seconds
	Permanent int    `json:"is_permanent,omitempty"`
}

// NewCategory is a category to be set; the spelling of certicates is WeChat's.
type NewCategory struct {
	First        int64         `json:"first"`
	Second       int64         `json:"second"`
	Certificates []Certificate `json:"certicates,omitempty"`
}

// AddCategories sets further categories. Errors: 53300 changes used up, 53301 too many, 53302 subject, 53304 twice,
// 53311 documents wanted.
func (m MiniProgram) AddCategories(ctx context.Context, list []NewCategory) error {
	return m.call(ctx, EndpointCategoryAdd, nil, struct {
		List []NewCategory `json:"categories"`
	}{list}, nil)
}

// DeleteCategory takes a category off. Errors: 53308 in review, 53309 may not go.
func (m MiniProgram) DeleteCategory(ctx context.Context, first, second int64) error {
	return m.call(ctx, EndpointCategoryDelete, nil, NewCategory{First: first, Second: second}, nil)
}

// ModifyCategory sends new documents for a rejected category. Errors: 53306 only documents may change, 53307 not rejected.
func (m MiniProgram) ModifyCategory(ctx context.Context, c NewCategory) error {
	return m.call(ctx, EndpointCategoryModify, nil, c, nil)
}
