package wechat

import "errors"

// Reason says, inside the house only, why a push was not accepted. Outside, every refusal looks the same
// (01 A.3 step 10), because a detailed answer turns the address into a padding oracle.
type Reason string

// The reasons a push is refused. The values are label values of a counter: keep them stable.
const (
	ReasonMethod     Reason = "method"
	ReasonBody       Reason = "body"
	ReasonTooLarge   Reason = "too_large"
	ReasonParameters Reason = "parameters"
	ReasonComponent  Reason = "component"
	ReasonSignature  Reason = "signature"
	ReasonStale      Reason = "stale"
	ReasonBase64     Reason = "base64"
	ReasonCipher     Reason = "cipher"
	ReasonPadding    Reason = "padding"
	ReasonLength     Reason = "length"
	ReasonAppID      Reason = "appid"
	ReasonXML        Reason = "xml"
	ReasonInternal   Reason = "internal"
)

// Label is the Chinese sentence for the binding wizard: what does not fit, and what to compare.
func (r Reason) Label() string {
	switch r {
	case ReasonMethod:
		return "请求方式不是 POST"
	case ReasonBody:
		return "请求体不是加密 XML，请确认数据格式为 XML、加密方式为安全模式"
	case ReasonTooLarge:
		return "请求体超过 1 MB"
	case ReasonParameters:
		return "缺少签名参数，或参数重复"
	case ReasonComponent:
		return "第三方平台未绑定，请核对 URL 中的 AppID"
	case ReasonSignature:
		return "签名不符，请核对消息校验 Token"
	case ReasonStale:
		return "时间戳超出 10 分钟，请检查服务器时间"
	case ReasonBase64, ReasonCipher:
		return "密文格式不正确"
	case ReasonPadding, ReasonLength:
		return "AESKey 不一致，请核对消息加解密 Key"
	case ReasonAppID:
		return "AppID 不一致，请核对第三方平台 AppID"
	case ReasonXML:
		return "解密后的内容不是允许的 XML"
	default:
		return "平台暂时无法处理，请稍后重试"
	}
}

// Refusal is the error of every step that verifies a push. Its text carries no reason, so that it can travel outside.
type Refusal struct {
	Reason Reason
	cause  error
}

// Error is the same sentence for every reason.
func (*Refusal) Error() string { return "wechat: push refused" }

// Unwrap gives the inner cause, for the log.
func (r *Refusal) Unwrap() error { return r.cause }

// Refuse makes a Refusal; cause may be nil.
func Refuse(reason Reason, cause error) *Refusal { return &Refusal{Reason: reason, cause: cause} }

// ReasonOf gives the inner reason of err, "" for nil, and ReasonInternal for an error that is no Refusal.
func ReasonOf(err error) Reason {
	if err == nil {
		return ""
	}
	var r *Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ReasonInternal
}
