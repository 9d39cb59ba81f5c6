package wechat

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestTheEndpointTableHoldsTogether(t *testing.T) {
	scopes := " data.read profile.write category.write domain.write privacy.write tester.write code.commit code.trial code.audit code.release code.rollback service.suspend "
	names := map[string]bool{}
	for _, e := range Endpoints() {
		if names[e.Name] {
			t.Errorf("%s twice", e.Name)
		}
		names[e.Name] = true
		if got, ok := LookupEndpoint(e.Name); !ok || !reflect.DeepEqual(got, e) {
			t.Errorf("%s is not found by its name", e.Name)
		}
		if e.Title == "" || !strings.HasPrefix(e.Path, "/") || (e.Method != http.MethodGet && e.Method != http.MethodPost) {
			t.Errorf("%s is incomplete: %+v", e.Name, e)
		}
		if (e.Token == TokenAuthorizer) != (e.Scope != "") || e.Token != TokenAuthorizer && e.Set != 0 {
			t.Errorf("%s: a scope belongs to every authoriser call, scope and permission set to no other", e.Name)
		}
		if e.Scope != "" && !strings.Contains(scopes, " "+e.Scope+" ") {
			t.Errorf("%s: scope %q is not one of the design's", e.Name, e.Scope)
		}
		if e.Quota != "" && e.SafeToRepeat {
			t.Errorf("%s spends quota and may be repeated", e.Name)
		}
		if e.EmptyBody && e.Method != http.MethodPost {
			t.Errorf("%s: a GET has no body", e.Name)
		}
	}
	for _, name := range []string{EndpointSubmitAudit, EndpointRelease, EndpointGrayRelease, EndpointUndoAudit, EndpointSpeedUp,
		EndpointAddToTemplate, EndpointBindTester, EndpointRollback, EndpointCommit, EndpointQueryAuth, EndpointAuthorizerToken} {
		if e, _ := LookupEndpoint(name); e.SafeToRepeat || e.ReadOnly {
			t.Errorf("%s must never be repeated blindly", name)
		}
	}
	if _, ok := LookupEndpoint("no.such"); ok {
		t.Error("found what is not there")
	}
}

func TestARowThatReadsCannotBeUsedToWrite(t *testing.T) {
	writes := map[string]string{}
	for _, e := range Endpoints() {
		if !e.ReadOnly {
			writes[e.Method+" "+e.Path] = e.Name
		}
	}
	for _, e := range Endpoints() {
		writer, shared := writes[e.Method+" "+e.Path]
		if e.ReadOnly && shared && e.Fixed[0] == "" && e.Member[0] == "" {
			t.Errorf("%s reads, shares its path with %s and pins nothing", e.Name, writer)
		}
		if e.Member[0] != "" && (e.Method != http.MethodPost || e.Upload) {
			t.Errorf("%s wants a member of a body that is none", e.Name)
		}
	}
}

func TestEveryCodeOfTheWalksIsExplained(t *testing.T) {
	for _, code := range []int{-1, 40001, 40013, 40014, 40125, 41001, 42001, 43001, 43002, 44002, 45009, 47001, 48001, 61003, 61004, 61005,
		61006, 61007, 61009, 61010, 61014, 61015, 61023, 61039, 61040, 85001, 85002, 85003, 85004, 85008, 85009, 85012, 85013, 85014, 85015,
		85017, 85018, 85019, 85020, 85023, 85048, 85052, 85058, 85064, 85065, 85079, 85080, 85081, 85082, 85085, 85086, 86000, 86001, 86002,
		87011, 87012, 87013, 89401, 89402, 89403, 89404, 89405, 9402202} {
		e, ok := Explain(code)
		if !ok || e.Class == "" || e.Reason == "" || e.Who == "" || e.Action == "" {
			t.Errorf("%d: %+v", code, e)
		}
	}
	if _, ok := Explain(123456789); ok {
		t.Error("an unknown code is explained")
	}
}
