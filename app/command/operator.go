package command

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"minifleet/app/account"
	"minifleet/app/clock"
	"minifleet/app/fault"
	"minifleet/app/trail"
)

// invite prints the one-time address at which an empty installation gets its first operator, and logs it once. With an
// operator it does nothing.
func (p *platform) invite(ctx context.Context, out io.Writer) error {
	token, err := p.operators.Invite(ctx)
	if err != nil || token == "" {
		return err
	}
	address := strings.TrimSuffix(p.cfg.Server.PublicURL, "/") + "/setup?token=" + url.QueryEscape(token)
	p.log.Warn("no operator yet: open the setup address within one hour", "setup", address)
	_, err = fmt.Fprintf(out, "\n尚未完成初始化。请在 1 小时内打开下面的初始化地址，创建第一个平台管理员：\n\n  %s\n\n", address)
	return err
}

const operatorUsage = "usage: minifleet operator add LOGIN [--name NAME] [--password-stdin] [--data DIR] [--config FILE]"

// operator adds an operator from the machine's own command line: the way back in when nobody can log in any more.
func operator(ctx context.Context, env Env) error {
	if len(env.Args) == 0 || env.Args[0] != "add" {
		return errors.New(operatorUsage)
	}
	f := newFlags(env, "operator add")
	name := f.set.String("name", "", "how others see the person")
	stdin := f.set.Bool("password-stdin", false, "read the password from standard input instead of making one")
	env.Args = env.Args[1:]
	login := ""
	if len(env.Args) > 0 && !strings.HasPrefix(env.Args[0], "-") {
		login, env.Args = env.Args[0], env.Args[1:]
	}
	cfg, err := f.load(env)
	if err != nil {
		return err
	}
	if login == "" {
		return errors.New(operatorUsage)
	}
	r := account.Registration{Login: login, Name: *name}
	if *stdin {
		line, err := bufio.NewReader(io.LimitReader(os.Stdin, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("password: %w", err)
		}
		r.Password = strings.TrimRight(line, "\r\n")
	}
	db, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	clk := clock.System()
	log := trail.New(db, clk)
	operators := account.NewOperators(db, log, account.New(db, clk, log))
	made, password, err := addOperator(ctx, operators, r, *stdin)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s 现在是平台管理员\n", made.Login)
	if err == nil && password != "" {
		_, err = fmt.Fprintf(env.Stdout, "密码 %s（只显示这一次，请登录后修改）\n", password)
	}
	return err
}

// addOperator gives a new account a random password, which is returned to be shown once. An account that exists keeps
// its own unless one was given.
func addOperator(ctx context.Context, operators *account.Operators, r account.Registration, given bool) (made account.Actor, password string, err error) {
	made, err = operators.Add(ctx, r)
	if f := fault.From(err); err != nil && !given && f.Kind == fault.Invalid && len(f.Fields) == 1 && f.Fields[0].Name == "password" {
		password = strings.ToLower(rand.Text()[:16])
		r.Password = password
		made, err = operators.Add(ctx, r)
	}
	if f := fault.From(err); err != nil && f.Kind == fault.Invalid {
		for _, field := range f.Fields {
			err = errors.Join(err, fmt.Errorf("%s: %s", field.Name, field.Message))
		}
	}
	return made, password, err
}
