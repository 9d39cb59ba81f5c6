package simulator

import (
	"fmt"
	"slices"
)

// categoryEndpoints are the 类目 of a mini program (02 D.7).
func categoryEndpoints() []endpoint {
	const base = "/cgi-bin/wxopen/"
	return []endpoint{
		{path: base + "getallcategories", token: authorizerToken, sets: basicSets, run: getAllCategories},
		{path: base + "getcategoriesbytype", post: true, token: authorizerToken, sets: basicSets, run: getCategoriesByType},
		{path: base + "getcategory", token: authorizerToken, sets: basicSets, run: getOwnCategories},
		{path: base + "addcategory", post: true, token: authorizerToken, sets: basicSets, run: addCategory},
		{path: base + "deletecategory", post: true, token: authorizerToken, sets: basicSets, run: deleteCategory},
		{path: base + "modifycategory", post: true, token: authorizerToken, sets: basicSets, run: modifyCategory},
	}
}

// categoryBook is what is not (yet) an approved category of a mini program; approved ones are miniProgram.Categories.
type categoryBook struct {
	Entries []categoryEntry `json:"entries"`
	Edits   counter         `json:"edits"` // changes this month
}

// categoryEntry is a category under review or rejected.
type categoryEntry struct {
	First  int    `json:"first"`
	Second int    `json:"second"`
	Status int    `json:"status"` // categoryReviewing or categoryRejected
	Reason string `json:"reason"`
}

// audit_status of getcategory.
const (
	categoryReviewing = 1
	categoryRejected  = 2
	categoryApproved  = 3
)

func (w *world) categoriesOf(appID string) *categoryBook {
	if b := w.categories.get(appID); b != nil {
		return b
	}
	return &categoryBook{}
}

func (b *categoryBook) index(first, second int) int {
	return slices.IndexFunc(b.Entries, func(e categoryEntry) bool { return e.First == first && e.Second == second })
}

func getAllCategories(_ *world, c *apiCall) (any, error) {
	return fields{"categories_list": catalogueAnswer(c.mp.PrincipalType == 0)}, nil
}

func getCategoriesByType(_ *world, c *apiCall) (any, error) {
	var req struct {
		VerifyType *number `json:"verify_type"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	personal := c.mp.PrincipalType == 0
	if req.VerifyType != nil {
		personal = *req.VerifyType == 0
	}
	return fields{"categories_list": catalogueAnswer(personal)}, nil
}

func getOwnCategories(w *world, c *apiCall) (any, error) {
	book, list := w.categoriesOf(c.mp.AppID), []any{}
	for _, a := range c.mp.Categories {
		list = append(list, map[string]any{"first": a.FirstID, "first_name": a.FirstClass, "second": a.SecondID, "second_name": a.SecondClass,
			"audit_status": categoryApproved, "audit_reason": ""})
	}
	for _, e := range book.Entries {
		list = append(list, map[string]any{"first": e.First, "first_name": categoryByID(e.First).name, "second": e.Second,
			"second_name": categoryByID(e.Second).name, "audit_status": e.Status, "audit_reason": e.Reason})
	}
	limit := w.settings.CategoryEdits
	return fields{"categories": list, "limit": limit, "quota": max(0, limit-book.Edits.in(monthOf(c.now))), "category_limit": w.settings.CategoryLimit}, nil
}

// certicate is one 资质 document; the spelling is WeChat's.
type certicate struct {
	Key       string `json:"key"`
	Value     string `json:"value"` // media id
	Permanent number `json:"is_permanent"`
	Expire    number `json:"expire_time"`
}

// categoryRequest is one category of addcategory and modifycategory.
type categoryRequest struct {
	First      number      `json:"first"`
	Second     number      `json:"second"`
	Certicates []certicate `json:"certicates"`
}

// check answers 53303 for ids nobody knows, 53302, 53305, 53311 for missing material and 40007 for a lost file.
func (r categoryRequest) check(w *world, c *apiCall) (*categoryNode, error) {
	node := secondCategory(int(r.First), int(r.Second))
	switch {
	case node == nil || slices.Contains(w.settings.RetiredCategories, node.id):
		return nil, refuse(53303)
	case node.company && c.mp.PrincipalType == 0:
		return nil, refuse(53302)
	case node.filing && w.filingOf(c.mp.AppID).Status != icpFiled:
		return nil, refuse(53305)
	}
	given := false
	for _, document := range r.Certicates {
		if document.Key == "" || document.Value == "" {
			return nil, refuse(53303)
		}
		if err := w.haveMedia(c, 40007, useTemp, document.Value); err != nil {
			return nil, err
		}
		given = true
	}
	if len(node.documents) > 0 && !given {
		return nil, refuse(53311)
	}
	return node, nil
}

// edit counts one change of this month or answers 53300.
func (w *world) categoryEdit(b *categoryBook, c *apiCall) error {
	month := monthOf(c.now)
	if b.Edits.in(month) >= w.settings.CategoryEdits {
		return refuse(53300)
	}
	b.Edits.add(month)
	return nil
}

func addCategory(w *world, c *apiCall) (any, error) {
	var req struct {
		Categories []categoryRequest `json:"categories"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if len(req.Categories) == 0 {
		return nil, refuse(53303)
	}
	book, nodes := w.categoriesOf(c.mp.AppID), []*categoryNode{}
	for i, one := range req.Categories {
		node, err := one.check(w, c)
		if err != nil {
			return nil, err
		}
		twice := slices.ContainsFunc(req.Categories[:i], func(o categoryRequest) bool { return o.First == one.First && o.Second == one.Second })
		if twice || c.mp.hasCategory(int(one.First), int(one.Second)) || book.index(int(one.First), int(one.Second)) >= 0 {
			return nil, refuse(53304)
		}
		nodes = append(nodes, node)
	}
	if len(c.mp.Categories)+len(book.Entries)+len(nodes) > w.settings.CategoryLimit {
		return nil, refuse(53301)
	}
	if err := w.categoryEdit(book, c); err != nil {
		return nil, err
	}
	for _, node := range nodes {
		w.setCategory(book, c, node)
	}
	w.categories.put(c.mp.AppID, book)
	return fields{}, nil
}

// setCategory approves a category at once or puts it on the review desk, as the setting category_review says.
func (w *world) setCategory(book *categoryBook, c *apiCall, node *categoryNode) {
	reviewed := w.settings.CategoryReview == "always" || (w.settings.CategoryReview == "sensitive" && len(node.documents) > 0)
	if !reviewed {
		c.mp.addCategory(node)
		w.miniPrograms.put(c.mp.AppID, c.mp)
		return
	}
	entry := categoryEntry{First: node.father, Second: node.id, Status: categoryReviewing}
	if at := book.index(node.father, node.id); at >= 0 {
		book.Entries[at] = entry
	} else {
		book.Entries = append(book.Entries, entry)
	}
	w.openReview(reviewCategory, c.mp, c.component.AppID, "类目："+categoryByID(node.father).name+" / "+node.name, categoryRef(node.father, node.id), c.now)
}

func categoryRef(first, second int) string { return fmt.Sprintf("%d/%d", first, second) }

func (m *miniProgram) addCategory(node *categoryNode) {
	m.Categories = append(m.Categories, category{FirstClass: categoryByID(node.father).name, SecondClass: node.name, FirstID: node.father, SecondID: node.id})
}

// decideCategory moves a reviewed category and pushes wxa_category_audit.
func decideCategory(w *world, r *review, m *miniProgram, now int64) error {
	var first, second int
	if _, err := fmt.Sscanf(r.Ref, "%d/%d", &first, &second); err != nil {
		return fmt.Errorf("category %q: %w", r.Ref, err)
	}
	book := w.categoriesOf(m.AppID)
	at, node := book.index(first, second), secondCategory(first, second)
	if at < 0 || node == nil {
		return nil // it was deleted meanwhile
	}
	if r.State == reviewPassed {
		book.Entries = slices.Delete(book.Entries, at, at+1)
		m.addCategory(node)
		w.miniPrograms.put(m.AppID, m)
	} else {
		book.Entries[at].Status, book.Entries[at].Reason = categoryRejected, r.Reason
	}
	w.categories.put(m.AppID, book)
	w.tell(m, r.Component, "wxa_category_audit", now, leaf("first", first), leaf("second", second), leaf("ret", r.verdict()), leaf("reason", r.Reason))
	return nil
}

func deleteCategory(w *world, c *apiCall) (any, error) {
	var req categoryRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	first, second := int(req.First), int(req.Second)
	book := w.categoriesOf(c.mp.AppID)
	at := book.index(first, second)
	own := slices.IndexFunc(c.mp.Categories, func(o category) bool { return o.FirstID == first && o.SecondID == second })
	node := secondCategory(first, second)
	switch {
	case at < 0 && own < 0:
		return nil, refuse(53303)
	case at >= 0 && book.Entries[at].Status == categoryReviewing:
		return nil, refuse(53308)
	case node != nil && node.fixed:
		return nil, refuse(53309)
	}
	if err := w.categoryEdit(book, c); err != nil {
		return nil, err
	}
	if at >= 0 {
		book.Entries = slices.Delete(book.Entries, at, at+1)
	}
	if own >= 0 {
		c.mp.Categories = slices.Delete(slices.Clone(c.mp.Categories), own, own+1)
		w.miniPrograms.put(c.mp.AppID, c.mp)
	}
	w.categories.put(c.mp.AppID, book)
	return fields{}, nil
}

func modifyCategory(w *world, c *apiCall) (any, error) {
	var req categoryRequest
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	book := w.categoriesOf(c.mp.AppID)
	at := book.index(int(req.First), int(req.Second))
	switch {
	case at < 0 && !c.mp.hasCategory(int(req.First), int(req.Second)):
		return nil, refuse(53303)
	case at < 0 || book.Entries[at].Status != categoryRejected:
		return nil, refuse(53307)
	case len(req.Certicates) == 0:
		return nil, refuse(53306)
	}
	node, err := req.check(w, c)
	if err != nil {
		return nil, err
	}
	if err := w.categoryEdit(book, c); err != nil {
		return nil, err
	}
	w.setCategory(book, c, node)
	w.categories.put(c.mp.AppID, book)
	return fields{}, nil
}
