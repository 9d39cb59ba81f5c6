package admin

import (
	"context"
	"crypto/rand"
	"net/http"

	"minifleet/app/account"
	"minifleet/app/component"
	"minifleet/app/fault"
)

// bindView is the wizard's first two steps; what was typed stays through every answer.
type bindView struct {
	Step    int
	Binding component.Binding
	Problem *fault.Error
}

// Error is the reason why a field was refused, or nothing.
func (v bindView) Error(name string) string {
	if v.Problem == nil {
		return ""
	}
	for _, f := range v.Problem.Fields {
		if f.Name == name {
			return f.Message
		}
	}
	return ""
}

// General reports whether the problem belongs to no field of the form.
func (v bindView) General() bool { return v.Problem != nil && len(v.Problem.Fields) == 0 }

func (a *Admin) bindPage(_ context.Context, actor account.Actor, _ *http.Request) (View, error) {
	if !actor.Can("component.bind") {
		return View{}, fault.New(fault.Forbidden, "forbidden", "你没有绑定第三方平台的权限，请联系空间的所有者")
	}
	return a.bindForm(bindView{Step: 1}), nil
}

func (a *Admin) bindForm(v bindView) View {
	status := 0
	if v.Problem != nil {
		status = v.Problem.Kind.Status()
	}
	return View{Title: "绑定第三方平台", Trail: []Link{{"第三方平台", Prefix + "/components"}}, Body: a.render("bind", v), Status: status}
}

// bindStep moves through the wizard: next, back, generate, bind.
func (a *Admin) bindStep(ctx context.Context, actor account.Actor, r *http.Request) (View, error) {
	f := r.PostForm
	b := component.Binding{AppID: f.Get("appid"), Secret: f.Get("secret"), Name: f.Get("name"), Token: f.Get("token"), AESKey: f.Get("aes_key")}
	checked := b.Check()
	if first := fieldsOf(checked, "appid", "secret", "name"); first != nil {
		return a.bindForm(bindView{Step: 1, Binding: b, Problem: first}), nil
	}
	switch f.Get("do") {
	case "back":
		return a.bindForm(bindView{Step: 1, Binding: b}), nil
	case "generate":
		b.Token, b.AESKey = letters(32), letters(43)
		return a.bindForm(bindView{Step: 2, Binding: b}), nil
	case "bind":
		return a.bind(ctx, actor, b, checked)
	default:
		return a.bindForm(bindView{Step: 2, Binding: b}), nil
	}
}

func (a *Admin) bind(ctx context.Context, actor account.Actor, b component.Binding, checked error) (View, error) {
	if second := fieldsOf(checked, "token", "aes_key"); second != nil {
		return a.bindForm(bindView{Step: 2, Binding: b, Problem: second}), nil
	}
	c, err := a.o.Services.Components.Bind(ctx, actor, b)
	if err == nil {
		a.flash.put(actor, "已绑定，请把下面的地址填到微信开放平台")
		return View{Redirect: Prefix + "/components/" + c.AppID + "/setup"}, nil
	}
	problem := fault.From(err)
	if problem.Kind == fault.Internal {
		return View{}, err
	}
	step := 2
	if fieldsOf(err, "appid", "secret", "name") != nil {
		step = 1
	}
	return a.bindForm(bindView{Step: step, Binding: b, Problem: problem}), nil
}

// alphabet is what WeChat takes in a token and an AES key.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// letters makes n random letters and digits, each equally likely.
func letters(n int) string {
	out := make([]byte, 0, n)
	var buf [64]byte
	for len(out) < n {
		_, _ = rand.Read(buf[:]) // it never fails: it ends the process instead
		for _, b := range buf {
			if int(b) < 256/len(alphabet)*len(alphabet) && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}
