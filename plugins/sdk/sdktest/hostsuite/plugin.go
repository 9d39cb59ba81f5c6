package hostsuite

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"minifleet/plugins/sdk"
)

// ID is the id of the suite's plugin.
const ID = "suite"

// Thing is a row of every collection of the suite: one type, four visibilities.
type Thing struct {
	sdk.Row
	Title string   `json:"title" col:"title,名称,text,required,size:20,search,list,sort"`
	Body  string   `json:"body" col:"body,正文,longtext,search"`
	AppID string   `json:"appid" col:"appid,AppID,text,size:64"`
	Other int64    `json:"other" col:"other,对方,int"`
	State string   `json:"state" col:"state,状态,text,filter:eq"`
	Price int64    `json:"price" col:"price,价格,int,sort"`
	Stock int64    `json:"stock" col:"stock,库存,int"`
	Code  string   `json:"code" col:"code,编号,text,size:40"`
	Done  bool     `json:"done" col:"done,完成,bool"`
	Due   int64    `json:"due" col:"due,到期,time"`
	Tags  []string `json:"tags" col:"tags,标签,json"`

	AppName   string `json:"app_name" join:"appid.nick_name"`
	AppOwner  int64  `json:"app_owner,string" join:"appid.owner_space"`
	SpaceName string `json:"space_name" join:"space_id.name"`
}

// Command is one question or change that the suite puts to the plugin.
type Command struct {
	Do         string   `json:"do"` // find get aggregate commit keep usekept delegate undelegate stopped, and those of neighbours.go
	Collection string   `json:"collection,omitempty"`
	Where      []Cond   `json:"where,omitempty"`
	Search     string   `json:"search,omitempty"`
	Sort       string   `json:"sort,omitempty"`
	Limit      int      `json:"limit,omitempty"`
	Cursor     string   `json:"cursor,omitempty"`
	Count      bool     `json:"count,omitempty"`
	Columns    []string `json:"columns,omitempty"`
	With       bool     `json:"with,omitempty"`
	By         []string `json:"by,omitempty"`
	Measures   []string `json:"measures,omitempty"` // count, sum:price, min:title…
	Ops        []Change `json:"ops,omitempty"`
	Key        string   `json:"key,omitempty"`
	Events     []string `json:"events,omitempty"` // types
	AppID      string   `json:"appid,omitempty"`  // of the events, of the delegation
	Under      int64    `json:"under,omitempty"`  // a delegation
	ID         int64    `json:"id,omitempty"`     // the space to publish to

	Route []string        `json:"route,omitempty"` // operations
	Input json.RawMessage `json:"input,omitempty"` // of a call
	Path  string          `json:"-"`               // where it is posted to; "/do" unless said otherwise
}

// Address is where a World posts the command.
func (c Command) Address() string { return cmp.Or(c.Path, "/do") }

// Cond is one condition.
type Cond struct {
	Column string `json:"column"`
	Op     string `json:"op"`
	Value  any    `json:"value"`
}

// UnmarshalJSON keeps numbers as they are: an id is larger than what a float holds.
func (c *Cond) UnmarshalJSON(raw []byte) error {
	var shape struct {
		Column, Op string
		Value      any
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&shape); err != nil {
		return err
	}
	*c = Cond(shape)
	return nil
}

// Change is one op of a commit.
type Change struct {
	Kind       string           `json:"kind"` // insert update delete increment
	Collection string           `json:"collection,omitempty"`
	ID         int64            `json:"id,omitempty"`
	Version    int64            `json:"version,omitempty"`
	Row        Thing            `json:"row,omitempty"`
	Set        map[string]any   `json:"set,omitempty"`
	Add        map[string]int64 `json:"add,omitempty"`
	Least      *int64           `json:"least,omitempty"` // of stock
	Most       *int64           `json:"most,omitempty"`
}

// Outcome is what came of a command.
type Outcome struct {
	Rows     []Thing  `json:"rows"`
	Next     string   `json:"next"`
	Total    int64    `json:"total"` // -1: unknown
	Groups   []string `json:"groups"`
	Others   int64    `json:"others"`
	IDs      []int64  `json:"ids"`
	Repeated bool     `json:"repeated"`
	ID       int64    `json:"id,string"`
	Path     []string `json:"path"`
}

// titles are those of the rows, in order.
func (o Outcome) titles() []string {
	list := []string{}
	for _, row := range o.Rows {
		list = append(list, row.Title)
	}
	return list
}

type workbench struct {
	collections map[string]*sdk.Collection[Thing]
	kept        chan context.Context

	mu      sync.Mutex
	stopped map[int64][]string // codes with which "again" was refused, by space
}

// Plugin is what the suite runs: one REST call, an event handler and a job that do what they are told.
func Plugin() *sdk.Plugin {
	p := sdk.New(ID, "主机规则", "1.0.0")
	w := newWorkbench(p, "own", "deals", "apps", "public")
	p.API("POST /do", sdk.JSON(w.do), sdk.PublicAccess())
	p.API("POST /members", sdk.JSON(w.do))
	p.API("POST /merchants", sdk.JSON(w.do), sdk.Kinds("merchant"))
	p.Permission("suite.act", "操作")
	p.API("POST /permitted", sdk.JSON(w.do), sdk.Permission("suite.act"))
	offerPass(p)
	p.On("peer.suite", w.heard)
	p.On(ID+".again", w.again)
	p.Job(sdk.Job{Name: "count", Title: "计数", Spec: "* * * * *", Platform: true, Run: w.count})
	return p
}

func (w *workbench) do(ctx context.Context, in Command) (Outcome, error) {
	if in.Under != 0 {
		ctx = sdk.WithDelegation(ctx, in.Under)
	}
	switch in.Do {
	case "find":
		return w.find(ctx, in)
	case "get":
		row, err := w.collections[in.Collection].Get(ctx, in.Ops[0].ID)
		return Outcome{Rows: []Thing{row}}, err
	case "aggregate":
		return w.aggregate(ctx, in)
	case "commit":
		return w.commit(ctx, in)
	case "keep":
		w.kept <- context.WithoutCancel(ctx)
		return Outcome{}, nil
	case "usekept":
		return w.find(<-w.kept, Command{Collection: "own"})
	case "delegate":
		id, err := sdk.Delegate(ctx, sdk.DelegationRequest{
			AppID: in.AppID, Scopes: []string{"code.commit"}, Until: sdk.Now(ctx).Add(time.Hour).UnixMilli(), Purpose: "主机规则",
		})
		return Outcome{ID: id}, err
	case "undelegate":
		return Outcome{}, sdk.EndDelegation(ctx, in.Under)
	case "walk", "call", "detach":
		return w.call(ctx, in)
	}
	if in.Do == "stopped" {
		w.mu.Lock()
		defer w.mu.Unlock()
		return Outcome{Groups: w.stopped[sdk.Actor(ctx).SpaceID]}, nil
	}
	return w.ask(ctx, in)
}

// newWorkbench keeps some of the collections, each with a visibility of its own.
func newWorkbench(p *sdk.Plugin, names ...string) *workbench {
	w := &workbench{collections: map[string]*sdk.Collection[Thing]{}, kept: make(chan context.Context, 1), stopped: map[int64][]string{}}
	for _, name := range names {
		switch name {
		case "own":
			w.collections[name] = sdk.Collect[Thing](p, name, sdk.Visible{Kind: sdk.Space, Operator: true}, sdk.Index("space_id", "price"), sdk.Index("code"))
		case "deals":
			w.collections[name] = sdk.Collect[Thing](p, name, sdk.Visible{Kind: sdk.Parties, Column: "space_id", Other: "other"})
		case "apps":
			w.collections[name] = sdk.Collect[Thing](p, name, sdk.Visible{Kind: sdk.MiniProgram, Column: "appid", Scope: "data.read", Write: "code.commit"}, sdk.Unique("appid", "code"))
		case "public":
			w.collections[name] = sdk.Collect[Thing](p, name, sdk.Visible{Kind: sdk.Public, When: "state", Equals: "listed"})
		}
	}
	return w
}

// conditions makes those of the SDK.
func conditions(list []Cond) ([]sdk.Where, error) {
	var made []sdk.Where
	for _, c := range list {
		value := c.Value
		if number, isNumber := value.(json.Number); isNumber {
			whole, err := number.Int64()
			if err != nil {
				return nil, err
			}
			value = whole
		}
		make, known := map[string]func(string, any) sdk.Where{"eq": sdk.Eq, "ne": sdk.Ne, "lt": sdk.Lt, "le": sdk.Le, "gt": sdk.Gt, "ge": sdk.Ge}[c.Op]
		text, isText := value.(string)
		switch {
		case known:
			made = append(made, make(c.Column, value))
		case c.Op == "like" && isText:
			made = append(made, sdk.Like(c.Column, text))
		default:
			return nil, fmt.Errorf("condition %+v", c)
		}
	}
	return made, nil
}

func (w *workbench) find(ctx context.Context, in Command) (Outcome, error) {
	where, err := conditions(in.Where)
	if err != nil {
		return Outcome{}, err
	}
	query := sdk.Query{Where: where, Search: in.Search, Sort: in.Sort, Limit: in.Limit, Cursor: in.Cursor, Count: in.Count, Columns: in.Columns}
	if in.With {
		query.With = []sdk.Join{sdk.With("appid", sdk.ViewMiniPrograms, "nick_name", "owner_space"), sdk.With("space_id", sdk.ViewSpaces, "name")}
	}
	page, err := w.collections[in.Collection].Find(ctx, query)
	out := Outcome{Rows: page.Items, Next: page.Next, Total: -1}
	if page.Total != nil {
		out.Total = *page.Total
	}
	return out, err
}

func (w *workbench) aggregate(ctx context.Context, in Command) (Outcome, error) {
	where, err := conditions(in.Where)
	if err != nil {
		return Outcome{}, err
	}
	figures := sdk.Figures{Where: where, Search: in.Search, By: in.By, Limit: in.Limit}
	for _, measure := range in.Measures {
		makes := map[string]func(string) sdk.Measure{"sum": sdk.Sum, "min": sdk.Least, "max": sdk.Greatest}
		if kind := measure[:3]; makes[kind] != nil {
			figures.Measures = append(figures.Measures, makes[kind](measure[4:]))
		} else {
			figures.Measures = append(figures.Measures, sdk.Count())
		}
	}
	groups, err := w.collections[in.Collection].Aggregate(ctx, figures)
	out := Outcome{Others: groups.Others, Groups: []string{}}
	for _, group := range groups.Groups {
		by, encodeErr := json.Marshal(group.By)
		values, valuesErr := json.Marshal(group.Values)
		err = errors.Join(err, encodeErr, valuesErr)
		out.Groups = append(out.Groups, string(by)+string(values))
	}
	return out, err
}

func (w *workbench) commit(ctx context.Context, in Command) (Outcome, error) {
	var ops []sdk.Op
	for _, change := range in.Ops {
		rows := w.collections[change.Collection]
		if change.Collection == "" {
			rows = w.collections[in.Collection]
		}
		switch change.Kind {
		case "insert":
			ops = append(ops, rows.Insert(change.Row))
		case "update":
			ops = append(ops, rows.Update(change.ID, change.Version, change.Set))
		case "delete":
			ops = append(ops, rows.Delete(change.ID, change.Version))
		case "increment":
			var options []sdk.IncrementOption
			if change.Least != nil {
				options = append(options, sdk.AtLeast("stock", *change.Least))
			}
			if change.Most != nil {
				options = append(options, sdk.AtMost("stock", *change.Most))
			}
			if change.Version != 0 {
				options = append(options, sdk.AtVersion(change.Version))
			}
			ops = append(ops, rows.Increment(change.ID, change.Add, options...))
		}
	}
	var options []sdk.CommitOption
	if in.Key != "" {
		options = append(options, sdk.Once(in.Key))
	}
	for _, kind := range in.Events {
		options = append(options, sdk.WithEvents(sdk.Event{Type: kind, AppID: in.AppID, Data: map[string]int{"ops": len(ops)}}))
	}
	done, err := sdk.Commit(ctx, ops, options...)
	return Outcome{IDs: done.IDs, Repeated: done.Repeated}, err
}

// heard carries out the command of an event and publishes what it saw.
func (w *workbench) heard(ctx context.Context, event sdk.Event) error {
	var in Command
	if err := event.Decode(&in); err != nil {
		return err
	}
	out, err := w.do(ctx, in)
	answer := map[string]any{"titles": out.titles()}
	if err != nil {
		answer["error"] = err.Error()
	}
	subject := event.Subject
	if event.Type == "peer.asker" { // heard once in the name of each space
		subject += "-" + strconv.FormatInt(sdk.Actor(ctx).SpaceID, 10)
	}
	_, err = sdk.Commit(ctx, nil, sdk.WithEvents(sdk.Event{Type: "heard", Subject: subject, Data: answer}), sdk.Once("heard-"+event.Subject))
	return err
}

// again answers an event with the same one, as long as it may, with a row in between so that a refusal takes that back too.
func (w *workbench) again(ctx context.Context, event sdk.Event) error {
	_, err := sdk.Commit(ctx, []sdk.Op{w.collections["apps"].Insert(Thing{Title: "again", AppID: event.AppID, Code: fmt.Sprint(event.ID)})},
		sdk.WithEvents(sdk.Event{Type: "again", AppID: event.AppID, Data: event.Data}))
	var refusal *sdk.Error
	if !errors.As(err, &refusal) {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopped[event.SpaceID] = append(w.stopped[event.SpaceID], string(refusal.Kind)+" "+refusal.Code)
	return nil
}

// jobTitles are the rows that the job counts.
func jobTitles() []string { return []string{"a1", "b1", "o1", "o2", "o3", "p1"} }

// count is how many rows of each collection a job sees.
func (w *workbench) count(ctx context.Context) (string, error) {
	note := ""
	for _, name := range []string{"own", "deals", "apps", "public"} {
		rows, err := w.collections[name].All(ctx, sdk.Query{Where: []sdk.Where{sdk.In("title", jobTitles()...)}}, 1000)
		if err != nil {
			return "", err
		}
		titles := Outcome{Rows: rows}.titles()
		slices.Sort(titles)
		note += fmt.Sprint(name, titles, " ")
	}
	return note, nil
}
