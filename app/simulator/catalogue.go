package simulator

// categoryNode is one entry of WeChat's list of 类目.
type categoryNode struct {
	id, father int
	name       string
	documents  []string // 资质 a first use needs; any one of them is enough
	company    bool     // not for personal mini programs (53302)
	filing     bool     // needs an ICP filing first (53305)
	fixed      bool     // cannot be deleted once set (53309)
	ugc        bool     // the first submission must declare user content (85094)
}

// catalogue is the simulator's list of categories: fewer than WeChat's, of every kind. Read only.
var catalogue = []categoryNode{
	{id: 304, name: "商家自营"},
	{id: 321, father: 304, name: "办公/文具", company: true},
	{id: 325, father: 304, name: "食品饮料", company: true},
	{id: 326, father: 304, name: "酒/盐", company: true, documents: []string{"酒类经营许可证", "食盐零售许可证"}},
	{id: 287, name: "工具"},
	{id: 612, father: 287, name: "备忘录"},
	{id: 614, father: 287, name: "预约/报名"},
	{id: 220, name: "餐饮服务"},
	{id: 221, father: 220, name: "餐厅排队"},
	{id: 223, father: 220, name: "点餐平台", company: true, documents: []string{"增值电信业务经营许可证", "食品经营许可证"}},
	{id: 110, name: "教育"},
	{id: 111, father: 110, name: "培训机构", company: true, documents: []string{"办学许可证"}},
	{id: 115, father: 110, name: "在线视频课程", company: true, filing: true, documents: []string{"信息网络传播视听节目许可证"}},
	{id: 730, name: "社交"},
	{id: 731, father: 730, name: "社区/论坛", company: true, ugc: true, documents: []string{"非经营性互联网信息服务备案核准"}},
	{id: 732, father: 730, name: "笔记", ugc: true},
	{id: 733, father: 730, name: "问答", ugc: true, company: true},
	{id: 739, father: 730, name: "红包", company: true, fixed: true},
}

func categoryByID(id int) *categoryNode {
	for i := range catalogue {
		if catalogue[i].id == id {
			return &catalogue[i]
		}
	}
	return nil
}

// secondCategory is the second level entry with this first level above it, or nil.
func secondCategory(first, second int) *categoryNode {
	n := categoryByID(second)
	if n == nil || n.father == 0 || n.father != first {
		return nil
	}
	return n
}

// catalogueAnswer is the list as getallcategories shows it; personal leaves out what needs a company.
func catalogueAnswer(personal bool) map[string]any {
	children := map[int][]int{}
	for _, n := range catalogue {
		if !personal || !n.company {
			children[n.father] = append(children[n.father], n.id)
		}
	}
	nodes := []any{map[string]any{"id": 0, "name": "root", "level": 0, "father": 0, "children": children[0], "sensitive_type": 0}}
	for _, n := range catalogue {
		if personal && n.company {
			continue
		}
		nodes = append(nodes, n.answer(children[n.id]))
	}
	return map[string]any{"categories": nodes}
}

func (n categoryNode) answer(children []int) map[string]any {
	level, sensitive := 1, 0
	if n.father != 0 {
		level = 2
	}
	if len(n.documents) > 0 {
		sensitive = 1
	}
	if children == nil {
		children = []int{}
	}
	out := map[string]any{"id": n.id, "name": n.name, "level": level, "father": n.father, "children": children, "sensitive_type": sensitive,
		"is_hidden": false, "available_for_plugin": 1, "type": "NORMAL"}
	if sensitive == 1 {
		outer := []any{}
		for _, document := range n.documents {
			outer = append(outer, map[string]any{"inner_list": []any{map[string]any{"name": document, "url": ""}}})
		}
		out["qualify"] = map[string]any{"remark": "以下资质任选其一", "exter_list": outer}
	}
	return out
}
