package sdk_test

import (
	"encoding/json"
	"strings"
	"testing"

	"minifleet/plugins/sdk"
)

type robot struct {
	URL   string  `setting:"url,机器人地址,uri,required,help:在群里添加机器人后得到"`
	Key   string  `setting:"key,签名密钥,text,secret"`
	Limit int     `setting:"limit,每天最多,int,default:20,min:1,max:200"`
	Rate  float64 `setting:"rate,抽样比例,number,min:0,max:1"`
	Level string  `setting:"level,级别,text,default:all,options:all=全部;bad=只有驳回"`
	At    bool    `setting:"at,提醒所有人,bool"`
}

func TestTagsBecomeASchemaInTheOrderOfTheFields(t *testing.T) {
	p := sdk.New("robot", "机器人", "1.0.0")
	sdk.UseSettings[robot](p)
	if err := p.Err(); err != nil {
		t.Fatal(err)
	}
	const want = `{"type":"object","properties":{` +
		`"url":{"description":"在群里添加机器人后得到","format":"uri","title":"机器人地址","type":"string"},` +
		`"key":{"title":"签名密钥","type":"string","x-secret":true},` +
		`"limit":{"default":20,"maximum":200,"minimum":1,"title":"每天最多","type":"integer"},` +
		`"rate":{"maximum":1,"minimum":0,"title":"抽样比例","type":"number"},` +
		`"level":{"default":"all","oneOf":[{"const":"all","title":"全部"},{"const":"bad","title":"只有驳回"}],"title":"级别","type":"string"},` +
		`"at":{"title":"提醒所有人","type":"boolean"}},"required":["url"]}`
	got := p.Manifest().GetSettingsSchema()
	if !json.Valid(got) {
		t.Errorf("the schema is no JSON: %s", got)
	}
	if string(got) != want {
		t.Errorf("schema\n%s\nwant\n%s", got, want)
	}
}

func TestWrongSettingTagsAreToldWithFieldAndReason(t *testing.T) {
	type wrong struct {
		A string `setting:"a,甲"`
		B string `setting:"B,乙,text"`
		C string `setting:"c,丙,int"`
		D int    `setting:"d,丁,int,default:many"`
		E string `setting:"e,戊,password,default:x"`
		F int    `setting:"f,己,int,min:9,max:3"`
		G string `setting:"g,庚,uri,options:a=甲"`
		H string `setting:"h,辛,text,option"`
		I string `setting:"h,壬,colour"`
	}
	p := sdk.New("wrong", "错误", "1.0.0")
	sdk.UseSettings[wrong](p)
	err := p.Err()
	if err == nil {
		t.Fatal("wrong tags were taken")
	}
	for _, part := range []string{
		`wrong.A: tag setting:"a,甲" is not`, `wrong.B: setting name "B"`, "wrong.C: Go type string does not fit the setting's type int", `wrong.D: default: "many" is no int`,
		"wrong.E: a secret has no default", "wrong.F: min:9 is above max:3", "wrong.G: options are for a plain text, int or number", `wrong.H: flag "option" is not complete`,
		`wrong.I: unknown setting type "colour"`, `wrong.I: there are two settings "h"`,
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in:\n%v", part, err)
		}
	}
	if len(p.Manifest().GetSettingsSchema()) != 0 {
		t.Error("a schema was made of wrong tags")
	}
	if sdk.UseSettings[struct{ X int }](p); !strings.Contains(p.Err().Error(), "has no field with a setting tag") {
		t.Errorf("a struct without settings was taken: %v", p.Err())
	}
}
