package simulator

import "fmt"

// apiError is a refusal in WeChat's form; the rid is added when it is written.
type apiError struct {
	Code int
	Msg  string
}

func (e *apiError) Error() string { return fmt.Sprintf("errcode %d: %s", e.Code, e.Msg) }

// refuse makes the refusal with WeChat's own text for the code.
func refuse(code int) error { return &apiError{Code: code, Msg: errcodeText(code)} }

// refusef is refuse with a detail behind WeChat's text.
func refusef(code int, format string, args ...any) error {
	return &apiError{Code: code, Msg: errcodeText(code) + ": " + fmt.Sprintf(format, args...)}
}

// errcodeText is the English errmsg of a code; an unknown code gets a neutral one.
func errcodeText(code int) string {
	if text, ok := errcodeTexts[code]; ok {
		return text
	}
	return "api error"
}

// errcodeTexts is read only. Source: error tables of the Open Platform's documents.
var errcodeTexts = map[int]string{
	-1:      "system error",
	0:       "ok",
	40001:   "invalid credential, access_token is invalid or not latest",
	40004:   "invalid media type",
	40005:   "invalid file type",
	40006:   "invalid media size",
	40007:   "invalid media_id",
	41005:   "media data missing",
	40013:   "invalid appid",
	40014:   "invalid access_token",
	40066:   "invalid url",
	40097:   "invalid args",
	40125:   "invalid appsecret",
	40170:   "args count exceed count limit",
	41001:   "access_token missing",
	41004:   "appsecret missing",
	41018:   "component_appid missing",
	42001:   "access_token expired",
	43001:   "require GET method",
	43002:   "require POST method",
	44002:   "empty post data",
	45009:   "reach max api daily quota limit",
	45011:   "api minute-quota reach limit, must slower, retry next minute",
	45104:   "domain modify times exceed limit",
	47001:   "data format error",
	48001:   "api unauthorized",
	50002:   "user limited",
	61003:   "component is not authorized by this account",
	61004:   "access clientip is not registered",
	61005:   "component ticket is expired",
	61006:   "component ticket is invalid",
	61007:   "api is unauthorized to component",
	61009:   "code is invalid",
	61010:   "code is expired",
	61011:   "invalid component",
	61014:   "must use component token for component api",
	61015:   "must use authorizer token for this api",
	61023:   "refresh_token is invalid",
	61039:   "code privacy api check is not finished, try later",
	61040:   "code has privacy api without permission or configuration",
	76001:   "rid not found",
	76002:   "rid is error",
	85001:   "user not exist or user cannot be searched",
	85002:   "number of tester reach bind limit",
	85003:   "user already bind too many weapps as tester",
	85004:   "user already bind",
	85006:   "tag format error",
	85007:   "page path error",
	85008:   "no approved category",
	85009:   "already submit a version under auditing",
	85010:   "missing required data",
	85011:   "title format error",
	85012:   "invalid audit id",
	85013:   "invalid ext_json, parse fail or containing invalid path",
	85014:   "template not exist",
	85016:   "exceed valid domain count",
	85017:   "no domain to modify after filtered, please confirm the domain has been set in miniprogram or open",
	85018:   "domain not registered in open",
	85019:   "no version is under auditing",
	85020:   "status not allowed",
	85021:   "status not allowed to change",
	85022:   "action is invalid",
	85023:   "the number of category is not in 1 to 5",
	85045:   "ext_json path not exist",
	85046:   "tabBar missing pagePath",
	85047:   "pages are empty",
	85048:   "parse ext_json fail",
	85051:   "data is too large",
	85052:   "version already released",
	85058:   "no valid audit id",
	85064:   "template not found",
	85065:   "template list is full",
	85079:   "miniprogram has no online release",
	85080:   "miniprogram commit not approved",
	85081:   "invalid gray percentage",
	85082:   "gray percentage is lower than before",
	85085:   "submit audit reach limit, quota used up",
	85086:   "must commit before submit audit",
	85092:   "preview_info format error",
	85093:   "preview_info size exceed limit",
	85301:   "domain does not match the rules",
	85310:   "requiredPrivateInfos format error",
	85312:   "requiredPrivateInfos contains api without permission",
	85311:   "requiredPrivateInfos contains mutually exclusive api",
	86000:   "should be called only from third party",
	86001:   "component experience version not exists",
	86002:   "miniprogram have not completed init procedure",
	87011:   "weapp is under gray release, cannot revert",
	87012:   "this version cannot be reverted",
	87013:   "undo audit reach limit",
	89033:   "empty wechatid or openid",
	89034:   "userstr is invalid",
	89402:   "audit is not in the waiting queue",
	89403:   "this kind of audit cannot be sped up",
	89404:   "audit has already been sped up",
	89405:   "no speedup quota left this month",
	9402202: "concurrent limit",
}
