package sdk_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/status"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/pluginpb"
)

type (
	noRow struct {
		Name string `col:"name,名称,text"`
	}
	pointerRow struct {
		*sdk.Row
		Name string `col:"name,名称,text"`
	}
	noTag    struct{ sdk.Row }
	shortTag struct {
		sdk.Row
		Name string `col:"name,名称"`
	}
	badType struct {
		sdk.Row
		Name string `col:"name,名称,string"`
	}
	badFit struct {
		sdk.Row
		Name string `col:"name,名称,int"`
	}
	narrow struct {
		sdk.Row
		Count int32 `col:"count,数量,int"`
	}
	ownJSON struct {
		sdk.Row
		Name loud `col:"name,名称,text"`
	}
	channelJSON struct {
		sdk.Row
		Extra map[string]chan int `col:"extra,附加,json"`
	}
	functionInside struct {
		sdk.Row
		Extra struct{ Run func() } `col:"extra,附加,json"`
	}
	keyed struct {
		sdk.Row
		Extra map[[2]int]string `col:"extra,附加,json"`
	}
	private struct {
		sdk.Row
		name string `col:"name,名称,text"`
	}
	Embedded struct {
		Name string `col:"name,名称,text"`
	}
	throughPointer struct {
		sdk.Row
		*Embedded
	}
	badFlag struct {
		sdk.Row
		Name string `col:"name,名称,text,fast"`
	}
	valueless struct {
		sdk.Row
		Name string `col:"name,名称,text,size"`
	}
	badSize struct {
		sdk.Row
		Name string `col:"name,名称,text,size:9999"`
	}
	badFilter struct {
		sdk.Row
		Count int64 `col:"count,数量,int,filter:like"`
	}
	badOption struct {
		sdk.Row
		State string `col:"state,状态,text,options:on=开|pink"`
	}
	noLabel struct {
		sdk.Row
		State string `col:"state,状态,text,options:on"`
	}
	numberOption struct {
		sdk.Row
		Level int64 `col:"level,级别,int,options:one=一"`
	}
	sortedJSON struct {
		sdk.Row
		Extra []string `col:"extra,附加,json,sort"`
	}
	jsonRow struct {
		sdk.Row
		Extra []string `col:"extra,附加,json"`
	}
	requiredBool struct {
		sdk.Row
		Done bool `col:"done,完成,bool,required"`
	}
	badName struct {
		sdk.Row
		Name string `col:"Name,名称,text"`
	}
	untitled struct {
		sdk.Row
		Name string `col:"name,,text"`
	}
	twice struct {
		sdk.Row
		Name  string `col:"name,名称,text"`
		Other string `col:"name,别名,text"`
	}
	reserved struct {
		sdk.Row
		Name string `col:"id,编号,text"`
	}
)

type loud string

func (l loud) MarshalJSON() ([]byte, error) { return json.Marshal(strings.ToUpper(string(l))) }

type fine struct {
	sdk.Row
	Name  string `json:"name" col:"name,名称,text,list,form"`
	Count int64  `json:"count" col:"count,数量,int,list,form"`
}

func collect[T any](p *sdk.Plugin) { sdk.Collect[T](p, "rows", sdk.Visible{Kind: sdk.Space}) }

func answer[In, Out any](context.Context, In) (out Out, err error) { return out, nil }

func table(t sdk.Table) func(*sdk.Plugin) {
	return func(p *sdk.Plugin) {
		t.Name = "rows"
		t.Collection = sdk.Collect[fine](p, "rows", sdk.Visible{Kind: sdk.Space})
		p.Table(t)
	}
}

// mistakes are wrong declarations with the struct, field or declaration that must be named, and the reason.
func mistakes() []struct {
	declare       func(*sdk.Plugin)
	where, reason string
} {
	run := func(context.Context, []int64) (sdk.Result, error) { return sdk.Result{}, nil }
	job := func(context.Context) (string, error) { return "", nil }
	page := func(context.Context, *http.Request) (sdk.View, error) { return sdk.View{}, nil }
	return []struct {
		declare       func(*sdk.Plugin)
		where, reason string
	}{
		{collect[int], "int", "must be a struct"},
		{collect[*fine], "*sdk_test.fine", "must be a struct"},
		{collect[noRow], "sdk_test.noRow", "does not embed sdk.Row"},
		{collect[pointerRow], "sdk_test.pointerRow", "does not embed sdk.Row"},
		{collect[noTag], "sdk_test.noTag", "no field with a col tag"},
		{collect[shortTag], "sdk_test.shortTag.Name", "is not name,标题,type"},
		{collect[badType], "sdk_test.badType.Name", `unknown column type "string"`},
		{collect[badFit], "sdk_test.badFit.Name", "Go type string does not fit column type int (int64 or int)"},
		{collect[narrow], "sdk_test.narrow.Count", "Go type int32 does not fit"},
		{collect[ownJSON], "sdk_test.ownJSON.Name", "has a JSON of its own"},
		{collect[channelJSON], "sdk_test.channelJSON.Extra", "chan int does not become JSON"},
		{collect[functionInside], "sdk_test.functionInside.Extra", "func() does not become JSON"},
		{collect[keyed], "sdk_test.keyed.Extra", "its keys are no text"},
		{collect[private], "sdk_test.private.name", "not exported"},
		{collect[throughPointer], "sdk_test.throughPointer.Name", "embedded by pointer"},
		{collect[badFlag], "sdk_test.badFlag.Name", `unknown flag "fast"`},
		{collect[valueless], "sdk_test.valueless.Name", `flag "size" needs a value`},
		{collect[badSize], "sdk_test.badSize.Name", `size "9999" is not 1…1024`},
		{collect[badFilter], "sdk_test.badFilter.Count", "filter:like is for text"},
		{collect[badOption], "sdk_test.badOption.State", `colour "pink"`},
		{collect[noLabel], "sdk_test.noLabel.State", `option "on" is not value=标签`},
		{collect[numberOption], "sdk_test.numberOption.Level", `option "one" of an int is no number`},
		{collect[sortedJSON], "sdk_test.sortedJSON.Extra", "json cannot be sorted"},
		{collect[requiredBool], "sdk_test.requiredBool.Done", "could only be true"},
		{collect[badName], "sdk_test.badName.Name", `column name "Name"`},
		{collect[untitled], "sdk_test.untitled.Name", "the title is empty"},
		{collect[twice], "sdk_test.twice.Other", `two columns "name"`},
		{collect[reserved], "sdk_test.reserved.Name", "every row has already"},

		{func(p *sdk.Plugin) { sdk.Collect[fine](p, "Rows", sdk.Visible{Kind: sdk.Space}) }, `collection "Rows"`, "the name is not"},
		{func(p *sdk.Plugin) { collect[fine](p); collect[fine](p) }, `collection "rows"`, "declared twice"},
		{func(p *sdk.Plugin) { sdk.Collect[fine](p, "rows", sdk.Visible{}) }, `collection "rows"`, `visibility ""`},
		{func(p *sdk.Plugin) { sdk.Collect[fine](p, "rows", sdk.Visible{Kind: sdk.MiniProgram, Column: "appid"}) }, `collection "rows"`, `Column "appid" is no column of type text`},
		{func(p *sdk.Plugin) {
			sdk.Collect[fine](p, "rows", sdk.Visible{Kind: sdk.Parties, Column: "count", Other: "name"})
		}, `collection "rows"`, `Other "name" is no column of type int`},
		{func(p *sdk.Plugin) { sdk.Collect[fine](p, "rows", sdk.Visible{Kind: sdk.Space}, sdk.Unique("nmae")) }, `collection "rows"`, `index on "nmae"`},
		{func(p *sdk.Plugin) { sdk.Collect[fine](p, "rows", sdk.Visible{Kind: sdk.Space}, sdk.Index()) }, `collection "rows"`, "an index has 0 columns"},
		{func(p *sdk.Plugin) { sdk.Collect[jsonRow](p, "rows", sdk.Visible{Kind: sdk.Space}, sdk.Index("extra")) }, `collection "rows"`, "longtext and json cannot be indexed"},

		{table(sdk.Table{CanEdit: true, Form: []sdk.Column{{Name: "nmae"}}}), `table "rows"`, `column "nmae" is not in collection "rows"`},
		{table(sdk.Table{Sort: "-nmae"}), `table "rows"`, `sorted by "nmae"`},
		{table(sdk.Table{Sort: "count"}), `table "rows"`, `"count", which has neither the flag sort nor an index`},
		{table(sdk.Table{Kinds: []string{"shop"}}), `table "rows"`, `kind of space "shop"`},
		{table(sdk.Table{Permission: "test.rows"}), `table "rows"`, `permission "test.rows" is not declared`},
		{table(sdk.Table{Actions: []sdk.Action{{Name: "go", Title: "去"}}}), `table "rows" action "go"`, "a function to run"},
		{table(sdk.Table{Actions: []sdk.Action{{Name: "go", Title: "去", Run: run, WhenColumn: "nmae"}}}), `table "rows" action "go"`, `"nmae" …, which is no column`},
		{table(sdk.Table{Check: func(context.Context, int64, map[string]string) error { return nil }}), `table "rows"`, "Check needs Save"},
		{func(p *sdk.Plugin) { p.Table(sdk.Table{Name: "t"}) }, `table "t"`, "either Collection or Rows"},
		{func(p *sdk.Plugin) {
			p.Table(sdk.Table{Name: "t", CanCreate: true, Rows: func(context.Context, sdk.TableQuery) (sdk.TablePage, error) { return sdk.TablePage{}, nil }})
		}, `table "t"`, "CanCreate needs Save"},

		{func(p *sdk.Plugin) { p.Page("/nowhere", page) }, `page "/nowhere"`, "not METHOD /path"},
		{func(p *sdk.Plugin) { p.Page("GET /x", nil) }, `page "GET /x"`, "the handler is nil"},
		{func(p *sdk.Plugin) { p.Page("FETCH /x", page) }, `page "FETCH /x"`, "none of GET"},
		{func(p *sdk.Plugin) { p.Page("GET /x/{a}", page); p.Page("GET /x/{b}", page) }, `page "GET /x/{b}"`, `"GET /x/{a}" is declared already`},
		{func(p *sdk.Plugin) { p.Page("GET /x/{a", page) }, `page "GET /x/{a"`, "wildcard"},
		{func(p *sdk.Plugin) { p.API("GET /x", sdk.Handler{}) }, `api "GET /x"`, "not made by sdk.JSON"},
		{func(p *sdk.Plugin) { p.API("GET /x", sdk.JSON(answer[int, int])) }, `api "GET /x"`, "input int is not a struct"},
		{func(p *sdk.Plugin) { p.API("GET /x", sdk.JSON(answer[struct{}, chan int])) }, "chan int", "answer Go type chan int does not become JSON"},
		{func(p *sdk.Plugin) {
			p.API("GET /x/{id}", sdk.JSON(answer[struct {
				ID []string `path:"id"`
			}, int]))
		}, ".ID", "cannot come from an address"},
		{func(p *sdk.Plugin) {
			p.API("GET /x/{id}", sdk.JSON(answer[struct {
				ID string `path:"appid"`
			}, int]))
		}, ".ID", `path:"appid" is not in the pattern`},
		{func(p *sdk.Plugin) {
			p.API("POST /x", sdk.JSON(answer[struct {
				Text string `json:"text" check:"min=3"`
			}, int]))
		}, ".Text", `unknown rule "min"`},
		{func(p *sdk.Plugin) {
			p.API("POST /x", sdk.JSON(answer[struct {
				Count int `json:"count" check:"max=3"`
			}, int]))
		}, ".Count", "max counts characters"},
		{func(p *sdk.Plugin) {
			p.Operation("do", sdk.JSON(answer[struct {
				ID string `path:"id"`
			}, int]))
		}, ".ID", "an operation has no address"},
		{func(p *sdk.Plugin) { p.Operation("Do it", sdk.JSON(answer[struct{}, int])) }, `operation "Do it"`, "the name is not"},

		{func(p *sdk.Plugin) { p.Menu(sdk.MenuItem{Title: "券", Path: "/", Frame: "side"}) }, `menu item "券"`, "neither admin nor portal"},
		{func(p *sdk.Plugin) { p.Menu(sdk.MenuItem{Title: "券", Path: "table:coupon", Frame: sdk.FrameAdmin}) }, `menu item "券"`, `no table "coupon"`},
		{func(p *sdk.Plugin) { p.Permission("other.edit", "编辑") }, `permission "other.edit"`, `begins with "test."`},
		{func(p *sdk.Plugin) { p.On("", nil) }, `event ""`, "needs a handler"},
		{func(p *sdk.Plugin) { p.Job(sdk.Job{Name: "x", Title: "任务", Spec: "* * * *", Run: job}) }, `job "x"`, "has 4 fields"},
		{func(p *sdk.Plugin) { p.Job(sdk.Job{Name: "x", Title: "任务", Spec: "61 * * * *", Run: job}) }, `job "x"`, `minute "61"`},
		{func(p *sdk.Plugin) { p.Job(sdk.Job{Name: "x", Title: "任务", Spec: "* * * * *"}) }, `job "x"`, "a function to run"},
	}
}

func TestAMistakeOfTheAuthorIsToldWithPlaceAndReason(t *testing.T) {
	for _, wrong := range mistakes() {
		t.Run(wrong.where+" "+wrong.reason, func(t *testing.T) {
			p := sdk.New("test", "测试", "0.1.0")
			wrong.declare(p)
			err := p.Err()
			if err == nil {
				t.Fatal("went unnoticed")
			}
			for line := range strings.Lines(err.Error()) {
				place, reason, _ := strings.Cut(line, ": ")
				if strings.HasSuffix(place, wrong.where) && strings.Contains(reason, wrong.reason) {
					return
				}
			}
			t.Errorf("told %q", err)
		})
	}
}

func TestEveryMistakeIsInTheOneAnswerOfDescribe(t *testing.T) {
	p := sdk.New("Test", "", "one")
	collect[badFit](p)
	p.Page("/nowhere", nil)
	server := sdk.NewServer(p, nil, nil)
	_, err := server.Describe(t.Context(), &pluginpb.DescribeRequest{})
	var failure *sdk.Error
	if !errors.As(err, &failure) || failure.Code != sdk.CodeDeclaration || failure.Kind != sdk.KindInvalid {
		t.Fatalf("Describe gave %v", err)
	}
	for _, want := range []string{
		"6 处错误", `sdk.New: plugin id "Test"`, "sdk.New: the title is empty", `sdk.New: version "one"`,
		"sdk_test.badFit.Name: Go type string", `page "/nowhere": the handler is nil`, `page "/nowhere": the pattern is not`,
	} {
		if !strings.Contains(failure.Message, want) {
			t.Errorf("%q is not in the list\n%s", want, failure.Message)
		}
	}
	answer, ok := status.FromError(sdk.EncodeError(err))
	if !ok || len(answer.Details()) != 1 {
		t.Errorf("on the wire it is %v", answer)
	}
}

func TestWhatIsRightIsNoMistake(t *testing.T) {
	p := sdk.New("test", "测试", "0.1.0-rc.1")
	rows := sdk.Collect[fine](p, "rows", sdk.Visible{Kind: sdk.Space}, sdk.Index("name", "created_at"))
	p.Permission("test.rows", "行")
	p.Table(sdk.Table{Name: "rows", Title: "行", Collection: rows, CanEdit: true, Sort: "-id", Permission: "test.rows"})
	p.Menu(sdk.MenuItem{Title: "行", Path: "table:rows", Frame: sdk.FrameAdmin, Permission: "test.rows"})
	for _, event := range []string{"wechat.weapp_audit_fail", "wechat.weapp_audit_*", "wechat.*", "market.installation.started"} {
		p.On(event, func(context.Context, sdk.Event) error { return nil })
	}
	for i, spec := range []string{"* * * * *", "*/5 0-6 1,15 JAN-jun MON", "0 3 ? * *"} {
		p.Job(sdk.Job{Name: "job" + string(rune('a'+i)), Title: "任务", Spec: spec, Run: func(context.Context) (string, error) { return "", nil }})
	}
	p.API("PUT /rows/{id}", sdk.JSON(answer[struct {
		ID   int64  `json:"-" path:"id"`
		Name string `json:"name" check:"required,max=20"`
	}, sdk.Rows[fine]]))
	if err := p.Err(); err != nil {
		t.Error(err)
	}
}
