package plugin

import (
	"strings"
	"testing"
)

func TestSchemasThatNoFormCanShowAreRefusedWithTheReason(t *testing.T) {
	one := func(field string) string { return `{"type":"object","properties":{"a":` + field + `}}` }
	cases := map[string]struct{ schema, reason string }{
		"no JSON":                  {`{"type":`, "settings: "},
		"no object":                {`[]`, "not a JSON object"},
		"two values":               {`{"type":"object","properties":{"a":{"type":"string","title":"甲"}}} {}`, "more than one"},
		"another root":             {`{"type":"string"}`, "not object"},
		"no properties":            {`{"type":"object","properties":{}}`, "0 properties"},
		"open to anything":         {`{"type":"object","additionalProperties":true,"properties":{"a":{"type":"string","title":"甲"}}}`, "additionalProperties"},
		"a word of the root":       {`{"type":"object","allOf":[],"properties":{"a":{"type":"string","title":"甲"}}}`, `"allOf"`},
		"required without":         {`{"type":"object","required":["b"],"properties":{"a":{"type":"string","title":"甲"}}}`, `"b"`},
		"twice the same name":      {`{"type":"object","properties":{"a":{"type":"string","title":"甲"},"a":{"type":"integer","title":"乙"}}}`, "comes twice"},
		"a bad name":               {`{"type":"object","properties":{"Ä":{"type":"string","title":"甲"}}}`, "the name is not"},
		"no title":                 {one(`{"type":"string"}`), "a: it has no title"},
		"a list":                   {one(`{"type":"array","title":"甲"}`), `does not draw type "array"`},
		"an object in it":          {one(`{"type":"object","title":"甲"}`), `does not draw type "object"`},
		"a pattern":                {one(`{"type":"string","title":"甲","pattern":"^a"}`), `keyword "pattern"`},
		"a reference":              {one(`{"$ref":"file:///etc/passwd"}`), `keyword "$ref"`},
		"another format":           {one(`{"type":"string","title":"甲","format":"date"}`), `format "date"`},
		"bounds of another type":   {one(`{"type":"string","title":"甲","minimum":1}`), "for numbers"},
		"least above most":         {one(`{"type":"integer","title":"甲","minimum":3,"maximum":1}`), "above its most"},
		"a secret number":          {one(`{"type":"integer","title":"甲","x-secret":true}`), "cannot be secret"},
		"a secret with a default":  {one(`{"type":"string","format":"password","title":"甲","default":"x"}`), "no default"},
		"a default out of bounds":  {one(`{"type":"integer","title":"甲","default":9,"maximum":3}`), "default 9 does not fit"},
		"a default of another":     {one(`{"type":"integer","title":"甲","default":"x"}`), "does not fit"},
		"choices of another type":  {one(`{"type":"integer","title":"甲","enum":["a"]}`), "is no integer"},
		"choices without a title":  {one(`{"type":"string","title":"甲","oneOf":[{"const":"a"}]}`), "has no title"},
		"titles that do not match": {one(`{"type":"string","title":"甲","enum":["a","b"],"x-enum-titles":["甲"]}`), "one length"},
		"a wrong type of keyword":  {one(`{"type":"string","title":"甲","maxLength":"long"}`), "a:"},
		"a negative length":        {one(`{"type":"string","title":"甲","maxLength":-1}`), "settings:"},
		"too large":                {`{"type":"object","properties":{"a":{"type":"string","title":"` + strings.Repeat("长", 30000) + `"}}}`, "larger than"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := parseSettings([]byte(test.schema))
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("told %v, want %q", err, test.reason)
			}
		})
	}
	for _, nothing := range []string{"", "  \n"} {
		if s, err := parseSettings([]byte(nothing)); s != nil || err != nil {
			t.Errorf("no schema became %v, %v", s, err)
		}
	}
}

func TestFieldsComeInTheOrderOfTheSchema(t *testing.T) {
	s, err := parseSettings([]byte(`{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","title":"设置","additionalProperties":false,"required":["z"],"properties":{
		"z":{"type":"string","title":"末","format":"email"},"m":{"type":"integer","title":"中","enum":[1,2],"x-enum-titles":["一","二"],"default":2},"a":{"type":"string","title":"首","x-secret":true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range s.fields {
		got = append(got, f.Name+" "+f.Kind)
	}
	if want := "z email,m choice,a password"; strings.Join(got, ",") != want {
		t.Errorf("fields %v, want %s", got, want)
	}
	if f := s.fields[1]; Shown(f.Choices[1].Value) != "2" || f.Choices[1].Title != "二" || !s.fields[0].Required || !s.fields[2].Secret {
		t.Errorf("fields %+v", s.fields)
	}
	if problem := s.check(s.complete(map[string]any{"z": "a@b"})); problem != nil && problem.Fields[0].Name != "z" {
		t.Errorf("told %+v", problem.Fields)
	}
	if problem := s.check(s.complete(map[string]any{"z": "somebody"})); problem == nil || problem.Fields[0].Message != "请填写正确的邮箱地址" {
		t.Errorf("told %+v", problem)
	}
}
