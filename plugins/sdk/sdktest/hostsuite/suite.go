package hostsuite

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"minifleet/plugins/sdk"
)

// World is a host that runs the suite's plugin and its mate as plugins of the house, and the asker as an extension that every
// space has on, bounded as the constants below say, with the mini programs of Apps.
type World interface {
	// Do makes the REST call POST in.Address() of the suite's plugin. Failures are *sdk.Error, whatever the host itself calls them.
	Do(t testing.TB, actor sdk.ActorInfo, in Command) (Outcome, error)
	// DoWithin is Do on a platform that gives up after a while.
	DoWithin(t testing.TB, most time.Duration, actor sdk.ActorInfo, in Command) (Outcome, error)
	// Ask is Do of the extension.
	Ask(t testing.TB, actor sdk.ActorInfo, in Command) (Outcome, error)
	// Sent is how many calls have reached WeChat so far.
	Sent() int
	// Event lets an event come in; the plugin may hear of it later.
	Event(t testing.TB, event sdk.Event)
	// Published are the events that the plugin has published so far, with Data as json.RawMessage.
	Published(t testing.TB) []sdk.Event
	// Job runs a job of the plugin and gives its note.
	Job(t testing.TB, name string) string
	// Grant makes the scopes a space has on a mini program; none takes them.
	Grant(t testing.TB, appid string, space int64, scopes ...string)
	// Advance moves the platform's clock.
	Advance(by time.Duration)
}

// Bounds of what a space keeps in a World.
const (
	RowsPerSpace  = 60
	BytesPerSpace = 20_000
)

// App is a mini program that a World knows. Its name is its AppID behind 名.
type App struct {
	AppID string
	Owner int64
}

// rulesMost is how many rules may have people of their own.
const rulesMost = 40

// Apps are the mini programs of every World.
func Apps() []App {
	var apps []App
	for rule := range rulesMost {
		apps = append(apps, App{fmt.Sprintf("wx%da", rule), People(rule).Ada.SpaceID}, App{fmt.Sprintf("wx%db", rule), People(rule).Bob.SpaceID})
	}
	return apps
}

// Crowd is who acts in one rule: two merchants, a person, and an operator.
type Crowd struct {
	Ada, Bob, Eve, Olga sdk.ActorInfo
	Own, Foreign        string // AppIDs of Ada's and of Bob's mini program
}

// People are those of a rule; every rule has its own, so that one World serves all.
func People(rule int) Crowd {
	actor := func(n int64, name, kind string) sdk.ActorInfo {
		return sdk.ActorInfo{AccountID: int64(rule)*100 + n, SpaceID: int64(rule)*100 + 11*n, Name: name, Space: "空间", SpaceKind: kind, Role: "owner"}
	}
	return Crowd{
		actor(1, "ada", "merchant"), actor(2, "bob", "merchant"), actor(3, "eve", "personal"), actor(4, "olga", "platform"),
		fmt.Sprintf("wx%da", rule), fmt.Sprintf("wx%db", rule),
	}
}

// stage is one rule at work.
type stage struct {
	World
	Crowd
}

// Run holds a host to every rule.
func Run(t *testing.T, open func(t *testing.T) World) {
	t.Helper()
	w := open(t)
	for i, rule := range rules() {
		t.Run(rule.name, func(t *testing.T) { rule.holds(t, stage{w, People(i)}) })
	}
}

type rule struct {
	name  string
	holds func(*testing.T, stage)
}

func rules() []rule {
	return []rule{
		{"rows are seen and written by those whom the collection names", visibility},
		{"a right that ends is gone at the next call", revoked},
		{"operators see what the collection opens to them", operators},
		{"no update moves a row to somebody else", bound},
		{"an outdated version changes nothing", versions},
		{"increments all count and stay within their bounds", increments},
		{"a unique key is taken once", unique},
		{"a commit with a key takes effect once", once},
		{"a commit happens wholly or not at all, with its events", whole},
		{"cursors stand between equal values", cursors},
		{"questions that make no sense are refused", senseless},
		{"a search finds parts of words and only all of them", search},
		{"figures are of the rows that are seen", figures},
		{"joins show what the call may see", joins},
		{"columns refuse what they cannot hold", columns},
		{"a space keeps no more than it may", quotas},
		{"a token dies with its call", tokens},
		{"a delegation acts for its person until it ends", delegations},
		{"the system hears of its own event and a job sees all", system},
		{"events that cause each other come to an end", endless},
		{"routes are for those whom they name", admission},
		{"an extension uses what it asked for and nothing else", capabilities},
		{"what goes to WeChat is what its actor may do", wechatCalls},
		{"the core's operations and views are asked rightly or not at all", coreCalls},
		{"news goes to declared topics and to one's own space", publishing},
		{"a key of an extension is its space's own", ownKeys},
		{"an extension hears of an event in the name of each space that it concerns", hearing},
		{"an operation's input fits before it is asked and its answer before it is heard", schemas},
		{"operations neither go round in circles nor deeper than six", cycles},
		{"who is called learns who calls and for whom", callers},
		{"what is called ends with the call it was made in", deadlines},
	}
}

// must carries a command out that has to succeed.
func (s stage) must(t testing.TB, actor sdk.ActorInfo, in Command) Outcome {
	t.Helper()
	out, err := s.Do(t, actor, in)
	if err != nil {
		t.Fatalf("%s of %s: %v", in.Do, in.Collection, err)
	}
	return out
}

// insert adds rows and gives their ids.
func (s stage) insert(t testing.TB, actor sdk.ActorInfo, collection string, rows ...Thing) []int64 {
	t.Helper()
	in := Command{Do: "commit", Collection: collection}
	for _, row := range rows {
		in.Ops = append(in.Ops, Change{Kind: "insert", Row: row})
	}
	return s.must(t, actor, in).IDs
}

// change is a commit of one op.
func (s stage) change(t testing.TB, actor sdk.ActorInfo, collection string, op Change) error {
	t.Helper()
	_, err := s.Do(t, actor, Command{Do: "commit", Collection: collection, Ops: []Change{op}})
	return err
}

// get reads one row.
func (s stage) get(t testing.TB, actor sdk.ActorInfo, collection string, id int64) (Thing, error) {
	t.Helper()
	out, err := s.Do(t, actor, Command{Do: "get", Collection: collection, Ops: []Change{{ID: id}}})
	if err != nil {
		return Thing{}, err
	}
	return out.Rows[0], nil
}

// refused holds an error to a kind, and to a code where one is given.
func refused(t testing.TB, what string, err error, kind sdk.Kind, code string) {
	t.Helper()
	var failure *sdk.Error
	switch {
	case !errors.As(err, &failure):
		t.Errorf("%s gave %v, want a refusal of kind %s", what, err, kind)
	case failure.Kind != kind || code != "" && failure.Code != code:
		t.Errorf("%s gave %s %s (%v), want %s %s", what, failure.Kind, failure.Code, err, kind, code)
	}
}
