package portal

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"minifleet/app/account"
	"minifleet/app/transfer"
)

// Transfers is what the portal asks of the room that carries lists out; transfer.Service is one.
type Transfers interface {
	Start(ctx context.Context, who account.Actor, r transfer.Request) (*transfer.File, transfer.Export, error)
	Exports(ctx context.Context, who account.Actor, before int64, limit int) (list []transfer.Export, next int64, err error)
	Cancel(ctx context.Context, who account.Actor, id int64) error
	Delete(ctx context.Context, who account.Actor, id int64) error
}

func (p *Portal) exportRoutes(member func(pattern string, handle handler)) {
	member("GET /my/exports", p.personal("/admin/exports", p.exports))
	member("POST /my/exports", p.startExport)
	member("POST /my/exports/{id}/cancel", p.endExport(Transfers.Cancel, "已取消导出"))
	member("POST /my/exports/{id}/delete", p.endExport(Transfers.Delete, "已删除导出和文件"))
}

type exportLine struct {
	transfer.Export
	Tag     label
	Expired bool
}

type exportsView struct {
	Rows        []exportLine
	First, Next string
	Members     string // why the list of members cannot be exported, empty when it can
	Busy        bool
}

func exportTag(e transfer.Export, expired bool) label {
	switch {
	case expired:
		return label{"已过期", "grey"}
	case e.State == transfer.Waiting:
		return label{"排队中", "grey"}
	case e.State == transfer.Running:
		return label{"处理中", "blue"}
	case e.State == transfer.Done:
		return label{"已完成", "green"}
	case e.State == transfer.Failed:
		return label{"失败", "red"}
	default:
		return label{"已取消", "grey"}
	}
}

// exports lists the person's files of the space and offers its lists as new ones.
func (p *Portal) exports(w http.ResponseWriter, r *http.Request, v *visit) error {
	cursor, err := cursorOf(r)
	if err != nil {
		return err
	}
	list, next, err := p.o.Transfers.Exports(r.Context(), v.actor, cursor, pageSize)
	if err != nil {
		return err
	}
	view := exportsView{Members: why(account.Require(v.actor, "space.member.read"))}
	now := p.o.Clock.Now().UnixMilli()
	for _, e := range list {
		expired := e.State == transfer.Done && e.ExpiresAt <= now
		view.Rows, view.Busy = append(view.Rows, exportLine{e, exportTag(e, expired), expired}), view.Busy || !e.Ended()
	}
	if cursor > 0 {
		view.First = "/my/exports"
	}
	if next > 0 {
		view.Next = "/my/exports?cursor=" + strconv.FormatInt(next, 10)
	}
	return p.show(w, r, v, "exports", view, page{Title: "导出文件", Subtitle: "只有你自己能看到和下载；文件保留 24 小时。", Width: "mid"})
}

// startExport answers with the file itself when the list is short.
func (p *Portal) startExport(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(w, r); err != nil {
		return err
	}
	q := url.Values{}
	if text := searchWords(r.PostForm.Get("q")); text != "" {
		q.Set("q", text)
	}
	file, _, err := p.o.Transfers.Start(r.Context(), v.actor, transfer.Request{List: r.PostForm.Get("list"), Format: r.PostForm.Get("format"), Query: transfer.Query{Values: q}})
	if err != nil {
		return err
	}
	if file == nil {
		p.putFlash(w, "数据较多，正在后台导出，完成后可以在这里下载")
		redirect(w, r, "/my/exports")
		return nil
	}
	h := w.Header()
	h.Set("Content-Type", file.ContentType)
	h.Set("Content-Disposition", transfer.Disposition(file.Name))
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(file.Content) // the reader may be gone
	return nil
}

func (p *Portal) endExport(end func(Transfers, context.Context, account.Actor, int64) error, words string) handler {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		id, err := idOf(r)
		if err != nil {
			return err
		}
		if err := end(p.o.Transfers, r.Context(), v.actor, id); err != nil {
			return err
		}
		p.putFlash(w, words)
		redirect(w, r, "/my/exports")
		return nil
	}
}
