package wechat

// MediaCheckContent is the outcome of an asynchronous content check (01 C.3).
type MediaCheckContent struct {
	AppID   string `push:"appid"`
	TraceID string `push:"trace_id"`
	Version int    `push:"version"`
	Result  struct {
		Suggest string `push:"suggest"` // pass, review or risky
		Label   int    `push:"label"`
	} `push:"result"`
	Detail []struct {
		Strategy string `push:"strategy"`
		Code     int    `push:"errcode"`
		Suggest  string `push:"suggest"`
		Label    int    `push:"label"`
		Prob     int    `push:"prob"`
	} `push:"detail"`
	Code    int    `push:"errcode"`
	Message string `push:"errmsg"`
}

// ExpressContent is the way of a parcel.
type ExpressContent struct {
	DeliveryID string `push:"DeliveryID"`
	WaybillID  string `push:"WayBillId"`
	OrderID    string `push:"OrderId"`
	Version    int    `push:"Version"`
	Count      int    `push:"Count"`
	Actions    []struct {
		At      int64  `push:"ActionTime"` // unix seconds
		Type    int    `push:"ActionType"`
		Message string `push:"ActionMsg"`
	} `push:"Actions"`
}

// TradeReminder is one of the three trade_manage pushes; the facts name them only. All fields are optional.
type TradeReminder struct {
	TransactionID   string `push:"transaction_id"`
	MerchantID      string `push:"merchant_id"`
	SubMerchantID   string `push:"sub_merchant_id"`
	MerchantTradeNo string `push:"merchant_trade_no"`
	Message         string `push:"msg"`
	PaidAt          int64  `push:"pay_time"`             // unix seconds
	ShippedAt       int64  `push:"shipped_time"`         // unix seconds
	SettledAt       int64  `push:"settlement_time"`      // unix seconds
	ConfirmedAt     int64  `push:"confirm_receive_time"` // unix seconds
	ConfirmMethod   int    `push:"confirm_receive_method"`
	EstimatedAt     int64  `push:"estimated_settlement_time"` // unix seconds
}

// SubscribePopupContent is what a user answered when asked to subscribe.
type SubscribePopupContent struct {
	Event struct {
		List []struct {
			TemplateID string `push:"TemplateId"`
			Answer     string `push:"SubscribeStatusString"` // accept or reject
			Scene      int    `push:"PopupScene"`
		} `push:"List"`
	} `push:"SubscribeMsgPopupEvent"`
}

// SubscribeChangeContent is what a user changed in the settings.
type SubscribeChangeContent struct {
	Event struct {
		List []struct {
			TemplateID string `push:"TemplateId"`
			Answer     string `push:"SubscribeStatusString"`
		} `push:"List"`
	} `push:"SubscribeMsgChangeEvent"`
}

// SubscribeSentContent is whether subscription messages arrived.
type SubscribeSentContent struct {
	Event struct {
		List []struct {
			TemplateID string `push:"TemplateId"`
			MessageID  string `push:"MsgID"`
			Code       int    `push:"ErrorCode"`
			Status     string `push:"ErrorStatus"`
		} `push:"List"`
	} `push:"SubscribeMsgSentEvent"`
}

// TempSessionContent is a user who opened the customer service.
type TempSessionContent struct {
	From string `push:"SessionFrom"`
}

// RevokeContent is a user who took consent back, or changed a profile.
type RevokeContent struct {
	AppID    string `push:"AppID"`
	OpenID   string `push:"OpenID"`
	What     string `push:"RevokeInfo"`
	PluginID string `push:"PluginID"`
	OpenPID  string `push:"OpenPID"`
}

// DebugContent is the push of the console's debugging tool.
type DebugContent struct {
	Text string `push:"debug_str"`
}

// TextContent is a user's text (01 C.4). MessageID tells repeats.
type TextContent struct {
	Content   string `push:"Content"`
	MessageID int64  `push:"MsgId"`
}

// ImageContent is a user's picture.
type ImageContent struct {
	URL       string `push:"PicUrl"`
	MediaID   string `push:"MediaId"`
	MessageID int64  `push:"MsgId"`
}

// VoiceContent is a user's voice message.
type VoiceContent struct {
	MediaID     string `push:"MediaId"`
	Format      string `push:"Format"`
	Recognition string `push:"Recognition"`
	MessageID   int64  `push:"MsgId"`
}

// VideoContent is a user's video.
type VideoContent struct {
	MediaID   string `push:"MediaId"`
	ThumbID   string `push:"ThumbMediaId"`
	MessageID int64  `push:"MsgId"`
}

// LocationContent is a place that a user sent.
type LocationContent struct {
	X         string `push:"Location_X"` // degrees north
	Y         string `push:"Location_Y"` // degrees east
	Scale     int    `push:"Scale"`
	Label     string `push:"Label"`
	MessageID int64  `push:"MsgId"`
}

// LinkContent is a link that a user sent.
type LinkContent struct {
	Title       string `push:"Title"`
	Description string `push:"Description"`
	URL         string `push:"Url"`
	MessageID   int64  `push:"MsgId"`
}

// PageContent is a mini program's card that a user sent.
type PageContent struct {
	Title     string `push:"Title"`
	AppID     string `push:"AppId"`
	Path      string `push:"PagePath"`
	ThumbURL  string `push:"ThumbUrl"`
	ThumbID   string `push:"ThumbMediaId"`
	MessageID int64  `push:"MsgId"`
}

// MenuContent is a follower's event: EventKey is the scene of a code or the key or address of a menu entry.
type MenuContent struct {
	Key    string `push:"EventKey"`
	Ticket string `push:"Ticket"`
	MenuID string `push:"MenuId"`
}

// PositionContent is where a follower is.
type PositionContent struct {
	Latitude  string `push:"Latitude"`
	Longitude string `push:"Longitude"`
	Precision string `push:"Precision"`
}
