package wechat

import "context"

// Span is the days that figures are asked for, as yyyymmdd; the newest possible day is yesterday (02 J).
type Span struct {
	Begin string `json:"begin_date"`
	End   string `json:"end_date"`
}

// Summary is one day in short.
type Summary struct {
	Date       string `json:"ref_date"`
	VisitTotal int64  `json:"visit_total"` // people who ever visited
	SharePV    int64  `json:"share_pv"`
	ShareUV    int64  `json:"share_uv"`
}

// Summary reads one day in short. Errors of all figures: 61500 date, 61501 span, 61502 mini game, 61503 not ready yet.
func (m MiniProgram) Summary(ctx context.Context, s Span) ([]Summary, error) {
	return figures[Summary](ctx, m, EndpointAnalysisSummary, s)
}

func figures[T any](ctx context.Context, m MiniProgram, endpoint string, s Span) ([]T, error) {
	out, err := ask[struct {
		List []T `json:"list"`
	}](ctx, m, endpoint, nil, s)
	return out.List, err
}

// Visits are the visits of a day, a week or a month. Date is yyyymmdd, yyyymmdd-yyyymmdd or yyyymm.
type Visits struct {
	Date            string  `json:"ref_date"`
	Sessions        int64   `json:"session_cnt"`
	PV              int64   `json:"visit_pv"`
	UV              int64   `json:"visit_uv"`
	NewUV           int64   `json:"visit_uv_new"`
	SecondsPerUser  float64 `json:"stay_time_uv"`
	SecondsPerVisit float64 `json:"stay_time_session"`
	PagesPerVisit   float64 `json:"visit_depth"`
}

// DailyVisits reads one day.
func (m MiniProgram) DailyVisits(ctx context.Context, s Span) ([]Visits, error) {
	return figures[Visits](ctx, m, EndpointAnalysisDailyVisits, s)
}

// WeeklyVisits reads one natural week, Monday to Sunday.
func (m MiniProgram) WeeklyVisits(ctx context.Context, s Span) ([]Visits, error) {
	return figures[Visits](ctx, m, EndpointAnalysisWeeklyVisits, s)
}

// MonthlyVisits reads one natural month, first to last day.
func (m MiniProgram) MonthlyVisits(ctx context.Context, s Span) ([]Visits, error) {
	return figures[Visits](ctx, m, EndpointAnalysisMonthlyVisits, s)
}

// Indices of a Distribution.
const (
	DistributionSource = "access_source_session_cnt" // keys 1–27; unknown ones are 其他
	DistributionStay   = "access_staytime_info"      // 1 0–2s, 2 3–5s, 3 6–10s, 4 11–20s, 5 20–30s, 6 30–50s, 7 50–100s, 8 over
	DistributionDepth  = "access_depth_info"         // 1–5 pages, 6 6–10 pages, 7 over
)

// Distribution is how the visits of a day fall on sources, lengths or depths.
type Distribution struct {
	Index string             `json:"index"` // Distribution…
	Items []DistributionItem `json:"item_list"`
}

// DistributionItem is one key of an index.
type DistributionItem struct {
	Key   int   `json:"key"`
	Value int64 `json:"value"`
	UV    int64 `json:"access_source_visit_uv"` // of sources only
}

// Distributions are the three indices of one day.
type Distributions struct {
	Date string         `json:"ref_date"`
	List []Distribution `json:"list"`
}

// Distributions reads one day.
func (m MiniProgram) Distributions(ctx context.Context, s Span) (Distributions, error) {
	return ask[Distributions](ctx, m, EndpointAnalysisDistribution, nil, s)
}

// Retained is how many of the first span's users came again Key spans later; Key 0 is the span itself.
type Retained struct {
	Key   int   `json:"key"`
	Value int64 `json:"value"`
}

// Retention is how many new and active users came again.
type Retention struct {
	Date   string     `json:"ref_date"`
	New    []Retained `json:"visit_uv_new"`
	Active []Retained `json:"visit_uv"`
}

// DailyRetention reads one day: keys 0–7, 14 and 30.
func (m MiniProgram) DailyRetention(ctx context.Context, s Span) (Retention, error) {
	return ask[Retention](ctx, m, EndpointAnalysisDailyRetention, nil, s)
}

// WeeklyRetention reads one natural week: keys 0–4.
func (m MiniProgram) WeeklyRetention(ctx context.Context, s Span) (Retention, error) {
	return ask[Retention](ctx, m, EndpointAnalysisWeeklyRetention, nil, s)
}

// MonthlyRetention reads one natural month: keys 0 and 1.
func (m MiniProgram) MonthlyRetention(ctx context.Context, s Span) (Retention, error) {
	return ask[Retention](ctx, m, EndpointAnalysisMonthlyRetention, nil, s)
}

// VisitedPage is one of the 200 most visited pages of a day.
type VisitedPage struct {
	Path    string  `json:"page_path"`
	PV      int64   `json:"page_visit_pv"`
	UV      int64   `json:"page_visit_uv"`
	Seconds float64 `json:"page_staytime_pv"` // per visit
	Entries int64   `json:"entrypage_pv"`
	Exits   int64   `json:"exitpage_pv"`
	SharePV int64   `json:"page_share_pv"`
	ShareUV int64   `json:"page_share_uv"`
}

// VisitedPages are the most visited pages of one day.
type VisitedPages struct {
	Date string        `json:"ref_date"`
	List []VisitedPage `json:"list"`
}

// VisitedPages reads one day.
func (m MiniProgram) VisitedPages(ctx context.Context, s Span) (VisitedPages, error) {
	return ask[VisitedPages](ctx, m, EndpointAnalysisPages, nil, s)
}

// Share is how many users are of one kind; devices have no ID.
type Share struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Portrait is who the users are.
type Portrait struct {
	Provinces []Share `json:"province"`
	Cities    []Share `json:"city"`
	Genders   []Share `json:"genders"`
	Platforms []Share `json:"platforms"`
	Devices   []Share `json:"devices"`
	Ages      []Share `json:"ages"`
}

// Portraits are the new and the active users of a span.
type Portraits struct {
	Date   string   `json:"ref_date"`
	New    Portrait `json:"visit_uv_new"`
	Active Portrait `json:"visit_uv"`
}

// Portraits reads 1, 7 or 30 days.
func (m MiniProgram) Portraits(ctx context.Context, s Span) (Portraits, error) {
	return ask[Portraits](ctx, m, EndpointAnalysisPortrait, nil, s)
}
