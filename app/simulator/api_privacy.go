package simulator

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// privacyEndpoints are the 用户隐私保护指引 and the 隐私接口 (02 F).
func privacyEndpoints() []endpoint {
	return []endpoint{
		{path: "/cgi-bin/component/setprivacysetting", post: true, token: authorizerToken, sets: codeSets, run: setPrivacy},
		{path: "/cgi-bin/component/getprivacysetting", post: true, token: authorizerToken, sets: codeSets, run: getPrivacy},
		{path: "/cgi-bin/component/uploadprivacyextfile", post: true, token: authorizerToken, sets: codeSets, file: "file", run: uploadPrivacyFile},
		{path: "/wxa/security/get_privacy_interface", token: authorizerToken, sets: codeSets, run: getPrivacyInterface},
		{path: "/wxa/security/apply_privacy_interface", post: true, token: authorizerToken, sets: codeSets, run: applyPrivacyInterface},
	}
}

// privacyBook is the privacy guide in its two versions and the applications for interfaces.
type privacyBook struct {
	Dev          *privacyGuide            `json:"dev,omitempty"`  // privacy_ver 2
	Live         *privacyGuide            `json:"live,omitempty"` // privacy_ver 1: Dev at the last release
	Applications map[string]*privacyApply `json:"applications"`   // by api name without wx.
}

// privacyGuide is one version of the 隐私保护指引.
type privacyGuide struct {
	Owner     ownerSetting     `json:"owner"`
	Settings  []privacyPurpose `json:"settings"`
	SDKs      []any            `json:"sdks"`
	UpdatedMs int64            `json:"updated_ms"`
}

// ownerSetting is who answers for the data.
type ownerSetting struct {
	Email       string `json:"contact_email,omitempty"`
	Phone       string `json:"contact_phone,omitempty"`
	QQ          string `json:"contact_qq,omitempty"`
	Weixin      string `json:"contact_weixin,omitempty"`
	Notice      string `json:"notice_method"`
	StoreExpire string `json:"store_expire_timestamp,omitempty"`
	ExtFile     string `json:"ext_file_media_id,omitempty"`
	StoreRegion string `json:"store_region,omitempty"`
}

// privacyPurpose is one kind of data and what it is used for.
type privacyPurpose struct {
	Key  string `json:"privacy_key"`
	Text string `json:"privacy_text"`
}

// privacyApply is an application for a location interface; status as in get_privacy_interface.
type privacyApply struct {
	AuditID   int64  `json:"audit_id"`
	Status    int    `json:"status"` // 3 申请中, 4 申请失败, 5 已开通
	Reason    string `json:"reason"`
	AppliedMs int64  `json:"applied_ms"`
}

// privacyKeys are the kinds of data and their names (02 F.1). Custom keys are allowed beside them. Read only.
var privacyKeys = map[string]string{
	"UserInfo": "用户信息（微信昵称、头像）", "Location": "位置信息", "Address": "地址", "Invoice": "发票信息", "RunData": "微信运动数据",
	"Record": "麦克风", "Album": "选中的照片或视频信息", "Camera": "摄像头", "PhoneNumber": "手机号码", "Contact": "通讯录（仅写入）权限",
	"DeviceInfo": "设备信息", "EXIDNumber": "身份证号码", "EXOrderInfo": "订单信息", "EXUserPublishContent": "发布内容",
	"EXUserFollowAcct": "所关注账号", "EXUserOpLog": "操作日志", "AlbumWriteOnly": "相册（仅写入）权限", "LicensePlate": "车牌号",
	"BlueTooth": "蓝牙", "CalendarWriteOnly": "日历（仅写入）权限", "Email": "邮箱", "MessageFile": "选中的文件",
}

const (
	privacyLive = 1
	privacyDev  = 2

	maxPrivacyFile    = 100 << 10
	maxPrivacyContent = 300
	maxPrivacyPics    = 10
)

var storeExpirePattern = regexp.MustCompile(`^([0-9]{1,5}(天|个月|月|年)|永久)$`)

func (w *world) privacyOf(appID string) *privacyBook {
	if b := w.privacy.get(appID); b != nil {
		return b
	}
	return &privacyBook{Applications: map[string]*privacyApply{}}
}

// check answers 86069, 86070, 86072 (or what the setting says) and 86073.
func (o ownerSetting) check(w *world, c *apiCall) error {
	switch {
	case o.Email+o.Phone+o.QQ+o.Weixin == "":
		return refuse(86069)
	case o.Notice == "":
		return refuse(86070)
	case o.StoreExpire != "" && !storeExpirePattern.MatchString(o.StoreExpire):
		return refuse(w.settings.StoreExpireErrcode)
	}
	return w.haveMedia(c, 86073, usePrivacy, o.ExtFile)
}

func setPrivacy(w *world, c *apiCall) (any, error) {
	var req struct {
		Version  number           `json:"privacy_ver"`
		Owner    *ownerSetting    `json:"owner_setting"`
		Settings []privacyPurpose `json:"setting_list"`
		SDKs     []any            `json:"sdk_privacy_info_list"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	book := w.privacyOf(c.mp.AppID)
	if req.Version == 0 {
		req.Version = privacyDev
	}
	switch {
	case req.Version != privacyDev && req.Version != privacyLive:
		return nil, refuse(40097)
	case req.Owner == nil:
		return nil, refuse(86069)
	case req.Version == privacyLive && book.Live == nil:
		return nil, refuse(86074)
	case req.Version == privacyLive && len(req.Settings) > 0:
		return nil, refuse(40097)
	case req.Version == privacyLive && req.Owner.ExtFile != book.Live.Owner.ExtFile:
		return nil, refuse(86075)
	}
	for _, p := range req.Settings {
		if p.Key == "" || p.Text == "" {
			return nil, refuse(40097)
		}
	}
	if err := req.Owner.check(w, c); err != nil {
		return nil, err
	}
	if req.Version == privacyLive {
		book.Live.Owner, book.Live.UpdatedMs = *req.Owner, c.now
	} else {
		book.Dev = &privacyGuide{Owner: *req.Owner, Settings: req.Settings, SDKs: req.SDKs, UpdatedMs: c.now}
	}
	w.privacy.put(c.mp.AppID, book)
	return fields{}, nil
}

func getPrivacy(w *world, c *apiCall) (any, error) {
	var req struct {
		Version number `json:"privacy_ver"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	out, book := fields{"code_exist": 0}, w.privacyOf(c.mp.AppID)
	guide := book.Dev
	switch req.Version {
	case 0, privacyDev:
	case privacyLive:
		guide = book.Live
	default:
		return nil, refuse(40097)
	}
	if c.mp.Trial != nil {
		out["code_exist"], out["privacy_list"] = 1, c.mp.Trial.privacyKeys()
	}
	if guide == nil {
		return out, nil
	}
	settings, descriptions := []any{}, []any{}
	for _, p := range guide.Settings {
		label := privacyKeys[p.Key]
		if label == "" {
			label = p.Key
		}
		settings = append(settings, map[string]any{"privacy_key": p.Key, "privacy_text": p.Text, "privacy_label": label})
		descriptions = append(descriptions, map[string]any{"privacy_key": p.Key, "privacy_desc": label})
	}
	out["setting_list"], out["owner_setting"], out["update_time"] = settings, guide.Owner, guide.UpdatedMs/1000
	out["privacy_desc"] = map[string]any{"privacy_desc_list": descriptions}
	out["sdk_privacy_info_list"] = append([]any{}, guide.SDKs...)
	return out, nil
}

// privacyKeys are the kinds of data the code uses, as the detection after a commit finds them.
func (b *build) privacyKeys() []string {
	out := []string{}
	for _, api := range b.PrivacyAPIs {
		key := "Location"
		if api == "chooseAddress" {
			key = "Address"
		}
		if !slices.Contains(out, key) {
			out = append(out, key)
		}
	}
	return out
}

func uploadPrivacyFile(w *world, c *apiCall) (any, error) {
	file, err := c.file("file")
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(http.DetectContentType(file.data), "text/plain") {
		return nil, refuse(40005)
	}
	if len(file.data) > maxPrivacyFile {
		return nil, refuse(40006)
	}
	return fields{"ext_file_media_id": w.keepMedia(c, usePrivacy, "text", file, 0).ID}, nil
}

// interfaceNames are the Chinese names of the location interfaces. Read only.
var interfaceNames = map[string]string{"getFuzzyLocation": "获取当前的模糊地理位置", "getLocation": "获取当前的地理位置",
	"onLocationChange": "监听实时地理位置变化事件", "startLocationUpdate": "接收位置消息（前台）", "startLocationUpdateBackground": "接收位置消息（前后台）",
	"chooseLocation": "打开地图选择位置", "choosePoi": "打开 POI 列表选择位置", "chooseAddress": "获取用户收货地址"}

func getPrivacyInterface(w *world, c *apiCall) (any, error) {
	book, list := w.privacyOf(c.mp.AppID), []any{}
	for _, api := range locationAPIs {
		item := map[string]any{"api_name": "wx." + api, "api_ch_name": interfaceNames[api], "api_desc": interfaceNames[api], "status": 1,
			"api_link": c.publicURL + "/sim/docs/" + api, "group_name": "地理位置"}
		if len(c.mp.Categories) == 0 {
			item["status"] = 2
		}
		if a := book.Applications[api]; a != nil {
			item["status"], item["apply_time"], item["audit_id"], item["fail_reason"] = a.Status, a.AppliedMs/1000, a.AuditID, a.Reason
		}
		if slices.Contains(c.mp.PrivacyAPIs, api) {
			item["status"] = 5
		}
		list = append(list, item)
	}
	return fields{"interface_list": list}, nil
}

func applyPrivacyInterface(w *world, c *apiCall) (any, error) {
	var req struct {
		Name    string   `json:"api_name"`
		Content string   `json:"content"`
		URLs    []string `json:"url_list"`
		Pics    []string `json:"pic_list"`
		Videos  []string `json:"video_list"`
	}
	if !utf8.Valid(c.body) {
		return nil, refuse(61037)
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	api, ok := strings.CutPrefix(req.Name, "wx.")
	book := w.privacyOf(c.mp.AppID)
	switch {
	case req.Name == "" || req.Content == "" || utf8.RuneCountInString(req.Content) > maxPrivacyContent || len(req.Pics) > maxPrivacyPics || len(req.Videos) > 1:
		return nil, refuse(61034)
	case !ok || !slices.Contains(locationAPIs, api) || slices.Contains(c.mp.PrivacyAPIs, api):
		return nil, refuse(61035)
	case len(c.mp.Categories) == 0:
		return nil, refuse(61036)
	case book.Applications[api] != nil && book.Applications[api].Status == 3:
		return nil, refuse(61031)
	}
	for _, video := range req.Videos {
		if !strings.HasSuffix(strings.ToLower(video), ".mp4") {
			return nil, refuse(61032)
		}
		if checkWebURL(video) != nil {
			return nil, refuse(61033)
		}
	}
	r := w.openReview(reviewInterface, c.mp, c.component.AppID, "隐私接口："+req.Name+"，"+req.Content, api, c.now)
	book.Applications[api] = &privacyApply{AuditID: r.ID, Status: 3, AppliedMs: c.now}
	w.privacy.put(c.mp.AppID, book)
	return fields{"audit_id": r.ID}, nil
}

// decideInterface opens an interface or not and pushes wxa_privacy_apply.
func decideInterface(w *world, r *review, m *miniProgram, now int64) error {
	book := w.privacyOf(m.AppID)
	a := book.Applications[r.Ref]
	if a == nil {
		return fmt.Errorf("no application for %q", r.Ref)
	}
	a.Status, a.Reason = 4, r.Reason
	if r.State == reviewPassed {
		a.Status = 5
		if !slices.Contains(m.PrivacyAPIs, r.Ref) {
			m.PrivacyAPIs = append(m.PrivacyAPIs, r.Ref)
		}
		w.miniPrograms.put(m.AppID, m)
	}
	w.privacy.put(m.AppID, book)
	w.tell(m, r.Component, "wxa_privacy_apply", now, branch("result_info", leaf("api_name", "wx."+r.Ref), leaf("apply_time", a.AppliedMs/1000),
		leaf("audit_id", r.ID), leaf("audit_time", now/1000), leaf("reason", r.Reason), leaf("status", r.verdict())))
	return nil
}

// privacyReleased makes the developed guide the live one.
func (w *world) privacyReleased(m *miniProgram, now int64) {
	book := w.privacyOf(m.AppID)
	if book.Dev == nil {
		return
	}
	live := *book.Dev
	live.UpdatedMs = now
	book.Live = &live
	w.privacy.put(m.AppID, book)
}
