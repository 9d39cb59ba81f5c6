package wechat

import (
	"cmp"
	"slices"
	"sync"
)

// PushType is one kind of push: what Push.Type says and on which URL it comes.
type PushType struct {
	Name string
	URL  string // TicketURL or MessageURL; "" may come on either

	make func() any
}

// PushTypes lists every kind of push of the facts (01 B and C; 02 B.8, D, F.2, I), sorted by name. Others are stored
// and delivered just the same.
func PushTypes() []PushType { return slices.Clone(pushTable()) }

func lookupPush(name string) (PushType, bool) {
	rows := pushTable()
	i, ok := slices.BinarySearchFunc(rows, name, func(t PushType, n string) int { return cmp.Compare(t.Name, n) })
	if !ok {
		return PushType{}, false
	}
	return rows[i], true
}

// LookupPush finds a kind of push by name.
func LookupPush(name string) (PushType, bool) { return lookupPush(name) }

var pushTable = sync.OnceValue(func() []PushType {
	rows := slices.Concat(platformPushes(), accountPushes(), tradePushes(), userPushes())
	slices.SortFunc(rows, func(a, b PushType) int { return cmp.Compare(a.Name, b.Name) })
	return rows
})

func content[T any]() func() any { return func() any { return new(T) } }

func platformPushes() []PushType {
	return []PushType{
		{Name: VerifyTicket, URL: TicketURL, make: content[TicketContent]()},
		{Name: Authorized, URL: TicketURL, make: content[AuthorizationContent]()},
		{Name: UpdateAuthorized, URL: TicketURL, make: content[AuthorizationContent]()},
		{Name: Unauthorized, URL: TicketURL, make: content[AuthorizationContent]()},
		{Name: RegistrationDone, URL: TicketURL, make: content[RegistrationContent]()},
		{Name: BetaRegistered, URL: TicketURL, make: content[BetaContent]()},
		{Name: BetaVerified, URL: TicketURL, make: content[RegistrationContent]()},
		{Name: CertificationMoved, URL: TicketURL, make: content[CertificationContent]()},
		{Name: CertificationExpires, URL: TicketURL, make: content[CertificationExpiry]()},
		{Name: ProcedureMoved, URL: TicketURL, make: content[ProcedureContent]()},
		{Name: FilingFaceChecked, URL: TicketURL, make: content[FilingFaceContent]()},
		{Name: FilingReviewed, URL: TicketURL, make: content[FilingContent]()},
		{Name: OrderPathApplied, URL: TicketURL, make: content[OrderPathContent]()},
		{Name: OrderPathAudited, URL: TicketURL, make: content[OrderPathContent]()},
		{Name: BetaByOfficialAgreed, make: content[BetaByOfficialContent]()},
		{Name: BetaByOfficialDone, make: content[BetaByOfficialContent]()},
		{Name: BetaByOfficialApplied, make: content[BetaByOfficialContent]()},
	}
}

func accountPushes() []PushType {
	return []PushType{
		{Name: AuditSuccess, URL: MessageURL, make: content[AuditContent]()},
		{Name: AuditFail, URL: MessageURL, make: content[AuditContent]()},
		{Name: AuditDelay, URL: MessageURL, make: content[AuditContent]()},
		{Name: NicknameAudited, make: content[NicknameContent]()},
		{Name: CategoryAudited, URL: MessageURL, make: content[CategoryContent]()},
		{Name: PrivacyAudited, URL: MessageURL, make: content[PrivacyContent]()},
		{Name: Violated, URL: MessageURL, make: content[ViolationContent]()},
		{Name: Appealed, URL: MessageURL, make: content[AppealContent]()},
		{Name: "add_nearby_poi_audit_info", URL: MessageURL, make: content[NearbyContent]()},
		{Name: "create_map_poi_audit_info", URL: MessageURL, make: content[NearbyContent]()},
		{Name: "nearby_category_audit_info", URL: MessageURL, make: content[NearbyContent]()},
		{Name: "wx_verify_pay_succ", URL: MessageURL, make: content[VerifyStepContent]()},
		{Name: "wx_verify_dispatch", URL: MessageURL, make: content[VerifyStepContent]()},
		{Name: "qualification_verify_success", URL: MessageURL, make: content[OfficialVerifyContent]()},
		{Name: "qualification_verify_fail", URL: MessageURL, make: content[OfficialVerifyContent]()},
		{Name: "naming_verify_success", URL: MessageURL, make: content[OfficialVerifyContent]()},
		{Name: "naming_verify_fail", URL: MessageURL, make: content[OfficialVerifyContent]()},
		{Name: "annual_renew", URL: MessageURL, make: content[OfficialVerifyContent]()},
		{Name: "verify_expired", URL: MessageURL, make: content[OfficialVerifyContent]()},
	}
}

func tradePushes() []PushType {
	return []PushType{
		{Name: "wxa_media_check", URL: MessageURL, make: content[MediaCheckContent]()},
		{Name: "add_express_path", URL: MessageURL, make: content[ExpressContent]()},
		{Name: "trade_manage_remind_access_api", URL: MessageURL, make: content[TradeReminder]()},
		{Name: "trade_manage_remind_shipping", URL: MessageURL, make: content[TradeReminder]()},
		{Name: "trade_manage_order_settlement", URL: MessageURL, make: content[TradeReminder]()},
		{Name: "subscribe_msg_popup_event", URL: MessageURL, make: content[SubscribePopupContent]()},
		{Name: "subscribe_msg_change_event", URL: MessageURL, make: content[SubscribeChangeContent]()},
		{Name: "subscribe_msg_sent_event", URL: MessageURL, make: content[SubscribeSentContent]()},
		{Name: "user_enter_tempsession", URL: MessageURL, make: content[TempSessionContent]()},
		{Name: "user_authorization_revoke", URL: MessageURL, make: content[RevokeContent]()},
		{Name: "user_info_modified", URL: MessageURL, make: content[RevokeContent]()},
		{Name: "debug_demo", URL: MessageURL, make: content[DebugContent]()},
	}
}

func userPushes() []PushType {
	return []PushType{
		{Name: "message.text", URL: MessageURL, make: content[TextContent]()},
		{Name: "message.image", URL: MessageURL, make: content[ImageContent]()},
		{Name: "message.voice", URL: MessageURL, make: content[VoiceContent]()},
		{Name: "message.video", URL: MessageURL, make: content[VideoContent]()},
		{Name: "message.shortvideo", URL: MessageURL, make: content[VideoContent]()},
		{Name: "message.location", URL: MessageURL, make: content[LocationContent]()},
		{Name: "message.link", URL: MessageURL, make: content[LinkContent]()},
		{Name: "message.miniprogrampage", URL: MessageURL, make: content[PageContent]()},
		{Name: "subscribe", URL: MessageURL, make: content[MenuContent]()},
		{Name: "unsubscribe", URL: MessageURL, make: content[MenuContent]()},
		{Name: "SCAN", URL: MessageURL, make: content[MenuContent]()},
		{Name: "CLICK", URL: MessageURL, make: content[MenuContent]()},
		{Name: "VIEW", URL: MessageURL, make: content[MenuContent]()},
		{Name: "LOCATION", URL: MessageURL, make: content[PositionContent]()},
	}
}
