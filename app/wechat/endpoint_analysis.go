package wechat

// Endpoint names of datacube (02 J).
const (
	EndpointAnalysisSummary          = "analysis.summary"
	EndpointAnalysisDailyVisits      = "analysis.daily_visits"
	EndpointAnalysisWeeklyVisits     = "analysis.weekly_visits"
	EndpointAnalysisMonthlyVisits    = "analysis.monthly_visits"
	EndpointAnalysisDistribution     = "analysis.distribution"
	EndpointAnalysisDailyRetention   = "analysis.daily_retention"
	EndpointAnalysisWeeklyRetention  = "analysis.weekly_retention"
	EndpointAnalysisMonthlyRetention = "analysis.monthly_retention"
	EndpointAnalysisPages            = "analysis.pages"
	EndpointAnalysisPortrait         = "analysis.portrait"
)

// analysisEndpoints are the rows of datacube (02 J).
func analysisEndpoints() []Endpoint {
	return []Endpoint{
		{Name: EndpointAnalysisSummary, Title: "概况", Path: "/datacube/getweanalysisappiddailysummarytrend", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAnalysisDailyVisits, Title: "日访问趋势", Path: "/datacube/getweanalysisappiddailyvisittrend", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAnalysisWeeklyVisits, Title: "周访问趋势", Path: "/datacube/getweanalysisappidweeklyvisittrend", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAnalysisMonthlyVisits, Title: "月访问趋势", Path: "/datacube/getweanalysisappidmonthlyvisittrend", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAnalysisDistribution, Title: "访问分布", Path: "/datacube/getweanalysisappidvisitdistribution", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAnalysisDailyRetention, Title: "日留存", Path: "/datacube/getweanalysisappiddailyretaininfo", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAnalysisWeeklyRetention, Title: "周留存", Path: "/datacube/getweanalysisappidweeklyretaininfo", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAnalysisMonthlyRetention, Title: "月留存", Path: "/datacube/getweanalysisappidmonthlyretaininfo", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAnalysisPages, Title: "访问页面", Path: "/datacube/getweanalysisappidvisitpage", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
		{Name: EndpointAnalysisPortrait, Title: "用户画像", Path: "/datacube/getweanalysisappiduserportrait", Method: post, Token: authorize, Scope: "data.read", Set: setCode, ReadOnly: true},
	}
}
