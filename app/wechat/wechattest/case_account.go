package wechattest

import (
	"strconv"

	"minifleet/app/wechat"
)

func accountCases() map[string]Case {
	type fetch struct {
		Action           string `json:"action"`
		PreFetch         bool   `json:"is_pre_fetch_open"`
		PreFetchType     int    `json:"pre_fetch_type"`
		PreFetchURL      string `json:"pre_fetch_url"`
		PreFetchEnv      string `json:"pre_env"`
		PreFetchFunction string `json:"pre_function_name"`
		Periodic         bool   `json:"is_period_fetch_open"`
		PeriodicType     int    `json:"period_fetch_type"`
		PeriodicURL      string `json:"period_fetch_url"`
		PeriodicEnv      string `json:"period_env"`
		PeriodicFunction string `json:"period_function_name"`
	}
	return map[string]Case{
		wechat.EndpointBasicInfo: plain(wechat.MiniProgram.BasicInfo),
		wechat.EndpointAccountCheckNickname: app(func(c ctx, m wechat.MiniProgram, in struct {
			Name string `json:"nick_name"`
		}) (any, error) {
			return m.CheckNickname(c, in.Name)
		}),
		wechat.EndpointAccountSetNickname: app(func(c ctx, m wechat.MiniProgram, in wechat.Nickname) (any, error) { return m.SetNickname(c, in) }),
		wechat.EndpointAccountQueryNickname: app(func(c ctx, m wechat.MiniProgram, in struct {
			ID int64 `json:"audit_id"`
		}) (any, error) {
			return m.NicknameAudit(c, in.ID)
		}),
		wechat.EndpointAccountModifyHeadImage: app(func(c ctx, m wechat.MiniProgram, in wechat.HeadImage) (any, error) {
			return done(m.SetHeadImage(c, in))
		}),
		wechat.EndpointAccountModifySignature: app(func(c ctx, m wechat.MiniProgram, in struct {
			Text string `json:"signature"`
		}) (any, error) {
			return done(m.SetSignature(c, in.Text))
		}),
		wechat.EndpointAccountRebindAdmin: app(func(c ctx, m wechat.MiniProgram, in struct {
			ID string `json:"taskid"`
		}) (any, error) {
			return done(m.RebindAdmin(c, in.ID))
		}),
		wechat.EndpointAccountSearchStatus: plain(wechat.MiniProgram.Searchable),
		wechat.EndpointAccountChangeSearchStatus: app(func(c ctx, m wechat.MiniProgram, in struct {
			Status int `json:"status"`
		}) (any, error) {
			return done(m.SetSearchable(c, in.Status == 0))
		}),
		wechat.EndpointAccountDataSetting: app(func(c ctx, m wechat.MiniProgram, _ fetch) (any, error) { return m.DataSetting(c) }),
		wechat.EndpointAccountSetDataSetting: app(func(c ctx, m wechat.MiniProgram, in fetch) (any, error) {
			if in.Action == "set_period_fetch" {
				return done(m.SetPeriodicFetch(c, wechat.DataFetch{Open: in.Periodic, Type: in.PeriodicType, URL: in.PeriodicURL, Env: in.PeriodicEnv, Function: in.PeriodicFunction}))
			}
			return done(m.SetPreFetch(c, wechat.DataFetch{Open: in.PreFetch, Type: in.PreFetchType, URL: in.PreFetchURL, Env: in.PreFetchEnv, Function: in.PreFetchFunction}))
		}),
		wechat.EndpointAccountShowCandidates: app(func(c ctx, m wechat.MiniProgram, in struct {
			Page int `json:"page,string"`
			Num  int `json:"num,string"`
		}) (any, error) {
			return m.ShowCandidates(c, in.Page, in.Num)
		}),
		wechat.EndpointAccountShowItem: plain(wechat.MiniProgram.ShowItem),
		wechat.EndpointAccountUpdateShowItem: app(func(c ctx, m wechat.MiniProgram, in struct {
			Flag  int    `json:"wxa_subscribe_biz_flag"`
			AppID string `json:"appid"`
		}) (any, error) {
			return done(m.SetShowItem(c, in.AppID))
		}),
		wechat.EndpointCategoryAll: plain(wechat.MiniProgram.AllCategories),
		wechat.EndpointCategoryByType: app(func(c ctx, m wechat.MiniProgram, in struct {
			Type int `json:"verify_type"`
		}) (any, error) {
			return m.CategoriesByType(c, in.Type)
		}),
		wechat.EndpointCategoryList: plain(wechat.MiniProgram.ConfiguredCategories),
		wechat.EndpointCategoryAdd: app(func(c ctx, m wechat.MiniProgram, in struct {
			List []wechat.NewCategory `json:"categories"`
		}) (any, error) {
			return done(m.AddCategories(c, in.List))
		}),
		wechat.EndpointCategoryDelete: app(func(c ctx, m wechat.MiniProgram, in wechat.NewCategory) (any, error) {
			return done(m.DeleteCategory(c, in.First, in.Second))
		}),
		wechat.EndpointCategoryModify: app(func(c ctx, m wechat.MiniProgram, in wechat.NewCategory) (any, error) {
			return done(m.ModifyCategory(c, in))
		}),
		wechat.EndpointPrivacySet: app(func(c ctx, m wechat.MiniProgram, in wechat.PrivacySetting) (any, error) {
			return done(m.SetPrivacy(c, in))
		}),
		wechat.EndpointPrivacyGet: app(func(c ctx, m wechat.MiniProgram, in struct {
			Version int `json:"privacy_ver"`
		}) (any, error) {
			return m.Privacy(c, in.Version)
		}),
		wechat.EndpointPrivacyUploadFile: func(c ctx, by Callers, g Golden) (any, error) { return by.App.UploadPrivacyFile(c, upload(g)) },
		wechat.EndpointPrivacyInterfaces: plain(wechat.MiniProgram.PrivacyInterfaces),
		wechat.EndpointPrivacyApplyInterface: app(func(c ctx, m wechat.MiniProgram, in wechat.InterfaceApplication) (any, error) {
			return m.ApplyInterface(c, in)
		}),
	}
}

func certifyCases() map[string]Case {
	type data struct {
		Data wechat.Certification `json:"auth_data"`
	}
	return map[string]Case{
		wechat.EndpointCertifyIdentityTree: plain(wechat.MiniProgram.IdentityTree),
		wechat.EndpointCertifyUpload:       func(c ctx, by Callers, g Golden) (any, error) { return by.App.UploadCertification(c, upload(g)) },
		wechat.EndpointCertifySubmit:       app(func(c ctx, m wechat.MiniProgram, in data) (any, error) { return m.SubmitCertification(c, in.Data) }),
		wechat.EndpointCertifyResubmit:     app(func(c ctx, m wechat.MiniProgram, in data) (any, error) { return m.ResubmitCertification(c, in.Data) }),
		wechat.EndpointCertifyQuery: app(func(c ctx, m wechat.MiniProgram, in struct {
			ID string `json:"taskid"`
		}) (any, error) {
			return m.Certification(c, in.ID)
		}),
		wechat.EndpointCertifySubmitWithICP: app(func(c ctx, m wechat.MiniProgram, in wechat.CertificationAndFiling) (any, error) {
			return m.SubmitCertificationAndFiling(c, in)
		}),
		wechat.EndpointCertifyQueryWithICP: app(func(c ctx, m wechat.MiniProgram, in struct {
			ID string `json:"procedure_id"`
		}) (any, error) {
			return m.Procedure(c, in.ID)
		}),
	}
}

func icpCases() map[string]Case {
	type task struct {
		ID string `json:"task_id"`
	}
	return map[string]Case{
		wechat.EndpointICPEntrance: plain(wechat.MiniProgram.FilingEntrance),
		wechat.EndpointICPCreateVerify: app(func(c ctx, m wechat.MiniProgram, in struct {
			With bool `json:"along_with_auth"`
		}) (any, error) {
			return m.CreateFilingVerification(c, in.With)
		}),
		wechat.EndpointICPQueryVerify: app(func(c ctx, m wechat.MiniProgram, in task) (any, error) { return m.FilingVerification(c, in.ID) }),
		wechat.EndpointICPUploadMedia: func(c ctx, by Callers, g Golden) (any, error) {
			params, err := in[wechat.FilingUpload](g)
			if err != nil {
				return nil, err
			}
			return by.App.UploadFilingMedia(c, params, upload(g))
		},
		wechat.EndpointICPMedia: app(func(c ctx, m wechat.MiniProgram, in struct {
			ID string `json:"media_id"`
		}) (any, error) {
			return m.FilingMedia(c, in.ID)
		}),
		wechat.EndpointICPApply:       app(func(c ctx, m wechat.MiniProgram, in wechat.Filing) (any, error) { return m.ApplyFiling(c, in) }),
		wechat.EndpointICPCancelApply: app(func(c ctx, m wechat.MiniProgram, _ none) (any, error) { return done(m.CancelFilingApplication(c)) }),
		wechat.EndpointICPCancel: app(func(c ctx, m wechat.MiniProgram, in struct {
			What int `json:"cancel_type"`
		}) (any, error) {
			return done(m.CancelFiling(c, in.What))
		}),
		wechat.EndpointICPOnline:           plain(wechat.MiniProgram.OnlineFiling),
		wechat.EndpointICPContentTypes:     plain(wechat.MiniProgram.FilingContentTypes),
		wechat.EndpointICPCertificateTypes: plain(wechat.MiniProgram.FilingCertificateTypes),
		wechat.EndpointICPDistricts:        plain(wechat.MiniProgram.FilingDistricts),
		wechat.EndpointICPNrlxTypes:        plain(wechat.MiniProgram.FilingApprovalTypes),
		wechat.EndpointICPSubjectTypes:     plain(wechat.MiniProgram.FilingSubjectTypes),
	}
}

func otherCases() map[string]Case {
	type media struct {
		ID string `json:"media_id"`
	}
	return map[string]Case{
		wechat.EndpointPluginList: app(func(c ctx, m wechat.MiniProgram, _ plugin) (any, error) { return m.Plugins(c) }),
		wechat.EndpointPluginApply: app(func(c ctx, m wechat.MiniProgram, in plugin) (any, error) {
			return done(m.ApplyPlugin(c, in.AppID, in.Reason))
		}),
		wechat.EndpointPluginUnbind: app(func(c ctx, m wechat.MiniProgram, in plugin) (any, error) { return done(m.UnbindPlugin(c, in.AppID)) }),
		wechat.EndpointPluginUpdate: app(func(c ctx, m wechat.MiniProgram, in plugin) (any, error) {
			return done(m.UpdatePlugin(c, in.AppID, in.Version))
		}),
		wechat.EndpointViolationList: app(func(c ctx, m wechat.MiniProgram, in struct {
			Start int64 `json:"start_time"`
			End   int64 `json:"end_time"`
		}) (any, error) {
			return m.Violations(c, in.Start, in.End)
		}),
		wechat.EndpointViolationAppeals: app(func(c ctx, m wechat.MiniProgram, in struct {
			ID string `json:"illegal_record_id"`
		}) (any, error) {
			return m.Appeals(c, in.ID)
		}),
		wechat.EndpointMediaUpload: func(c ctx, by Callers, g Golden) (any, error) {
			return by.App.UploadTemporary(c, g.Query["type"], upload(g))
		},
		wechat.EndpointMediaGet:      app(func(c ctx, m wechat.MiniProgram, in media) (any, error) { return m.Temporary(c, in.ID) }),
		wechat.EndpointMediaMaterial: app(func(c ctx, m wechat.MiniProgram, in media) (any, error) { return m.Material(c, in.ID) }),
		wechat.EndpointServiceSend: app(func(c ctx, m wechat.MiniProgram, in struct {
			To   string `json:"touser"`
			Type string `json:"msgtype"`
			Text struct {
				Content string `json:"content"`
			} `json:"text"`
		}) (any, error) {
			return done(m.SendText(c, in.To, in.Text.Content))
		}),
		wechat.EndpointOperationFeedbackMedia: app(func(c ctx, m wechat.MiniProgram, in struct {
			Record string `json:"record_id"`
			media
		}) (any, error) {
			n, err := strconv.ParseInt(in.Record, 10, 64)
			if err != nil {
				return nil, err
			}
			return m.FeedbackMedia(c, n, in.ID)
		}),
	}
}

type plugin struct {
	Action  string `json:"action"`
	AppID   string `json:"plugin_appid"`
	Reason  string `json:"reason"`
	Version string `json:"user_version"`
}
