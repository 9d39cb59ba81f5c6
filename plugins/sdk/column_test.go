package sdk_test

import (
	"testing"

	"minifleet/plugins/sdk"
)

type good struct {
	sdk.Row
	Name  string         `col:"name,名称,text,required,size:40,filter:like,search,list,form,sort,help:填写名称"`
	State string         `col:"state,状态,text,options:on=开|green;off=关"`
	Extra map[string]int `col:"extra,附加,json"`
}

func TestTagsBecomeColumns(t *testing.T) {
	p := sdk.New("tags", "标签", "0.1.0")
	sdk.Collect[good](p, "goods", sdk.Visible{Kind: sdk.MiniProgram, Column: "name"}, sdk.Unique("name"), sdk.Index("state", "name"))
	declared := p.Manifest().GetCollections()[0]
	name := declared.GetColumns()[0]
	if name.GetName() != "name" || name.GetTitle() != "名称" || !name.GetRequired() || name.GetSize() != 40 || name.GetFilter() != "like" ||
		!name.GetSearch() || !name.GetList() || !name.GetForm() || !name.GetSort() || name.GetHelp() != "填写名称" {
		t.Errorf("column %v", name)
	}
	options := declared.GetColumns()[1].GetOptions()
	if len(options) != 2 || options[0].GetLabel() != "开" || options[0].GetColor() != "green" || options[1].GetColor() != "" {
		t.Errorf("options %v", options)
	}
	if v := declared.GetVisibility(); v.GetScope() != "data.read" || v.GetWrite() != "data.read" {
		t.Errorf("visibility %v: the default scope is data.read", v)
	}
	if len(declared.GetIndexes()) != 2 || !declared.GetIndexes()[0].GetUnique() {
		t.Errorf("indexes %v", declared.GetIndexes())
	}
}
