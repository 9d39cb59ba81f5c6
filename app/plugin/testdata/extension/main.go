// Command extension is the third-party plugin of the tests: small, built once, and told at its end (bytes behind the
// program itself) what to call itself and what to ask for. It is hostile on demand.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"minifleet/app/wechat"
	"minifleet/plugins/sdk"
)

// shape is the trailer.
type shape struct {
	ID, Version               string
	WeChat, Core, Calls       []string
	Hosts, Events, Collection []string
	Crash                     bool
}

// readShape finds the trailer: JSON, its length in 8 digits, and the mark.
func readShape() (s shape, err error) {
	file, err := os.Open("/proc/self/exe")
	if err != nil {
		return s, err
	}
	end, err := file.Seek(-16, io.SeekEnd)
	if err != nil {
		return s, err
	}
	tail := make([]byte, 16)
	if _, err := io.ReadFull(file, tail); err != nil {
		return s, err
	}
	size, err := strconv.ParseInt(string(tail[:8]), 10, 64)
	if err != nil || string(tail[8:]) != "EXTENDED" {
		return s, fmt.Errorf("no trailer: %q", tail)
	}
	raw := make([]byte, size)
	if _, err := file.ReadAt(raw, end-size); err != nil {
		return s, err
	}
	return s, json.Unmarshal(raw, &s)
}

type command struct {
	Do   string `json:"do"`
	What string `json:"what"`
}

type outcome struct {
	Text string   `json:"text"`
	List []string `json:"list"`
	Num  int64    `json:"num,string"`
}

type memo struct {
	sdk.Row
	Text string `json:"text" col:"text,内容,text,list"`
}

func main() {
	s, err := readShape()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if s.Crash {
		os.Exit(3)
	}
	p := sdk.New(s.ID, "扩展", s.Version)
	p.Asks(sdk.ToWeChat(s.WeChat...), sdk.ToCore(s.Core...), sdk.ToCall(s.Calls...), sdk.ToHosts(s.Hosts...))
	for _, name := range s.Collection {
		sdk.Collect[memo](p, name, sdk.Visible{Kind: sdk.Space})
	}
	for _, kind := range s.Events {
		p.On(kind, func(context.Context, sdk.Event) error { return nil })
	}
	p.API("POST /do", sdk.JSON(do), sdk.PublicAccess())
	sdk.Serve(p)
}

func do(ctx context.Context, in command) (outcome, error) {
	switch in.Do {
	case "who":
		here, err := os.Getwd()
		return outcome{Text: fmt.Sprint(os.Getuid(), " ", os.Getgid(), " ", here), List: os.Environ(), Num: int64(os.Getpid())}, err
	case "audit":
		_, _, err := wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: in.What}.LatestAudit(ctx)
		return outcome{}, err
	case "release":
		return outcome{}, wechat.MiniProgram{Transport: sdk.WeChat(ctx), AppID: in.What}.Release(ctx)
	case "miniprograms":
		page, err := sdk.MiniPrograms(ctx, sdk.Query{})
		return outcome{Num: int64(len(page.Items))}, err
	case "spaces":
		_, err := sdk.Spaces(ctx, 11)
		return outcome{}, err
	case "authorize":
		_, err := sdk.Authorize(ctx, sdk.AuthorizeRequest{Component: "wxc", ReturnTo: "/x"})
		return outcome{}, err
	case "can":
		_, err := sdk.Can(ctx, "miniprogram.read")
		return outcome{}, err
	case "call":
		return outcome{}, sdk.Call(ctx, in.What, map[string]string{}, nil)
	}
	return attack(in)
}

// attack tries what an extension must not be able to do, and tells what it got.
func attack(in command) (outcome, error) {
	switch in.Do {
	case "read":
		raw, err := os.ReadFile(in.What)
		if err != nil {
			return outcome{Text: "refused: " + err.Error()}, nil
		}
		return outcome{Text: "read", Num: int64(len(raw))}, nil
	case "list":
		found, err := filepath.Glob(in.What)
		return outcome{List: found}, err
	case "write":
		if err := os.WriteFile(in.What, []byte("x"), 0o600); err != nil {
			return outcome{Text: "refused: " + err.Error()}, nil
		}
		return outcome{Text: "written"}, nil
	case "kill":
		pid, err := strconv.Atoi(in.What)
		if err != nil {
			return outcome{}, err
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return outcome{Text: "refused: " + err.Error()}, nil
		}
		return outcome{Text: "killed"}, nil
	case "descriptors":
		return descriptors()
	case "fork": // a child of its own session that outlives its parent
		child := exec.Command("/bin/sleep", "300")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			return outcome{}, err
		}
		return outcome{Num: int64(child.Process.Pid)}, nil
	case "flood": // as many children as the system gives
		n := 0
		for range 2000 {
			if exec.Command("/bin/sleep", "300").Start() != nil {
				break
			}
			n++
		}
		return outcome{Num: int64(n)}, nil
	}
	return outcome{}, sdk.Fail("extension.do", "不认识的操作")
}

// descriptors lists what the process has open.
func descriptors() (outcome, error) {
	links, err := filepath.Glob("/proc/self/fd/*")
	var open []string
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && strings.HasPrefix(to, "/") {
			open = append(open, to)
		}
	}
	slices.Sort(open)
	return outcome{List: open}, err
}
