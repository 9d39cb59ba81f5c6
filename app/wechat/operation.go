package wechat

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
)

// ErrorFilter picks errors of the code that ran on phones (02 K). Every text is sent, "" where unused.
type ErrorFilter struct {
	AppVersion string `json:"appVersion"` // "0" all
	Type       string `json:"errType"`    // "0" all, "1" business, "2" plugin, "3" framework
	Start      string `json:"startTime"`  // yyyy-MM-dd
	End        string `json:"endTime"`    // yyyy-MM-dd
	Keyword    string `json:"keyword"`
	OpenID     string `json:"openid"`
	OrderBy    string `json:"orderby"` // uv or pv
	Order      string `json:"desc"`    // "1" falling, "2" rising
	Offset     int    `json:"offset"`
	Limit      int    `json:"limit"` // 30 at most
}

// CodeError is one kind of error with how often it struck.
type CodeError struct {
	MessageMD5 string `json:"errorMsgMd5"`
	Message    string `json:"errorMsg"`
	StackMD5   string `json:"errorStackMd5"`
	Stack      string `json:"errorStack"`
	UV         int64  `json:"uv"`
	PV         int64  `json:"pv"`
	UVPercent  string `json:"uvPercent"`
	PVPercent  string `json:"pvPercent"`
}

// CodeErrors is a page of kinds.
type CodeErrors struct {
	List  []CodeError `json:"data"`
	Total int64       `json:"totalCount"`
}

// CodeErrors lists the kinds of errors.
func (m MiniProgram) CodeErrors(ctx context.Context, f ErrorFilter) (CodeErrors, error) {
	return ask[CodeErrors](ctx, m, EndpointOperationJSErrors, nil, f)
}

// ErrorDetail picks the single errors of one kind. Every text is sent, "" or "0" where unused.
type ErrorDetail struct {
	Start         string `json:"startTime"` // yyyy-MM-dd
	End           string `json:"endTime"`   // yyyy-MM-dd
	MessageMD5    string `json:"errorMsgMd5"`
	StackMD5      string `json:"errorStackMd5"`
	AppVersion    string `json:"appVersion"`
	SDKVersion    string `json:"sdkVersion"`
	OS            string `json:"osName"` // "0" all, "1" Android, "2" iOS, "3" other
	ClientVersion string `json:"clientVersion"`
	OpenID        string `json:"openid"`
	Offset        int    `json:"offset"`
	Limit         int    `json:"limit"`
	Order         string `json:"desc"` // "0" rising, "1" falling: other values than in ErrorFilter
}

// ErrorCase is one error on one phone. The mixed capitals are WeChat's.
type ErrorCase struct {
	Count         string `json:"Count"`
	SDKVersion    string `json:"sdkVersion"`
	ClientVersion string `json:"ClientVersion"`
	StackMD5      string `json:"errorStackMd5"`
	At            int64  `json:"TimeStamp"` // unix seconds
	AppVersion    string `json:"appVersion"`
	MessageMD5    string `json:"errorMsgMd5"`
	Message       string `json:"errorMsg"`
	Stack         string `json:"errorStack"`
	Day           string `json:"Ds"`
	OS            string `json:"OsName"`
	OpenID        string `json:"openId"`
	PluginVersion string `json:"pluginversion"`
	AppID         string `json:"appId"`
	Device        string `json:"DeviceModel"`
	Source        string `json:"source"`
	Route         string `json:"route"`
	Uin           string `json:"Uin"`
	Nickname      string `json:"nickname"`
}

// ErrorCases is a page of single errors.
type ErrorCases struct {
	List  []ErrorCase `json:"data"`
	Total int64       `json:"totalCount"`
}

// ErrorCases lists the single errors of one kind. They name users: mask before showing.
func (m MiniProgram) ErrorCases(ctx context.Context, d ErrorDetail) (ErrorCases, error) {
	return ask[ErrorCases](ctx, m, EndpointOperationJSError, nil, d)
}

// AllDevices stands for no filter in a PerformanceQuery.
const AllDevices = "@_all"

// PerformanceQuery picks a figure: 1 启动总耗时, 2 下载, 3 初次渲染 (names unverified).
type PerformanceQuery struct {
	CostType   int    `json:"cost_time_type"`
	Start      int64  `json:"default_start_time"` // unix seconds
	End        int64  `json:"default_end_time"`   // unix seconds
	Device     string `json:"device"`             // AllDevices or one
	Network    string `json:"networktype"`
	Scene      string `json:"scene"`
	Downloaded string `json:"is_download_code"`
}

// PerformancePoint is one day of a figure.
type PerformancePoint struct {
	Date     string `json:"ref_date"`
	CostType int    `json:"cost_time_type"`
	Cost     int64  `json:"cost_time"` // milliseconds
}

// Performance is a figure over days, and what it is compared with.
type Performance struct {
	Points   []PerformancePoint
	Compared []PerformancePoint
}

// Performance reads a figure. WeChat puts the lists into texts that hold JSON.
func (m MiniProgram) Performance(ctx context.Context, q PerformanceQuery) (Performance, error) {
	out, err := ask[struct {
		Default string `json:"default_time_data"`
		Compare string `json:"compare_time_data"`
	}](ctx, m, EndpointOperationPerformance, nil, q)
	if err != nil {
		return Performance{}, err
	}
	var p Performance
	for text, list := range map[*string]*[]PerformancePoint{&out.Default: &p.Points, &out.Compare: &p.Compared} {
		if *text == "" {
			continue
		}
		var inner struct {
			List []PerformancePoint `json:"list"`
		}
		if err := decode([]byte(*text), &inner); err != nil {
			return Performance{}, fmt.Errorf("%s: %w", EndpointOperationPerformance, err)
		}
		*list = inner.List
	}
	return p, nil
}

// Scene is where users come from.
type Scene struct {
	Name  string `json:"name"`
	Value string `json:"value"` // a number or AllDevices
}

// Scenes lists the sources that Performance may be filtered by.
func (m MiniProgram) Scenes(ctx context.Context) ([]Scene, error) {
	out, err := ask[struct {
		List []Scene `json:"scene"`
	}](ctx, m, EndpointOperationScenes, nil, nil)
	return out.List, err
}

// ClientVersions are WeChat's versions on one system.
type ClientVersions struct {
	Type     int      `json:"type"` // 1 Android, 2 iOS (unverified)
	Versions []string `json:"client_version_list"`
}

// ClientVersions lists the versions that errors may be filtered by.
func (m MiniProgram) ClientVersions(ctx context.Context) ([]ClientVersions, error) {
	out, err := ask[struct {
		List []ClientVersions `json:"cvlist"`
	}](ctx, m, EndpointOperationClientVersions, nil, nil)
	return out.List, err
}

// LogQuery picks lines of the live log of one of the last 7 days.
type LogQuery struct {
	Date    string // yyyymmdd
	Begin   int64  // unix seconds
	End     int64  // unix seconds
	Start   int
	Limit   int
	TraceID string
	URL     string
	ID      string
	Filter  string
	Level   int // 2 Info, 4 Warn, 8 Error; 0 all
}

// LogEntry is what one page visit logged.
type LogEntry struct {
	Level          int       `json:"level"`
	LibraryVersion string    `json:"libraryVersion"`
	ClientVersion  string    `json:"clientVersion"`
	ID             string    `json:"id"`
	At             int64     `json:"timestamp"` // unix seconds
	Platform       int       `json:"platform"`
	URL            string    `json:"url"`
	Lines          []LogLine `json:"msg"`
	TraceID        string    `json:"traceid"`
	Filter         string    `json:"filterMsg"`
}

// LogLine is one line.
type LogLine struct {
	At    int64    `json:"time"` // unix milliseconds
	Texts []string `json:"msg"`
	Level int      `json:"level"`
}

// LogPage is a page of the live log.
type LogPage struct {
	List  []LogEntry `json:"list"`
	Total int64      `json:"total"`
}

// Logs reads the live log.
func (m MiniProgram) Logs(ctx context.Context, q LogQuery) (LogPage, error) {
	query := url.Values{
		"date": {q.Date}, "begintime": {strconv.FormatInt(q.Begin, 10)}, "endtime": {strconv.FormatInt(q.End, 10)},
		"start": {strconv.Itoa(q.Start)}, "limit": {strconv.Itoa(q.Limit)},
	}
	for name, value := range map[string]string{"traceId": q.TraceID, "url": q.URL, "id": q.ID, "filterMsg": q.Filter} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if q.Level != 0 {
		query.Set("level", strconv.Itoa(q.Level))
	}
	out, err := ask[struct {
		Data LogPage `json:"data"`
	}](ctx, m, EndpointOperationLogs, query, nil)
	return out.Data, err
}

// Feedback is what a user wrote. Type: 1 无法打开, 2 闪退, 3 卡顿, 4 黑屏白屏, 5 死机, 6 界面错位, 7 加载慢, 8 其他异常 (unverified).
type Feedback struct {
	ID        int64    `json:"record_id"`
	CreatedAt int64    `json:"create_time"` // unix seconds
	Content   string   `json:"content"`
	Phone     string   `json:"phone"`
	OpenID    string   `json:"openid"`
	Nickname  string   `json:"nickname"`
	HeadURL   string   `json:"head_url"`
	Type      int      `json:"type"`
	MediaIDs  []string `json:"mediaIds"`
	System    string   `json:"systemInfo"`
}

// FeedbackPage is a page of what users wrote.
type FeedbackPage struct {
	List  []Feedback `json:"list"`
	Total int64      `json:"total_num"`
}

// Feedback lists what users wrote; page counts from 1, kind 0 is all. It names users: mask before showing.
func (m MiniProgram) Feedback(ctx context.Context, kind, page, num int) (FeedbackPage, error) {
	query := url.Values{"page": {strconv.Itoa(page)}, "num": {strconv.Itoa(num)}}
	if kind != 0 {
		query.Set("type", strconv.Itoa(kind))
	}
	return ask[FeedbackPage](ctx, m, EndpointOperationFeedback, query, nil)
}

// FeedbackMedia downloads a picture of a Feedback.
func (m MiniProgram) FeedbackMedia(ctx context.Context, recordID int64, mediaID string) (Image, error) {
	return m.Fetch(ctx, EndpointOperationFeedbackMedia, url.Values{"record_id": {strconv.FormatInt(recordID, 10)}, "media_id": {mediaID}}, nil)
}
