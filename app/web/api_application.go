package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/gogf/gf/v2/frame/g"

	"minifleet/app/account"
	"minifleet/app/fault"
)

type getApplicationIn struct {
	g.Meta `path:"/applications/mine" method:"get" tags:"商户入驻" summary:"我的入驻资料和驳回原因"`
}

func (s *Server) getApplication(ctx context.Context, _ *getApplicationIn) (*account.Application, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.o.Spaces.Application(ctx, who)
	return &a, err
}

type saveApplicationIn struct {
	g.Meta      `path:"/applications/mine" method:"put" tags:"商户入驻" summary:"保存入驻资料草稿，可以不完整"`
	Company     string `json:"company"`
	CreditCode  string `json:"credit_code"`
	LegalPerson string `json:"legal_person"`
	Contact     string `json:"contact"`
	Phone       string `json:"phone"`
	Email       string `json:"email"`
	Category    string `json:"category"`
	Version     *int   `json:"version"`
}

func (*saveApplicationIn) unrepeatable() {}

func (s *Server) saveApplication(ctx context.Context, in *saveApplicationIn) (*account.Application, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	version := -1
	if in.Version != nil {
		version = *in.Version
	}
	a, err := s.o.Spaces.SaveApplication(ctx, who, account.ApplicationForm{
		Company: in.Company, CreditCode: in.CreditCode, LegalPerson: in.LegalPerson, Contact: in.Contact, Phone: in.Phone, Email: in.Email, Category: in.Category,
	}, version)
	return &a, err
}

type submitApplicationIn struct {
	g.Meta `path:"/applications/mine/submit" method:"post" tags:"商户入驻" summary:"提交审核"`
}

func (*submitApplicationIn) unrepeatable() {}

func (s *Server) submitApplication(ctx context.Context, _ *submitApplicationIn) (*account.Application, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.o.Spaces.SubmitApplication(ctx, who)
	return &a, err
}

type removeApplicationFileIn struct {
	g.Meta `path:"/applications/mine/files/{which}" method:"delete" tags:"商户入驻" summary:"删除上传的文件"`
	Which  string `json:"which" in:"path"`
}

func (*removeApplicationFileIn) unrepeatable() {}

func (s *Server) removeApplicationFile(ctx context.Context, in *removeApplicationFileIn) (*account.Application, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.o.Spaces.RemoveFile(ctx, who, in.Which)
	return &a, err
}

type listApplicationsIn struct {
	g.Meta `path:"/applications" method:"get" tags:"商户入驻" summary:"商户审核列表，个人信息打码"`
	State  string `json:"state" in:"query"`
	Query  string `json:"q" in:"query"`
	Cursor string `json:"cursor" in:"query"`
	Limit  int    `json:"limit" in:"query"`
}

func (s *Server) listApplications(ctx context.Context, in *listApplicationsIn) (*list[account.Applied], error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	cursor, err := parseCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	p, err := s.o.Spaces.Applications(ctx, who, account.ApplicationFilter{State: in.State, Query: in.Query, Cursor: cursor, Limit: in.Limit})
	return listOf(p.Items, strconv.FormatInt(p.Next, 10), p.Total), err
}

type getReviewIn struct {
	g.Meta `path:"/applications/{id}" method:"get" tags:"商户入驻" summary:"一份入驻资料和它的历次提交"`
	ID     int64 `json:"id" in:"path"`
}

func (s *Server) getReview(ctx context.Context, in *getReviewIn) (*account.Review, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	r, err := s.o.Spaces.Review(ctx, who, in.ID)
	return &r, err
}

type approveApplicationIn struct {
	g.Meta `path:"/applications/{id}/approve" method:"post" tags:"商户入驻" summary:"通过"`
	ID     int64  `json:"id" in:"path"`
	Round  int    `json:"round"`
	Note   string `json:"note"`
}

func (s *Server) approveApplication(ctx context.Context, in *approveApplicationIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Spaces.Decide(ctx, who, in.ID, account.Decision{Round: in.Round, Approve: true, Note: in.Note})
}

type rejectApplicationIn struct {
	g.Meta  `path:"/applications/{id}/reject" method:"post" tags:"商户入驻" summary:"驳回，写明每一项的原因"`
	ID      int64             `json:"id" in:"path"`
	Round   int               `json:"round"`
	Reasons map[string]string `json:"reasons"`
	Note    string            `json:"note"`
}

func (s *Server) rejectApplication(ctx context.Context, in *rejectApplicationIn) (*emptyOut, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	return &emptyOut{}, s.o.Spaces.Decide(ctx, who, in.ID, account.Decision{Round: in.Round, Reasons: in.Reasons, Note: in.Note})
}

type putApplicationFileIn struct {
	g.Meta `path:"/applications/mine/files/{which}" method:"put" tags:"商户入驻" summary:"上传营业执照（license）或授权书（letter）：请求体就是文件，或 multipart 的 file 字段，最大 5 MB"`
	Which  string `json:"which" in:"path"`
	body   io.Reader
}

func (*putApplicationFileIn) unrepeatable() {}

func (in *putApplicationFileIn) take(r *http.Request) error {
	_, body, err := uploadBody(r, account.MaxQualification)
	if err != nil {
		return fault.InvalidInput().On("file", "请选择要上传的文件").Because(err)
	}
	in.body = body
	return nil
}

func (s *Server) putApplicationFile(ctx context.Context, in *putApplicationFileIn) (*account.Application, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	a, err := s.o.Spaces.PutFile(ctx, who, in.Which, in.body)
	return &a, err
}

type applicationFileIn struct {
	g.Meta `path:"/applications/mine/files/{which}" method:"get" tags:"商户入驻" summary:"下载自己上传的文件"`
	Which  string `json:"which" in:"path"`
}

func (*applicationFileIn) streamed() {}

func (s *Server) applicationFile(ctx context.Context, in *applicationFileIn) (*download, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.o.Spaces.OwnFile(ctx, who, in.Which)
	return uploaded(d), err
}

type reviewFileIn struct {
	g.Meta `path:"/applications/{id}/rounds/{round}/files/{which}" method:"get" tags:"商户入驻" summary:"下载某次提交的文件"`
	ID     int64  `json:"id" in:"path"`
	Round  int    `json:"round" in:"path"`
	Which  string `json:"which" in:"path"`
}

func (*reviewFileIn) streamed() {}

func (s *Server) reviewFile(ctx context.Context, in *reviewFileIn) (*download, error) {
	who, err := must(ctx)
	if err != nil {
		return nil, err
	}
	d, err := s.o.Spaces.ReviewFile(ctx, who, in.ID, in.Round, in.Which)
	return uploaded(d), err
}

func uploaded(d account.Download) *download {
	return &download{d.Name, d.ContentType, int64(len(d.Body)), io.NopCloser(bytes.NewReader(d.Body))}
}
