package admin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/fault"
)

func (a *Admin) applicationPages() []Page {
	return []Page{
		{Pattern: "GET /application", Title: "商户入驻", Kinds: merchants, Handle: a.applicationPage},
		{Pattern: "POST /application", Title: "商户入驻", Kinds: merchants, Handle: a.saveApplication},
		{Pattern: "GET /application/files/{which}", Title: "商户入驻", Kinds: merchants, Handle: a.ownFile},
		{Pattern: "POST /application/files/{which}/remove", Title: "商户入驻", Kinds: merchants, Handle: a.removeFile},
		{Pattern: "GET /applications", Title: "商户审核", Kinds: operators, Query: []string{querySearch, "state", queryCursor}, Handle: a.applicationsPage},
		{Pattern: "GET /applications/{id}", Title: "商户审核", Kinds: operators, Handle: a.reviewPage},
		{Pattern: "POST /applications/{id}", Title: "商户审核", Kinds: operators, Handle: a.decide},
		{Pattern: "GET /applications/{id}/files/{round}/{which}", Title: "商户审核", Kinds: operators, Handle: a.reviewFile},
	}
}

// applicationTag is the word and colour of an application's state.
func applicationTag(state string) (color, label string) {
	switch state {
	case account.ApplicationSubmitted:
		return "blue", "审核中"
	case account.ApplicationApproved:
		return "green", "审核通过"
	case account.ApplicationRejected:
		return "red", "审核驳回"
	default:
		return "grey", "草稿"
	}
}

// appField is one input of the application with what stands in it and what is wrong with it.
type appField struct {
	account.ApplicationField
	Value, Error string
	File         *account.File
	IsFile       bool
	Options      []string
}

type applicationView struct {
	refusals
	App          account.Application
	Fields       []appField
	Color, Label string
	Rounds       []account.Round
	Editable     bool
}

func (a *Admin) applicationPage(ctx context.Context, actor account.Actor, _ *http.Request) (View, error) {
	app, err := a.o.Services.Spaces.Application(ctx, actor)
	if err != nil {
		return View{}, err
	}
	return a.applicationForm(ctx, actor, app, nil)
}

// applicationForm shows the form: mistakes of the moment at the fields, or else what the last review said about them.
func (a *Admin) applicationForm(ctx context.Context, actor account.Actor, app account.Application, problem *fault.Error) (View, error) {
	v := applicationView{refusals: refusals{problem}, App: app, Editable: app.Editable()}
	v.Color, v.Label = applicationTag(app.State)
	var err error
	if v.Rounds, err = a.o.Services.Spaces.Rounds(ctx, actor); err != nil {
		return View{}, err
	}
	for _, f := range account.ApplicationFields() {
		field := appField{ApplicationField: f, Value: app.Value(f.Name), Error: v.Error(f.Name), IsFile: f.File}
		if field.Error == "" && problem == nil && app.Reasons[f.Name] != "" {
			field.Error = "审核意见：" + app.Reasons[f.Name]
		}
		switch f.Name {
		case "license":
			field.File = app.License
		case "letter":
			field.File = app.Letter
		case "category":
			field.Options = account.Categories()
		}
		v.Fields = append(v.Fields, field)
	}
	return View{Subtitle: "平台核对企业资料后，可以上架模板、绑定多个第三方平台", Body: a.render("application", v), Status: statusOf(problem)}, nil
}

// upload is what came with a multipart form.
type upload struct {
	values map[string]string
	files  map[string][]byte
	names  map[string]string // of the files
}

// readUpload takes the form from the guard's copy of the body, which is bounded.
func readUpload(ctx context.Context, r *http.Request) (upload, error) {
	u := upload{map[string]string{}, map[string][]byte{}, map[string]string{}}
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	v := visitOf(ctx)
	if err != nil || v == nil || params["boundary"] == "" {
		return u, fault.New(fault.Invalid, "bad_form", "提交的内容不完整，请刷新页面重试").Because(err)
	}
	parts := multipart.NewReader(bytes.NewReader(v.body), params["boundary"])
	for n := 0; n < 40; n++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return u, nil
		}
		if err != nil {
			return u, fault.New(fault.Invalid, "bad_form", "提交的内容不完整，请刷新页面重试").Because(err)
		}
		raw, err := io.ReadAll(part)
		if err != nil {
			return u, fault.New(fault.Invalid, "bad_form", "提交的内容不完整，请刷新页面重试").Because(err)
		}
		if part.FileName() == "" {
			u.values[part.FormName()] = string(raw)
		} else if len(raw) > 0 {
			u.files[part.FormName()], u.names[part.FormName()] = raw, part.FileName()
		}
	}
	return u, fault.New(fault.Invalid, "bad_form", "提交的内容太多，请刷新页面重试")
}

// saveApplication keeps what was typed and chosen, and hands it in when the button says so. What was typed stays on the
// screen whatever happens.
func (a *Admin) saveApplication(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	u, err := readUpload(ctx, r)
	if err != nil {
		return View{}, err
	}
	spaces, get := a.o.Services.Spaces, func(name string) string { return u.values[name] }
	form := account.ApplicationForm{
		Company: get("company"), CreditCode: get("credit_code"), LegalPerson: get("legal_person"), Contact: get("contact"), Phone: get("phone"), Email: get("email"), Category: get("category"),
	}
	version, err := strconv.Atoi(get("version"))
	if err != nil {
		version = -1
	}
	if _, err = spaces.SaveApplication(ctx, actor, form, version); err == nil {
		err = a.saveFiles(ctx, actor, u)
	}
	if err == nil && get("do") == "submit" {
		_, err = spaces.SubmitApplication(ctx, actor)
	}
	if err == nil {
		words := "草稿已保存"
		if get("do") == "submit" {
			words = "资料已提交，审核结果会通知你"
		}
		a.flash.put(actor, words)
		return View{Redirect: Prefix + "/application"}, nil
	}
	problem, err := problemOf(err)
	if err != nil {
		return View{}, err
	}
	app, err := spaces.Application(ctx, actor)
	if err != nil {
		return View{}, problem
	}
	app.ApplicationForm = form
	return a.applicationForm(ctx, actor, app, problem)
}

// saveFiles keeps the chosen files, the good ones too when another is refused.
func (a *Admin) saveFiles(ctx context.Context, actor account.Actor, u upload) error {
	bad := fault.InvalidInput()
	for _, which := range []string{"license", "letter"} {
		raw, chosen := u.files[which]
		if !chosen {
			continue
		}
		_, err := a.o.Services.Spaces.PutFile(ctx, actor, which, bytes.NewReader(raw))
		f := fault.From(err)
		switch {
		case err == nil:
		case f.Kind == fault.Invalid && len(f.Fields) > 0:
			bad.Fields = append(bad.Fields, f.Fields...)
		default:
			return err
		}
	}
	return bad.OrNil()
}

func (a *Admin) removeFile(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	if _, err := a.o.Services.Spaces.RemoveFile(ctx, actor, r.PathValue("which")); err != nil {
		return View{}, err
	}
	a.flash.put(actor, "文件已删除")
	return View{Redirect: Prefix + "/application"}, nil
}

func (a *Admin) ownFile(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	d, err := a.o.Services.Spaces.OwnFile(ctx, actor, r.PathValue("which"))
	return attachment(d), err
}

// attachment answers a stored file: an image tag may show it, a browser never opens it as a page of this site.
func attachment(d account.Download) View {
	h := http.Header{"Cache-Control": {"private, no-store"}, "Content-Disposition": {mime.FormatMediaType("attachment", map[string]string{"filename": d.Name})}}
	return View{Raw: &Raw{ContentType: d.ContentType, Header: h, Body: d.Body}}
}

type appliedRow struct {
	account.Applied
	Color, Label string
}

func (a *Admin) applicationsPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	q := r.URL.Query()
	v := struct {
		Rows         []appliedRow
		Total        int64
		Query, State string
		Next         string
		Filtered     bool
	}{Query: trimmed(q, querySearch), State: q.Get("state"), Filtered: len(keep(q)) > 0}
	cursor, err := strconv.ParseInt(q.Get(queryCursor), 10, 64)
	if err != nil {
		cursor = 0
	}
	page, err := a.o.Services.Spaces.Applications(ctx, actor, account.ApplicationFilter{State: v.State, Query: v.Query, Cursor: cursor})
	if err != nil {
		return View{}, err
	}
	v.Total = page.Total
	for _, one := range page.Items {
		row := appliedRow{Applied: one}
		row.Color, row.Label = applicationTag(one.State)
		v.Rows = append(v.Rows, row)
	}
	if page.Next != 0 {
		more := clone(q)
		more.Set(queryCursor, strconv.FormatInt(page.Next, 10))
		v.Next = Prefix + "/applications?" + more.Encode()
	}
	return View{Subtitle: "核对企业资料，逐项写明驳回原因", Body: a.render("applications", v)}, nil
}

// reviewField is one line of the review: what was handed in, and what it was before.
type reviewField struct {
	account.ApplicationField
	Value, Before, Typed, Error string
	File                        *account.File
	Image                       bool
	Href                        string
}

type reviewView struct {
	refusals
	Review       account.Review
	Last         account.Round
	Fields       []reviewField
	Color, Label string
	Waiting      bool
	Note         string
}

func (a *Admin) reviewPage(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	return a.reviewForm(ctx, actor, r, nil, nil)
}

func (a *Admin) reviewForm(ctx context.Context, actor account.Actor, r *http.Request, typed map[string]string, problem *fault.Error) (View, error) {
	rev, err := a.o.Services.Spaces.Review(ctx, actor, idIn(r))
	if err != nil {
		return View{}, err
	}
	v := reviewView{refusals: refusals{problem}, Review: rev, Last: rev.Last(), Waiting: rev.State == account.ApplicationSubmitted, Note: typed["note"]}
	v.Color, v.Label = applicationTag(rev.State)
	for _, f := range account.ApplicationFields() {
		line := reviewField{ApplicationField: f, Value: v.Last.Value(f.Name), Typed: typed[f.Name], Error: v.Error(f.Name)}
		if len(rev.Rounds) > 1 && !f.File && rev.Rounds[1].Value(f.Name) != line.Value {
			line.Before = rev.Rounds[1].Value(f.Name)
		}
		if line.File = v.Last.License; f.Name == "letter" {
			line.File = v.Last.Letter
		}
		if !f.File {
			line.File = nil
		}
		if line.File != nil {
			line.Image = line.File.ContentType != "application/pdf"
			line.Href = Prefix + "/applications/" + strconv.FormatInt(rev.ID, 10) + "/files/" + strconv.Itoa(v.Last.Round) + "/" + f.Name
		}
		v.Fields = append(v.Fields, line)
	}
	return View{Title: v.Last.Company, Trail: []Link{{"商户审核", Prefix + "/applications"}}, Body: a.render("review", v), Status: statusOf(problem)}, nil
}

func (a *Admin) decide(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	f := r.PostForm
	typed := map[string]string{"note": f.Get("note")}
	d := account.Decision{Round: int(number(f, "round")), Approve: f.Get("do") == "approve", Reasons: map[string]string{}, Note: f.Get("note")}
	for _, field := range account.ApplicationFields() {
		if why := f.Get("reason_" + field.Name); why != "" {
			d.Reasons[field.Name], typed[field.Name] = why, why
		}
	}
	err := a.o.Services.Spaces.Decide(ctx, actor, idIn(r), d)
	if err == nil {
		words := "已驳回，商户会看到每一项的原因"
		if d.Approve {
			words = "已通过，商户现在可以上架模板"
		}
		a.flash.put(actor, words)
		return View{Redirect: Prefix + "/applications"}, nil
	}
	problem, err := problemOf(err)
	if err != nil {
		return View{}, err
	}
	return a.reviewForm(ctx, actor, r, typed, problem)
}

func (a *Admin) reviewFile(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	round, err := strconv.Atoi(r.PathValue("round"))
	if err != nil {
		return View{}, fault.New(fault.NotFound, "file_not_found", "没有找到这个文件")
	}
	d, err := a.o.Services.Spaces.ReviewFile(ctx, actor, idIn(r), round, r.PathValue("which"))
	return attachment(d), err
}

// fieldTitle is the word for an input of the application.
func fieldTitle(name string) string {
	for _, f := range account.ApplicationFields() {
		if f.Name == name {
			return f.Title
		}
	}
	return name
}
