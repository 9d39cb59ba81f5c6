package sdk_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"minifleet/plugins/sdk"
)

type nested struct {
	ID   int64    `json:"id,string"`
	List []string `json:"list"`
	Self *nested  `json:"self"`
}

type shaped struct {
	AppID string `json:"appid" path:"appid"`
	Limit int    `json:"limit" query:"limit"`
	Text  string `json:"text" check:"required,max=10"`
	Deep  nested `json:"deep"`
	Skip  string `json:"-"`
}

func TestSchemasDescribeTheBodyOnly(t *testing.T) {
	p := sdk.New("shape", "形状", "0.1.0")
	run := func(context.Context, shaped) (sdk.Rows[nested], error) { return sdk.Rows[nested]{}, nil }
	p.API("POST /x/{appid}", sdk.JSON(run).Created(), sdk.Summary("做一件事"))
	p.API("GET /x/{appid}", sdk.JSON(run))
	posted, got := p.Manifest().GetRoutes()[0], p.Manifest().GetRoutes()[1]
	var schema struct {
		Properties           map[string]map[string]any
		Required             []string
		AdditionalProperties *bool
	}
	if err := json.Unmarshal(posted.GetInputSchema(), &schema); err != nil {
		t.Fatal(err)
	}
	if schema.Properties["appid"] != nil || schema.Properties["limit"] != nil || schema.Properties["Skip"] != nil || schema.Properties["text"]["type"] != "string" {
		t.Errorf("properties %v", schema.Properties)
	}
	if len(schema.Required) != 1 || schema.Required[0] != "text" || schema.AdditionalProperties == nil || *schema.AdditionalProperties {
		t.Errorf("schema %s", posted.GetInputSchema())
	}
	if string(got.GetInputSchema()) != `{"x-query":{"limit":{"type":"integer"}}}` || !strings.Contains(string(posted.GetOutputSchema()), `"x-status":201`) || !strings.Contains(string(got.GetOutputSchema()), `"items"`) || posted.GetSummary() != "做一件事" {
		t.Errorf("GET has input %s, output %s", got.GetInputSchema(), got.GetOutputSchema())
	}
}

func TestListsEndWithNull(t *testing.T) {
	for want, rows := range map[string]sdk.Rows[int]{
		`{"items":[],"next":null,"total":null}`: {},
		`{"items":[1],"next":"c","total":null}`: {Items: []int{1}, Next: "c"},
	} {
		if got, err := json.Marshal(rows); err != nil || string(got) != want {
			t.Errorf("%s, want %s, %v", got, want, err)
		}
	}
}
