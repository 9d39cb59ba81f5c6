package sdk_test

import (
	"strings"
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

func TestAnAuthorsMistakesStopTheStart(t *testing.T) {
	type noRow struct {
		Name string `col:"name,名称,text"`
	}
	type badType struct {
		sdk.Row
		Name string `col:"name,名称,string"`
	}
	type badFit struct {
		sdk.Row
		Name string `col:"name,名称,int"`
	}
	type badFlag struct {
		sdk.Row
		Name string `col:"name,名称,text,fast"`
	}
	type badName struct {
		sdk.Row
		Name string `col:"Name,名称,text"`
	}
	type twice struct {
		sdk.Row
		Name  string `col:"name,名称,text"`
		Other string `col:"name,别名,text"`
	}
	type reserved struct {
		sdk.Row
		Name string `col:"id,编号,text"`
	}
	space := sdk.Visible{Kind: sdk.Space}
	for what, declare := range map[string]func(*sdk.Plugin){
		"does not embed sdk.Row":     func(p *sdk.Plugin) { sdk.Collect[noRow](p, "rows", space) },
		"unknown column type":        func(p *sdk.Plugin) { sdk.Collect[badType](p, "rows", space) },
		"does not fit":               func(p *sdk.Plugin) { sdk.Collect[badFit](p, "rows", space) },
		"unknown flag":               func(p *sdk.Plugin) { sdk.Collect[badFlag](p, "rows", space) },
		"column name":                func(p *sdk.Plugin) { sdk.Collect[badName](p, "rows", space) },
		"two columns":                func(p *sdk.Plugin) { sdk.Collect[twice](p, "rows", space) },
		`two columns "id"`:           func(p *sdk.Plugin) { sdk.Collect[reserved](p, "rows", space) },
		"is not METHOD /path":        func(p *sdk.Plugin) { p.Page("/nowhere", nil) },
		"neither admin nor portal":   func(p *sdk.Plugin) { p.Menu(sdk.MenuItem{Frame: "side"}) },
		"either Collection or Rows":  func(p *sdk.Plugin) { p.Table(sdk.Table{Name: "t"}) },
		"is declared twice":          func(p *sdk.Plugin) { p.Job(sdk.Job{Name: "x"}) },
		"is not [a-z][a-z0-9]{1,15}": func(*sdk.Plugin) { sdk.New("Bad-ID", "", "") },
	} {
		t.Run(what, func(t *testing.T) {
			defer func() {
				if cause, _ := recover().(string); !strings.Contains(cause, what) {
					t.Errorf("stopped with %q", cause)
				}
			}()
			declare(sdk.New("test", "测试", "0.1.0"))
		})
	}
}
