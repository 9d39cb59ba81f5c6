package simulator

import (
	"net/http"
	"sort"
	"strconv"
)

// shippingSets is 发货信息管理, detailSets the 订单详情入口. Read only.
var (
	shippingSets = []int{142}
	detailSets   = []int{182}
)

// orderEndpoints are 发货信息管理 (02 I.2): payment orders wait for the merchant to say how they were shipped.
func orderEndpoints() []endpoint {
	const base = "/wxa/sec/order/"
	return []endpoint{
		{path: base + "is_trade_managed", post: true, token: authorizerToken, sets: shippingSets, run: ownFlag("is_trade_managed")},
		{path: base + "is_trade_management_confirmation_completed", post: true, token: authorizerToken, sets: shippingSets, run: ownFlag("completed")},
		{path: base + "upload_shipping_info", post: true, token: authorizerToken, sets: shippingSets, run: uploadShipping},
		{path: base + "upload_combined_shipping_info", post: true, token: authorizerToken, sets: shippingSets, run: uploadCombined},
		{path: base + "get_order", post: true, token: authorizerToken, sets: shippingSets, run: getOrder},
		{path: base + "get_order_list", post: true, token: authorizerToken, sets: shippingSets, run: listOrders},
		{path: base + "notify_confirm_receive", post: true, token: authorizerToken, sets: shippingSets, run: remindReceipt},
		{path: base + "set_msg_jump_path", post: true, token: authorizerToken, sets: shippingSets, run: setMessagePath},
		{path: base + "opspecialorder", post: true, token: authorizerToken, sets: shippingSets, run: specialOrder},
		{path: base + "update_order_detail_path", post: true, token: authorizerToken, sets: detailSets, run: setDetailPath},
		{path: base + "get_order_detail_path", post: true, token: authorizerToken, sets: detailSets, run: getDetailPath},
	}
}

// payOrder is one payment of a customer in a mini program.
type payOrder struct {
	TransactionID string           `json:"transaction_id"`
	AppID         string           `json:"appid"`
	MerchantID    string           `json:"merchant_id"`
	TradeNo       string           `json:"merchant_trade_no"`
	Description   string           `json:"description"`
	Amount        int64            `json:"paid_amount"` // fen
	OpenID        string           `json:"openid"`
	State         int              `json:"order_state"` // an order… constant
	Mode          int              `json:"delivery_mode"`
	Logistics     int              `json:"logistics_type"`
	Finished      bool             `json:"finish_shipping"`
	Uploads       int              `json:"uploads"` // times shipping was told; it may be changed once
	Parcels       []map[string]any `json:"shipping_list"`
	Reminded      bool             `json:"reminded"`
	PaidMs        int64            `json:"paid_ms"`
}

// States of an order.
const (
	orderWaits    = 1
	orderShipped  = 2
	orderReceived = 3
	orderDone     = 4
	orderRefunded = 5
)

const (
	maxParcels     = 15
	maxItemDesc    = 120
	maxOrderPage   = 50
	orderVisibleMs = 60_000 // right after the payment WeChat does not know the order yet
)

// orderKey names a payment in either way.
type orderKey struct {
	Type        number `json:"order_number_type"` // 1 商户单号, 2 微信单号
	Transaction string `json:"transaction_id"`
	Merchant    string `json:"mchid"`
	TradeNo     string `json:"out_trade_no"`

	MerchantID string `json:"merchant_id"` // the names get_order uses
	MerchantNo string `json:"merchant_trade_no"`
}

// orderOf finds a payment: 10060001 when there is none, or none yet.
func (w *world) orderOf(c *apiCall, key orderKey) (*payOrder, error) {
	merchant, no := key.Merchant+key.MerchantID, key.TradeNo+key.MerchantNo
	for _, o := range w.orders.all() {
		if o.AppID == c.mp.AppID && c.now >= o.PaidMs+orderVisibleMs &&
			((key.Transaction != "" && o.TransactionID == key.Transaction) || (key.Transaction == "" && no != "" && o.TradeNo == no && o.MerchantID == merchant)) {
			return o, nil
		}
	}
	return nil, refuse(10060001)
}

// ownFlag answers a flag that is on for every mini program of the simulator.
func ownFlag(name string) func(*world, *apiCall) (any, error) {
	return func(_ *world, c *apiCall) (any, error) {
		var req struct {
			AppID string `json:"appid"`
		}
		if err := c.decode(&req); err != nil {
			return nil, err
		}
		if req.AppID != c.mp.AppID {
			return nil, refuse(40013)
		}
		return fields{name: true}, nil
	}
}

// answer is an order as get_order shows it.
func (o *payOrder) answer() map[string]any {
	out := map[string]any{"transaction_id": o.TransactionID, "merchant_id": o.MerchantID, "sub_merchant_id": "", "merchant_trade_no": o.TradeNo,
		"description": o.Description, "paid_amount": o.Amount, "openid": o.OpenID, "trade_create_time": o.PaidMs/1000 - 10, "pay_time": o.PaidMs / 1000,
		"in_complaint": false, "order_state": o.State}
	if o.Uploads > 0 {
		parcels := []any{}
		for _, p := range o.Parcels {
			parcels = append(parcels, map[string]any{"tracking_no": p["tracking_no"], "express_company": p["express_company"], "upload_time": o.PaidMs/1000 + 60})
		}
		out["shipping"] = map[string]any{"delivery_mode": o.Mode, "logistics_type": o.Logistics, "finish_shipping": o.Finished, "finish_shipping_count": o.Uploads,
			"goods_desc": o.Description, "shipping_list": parcels}
	}
	return out
}

func getOrder(w *world, c *apiCall) (any, error) {
	var key orderKey
	if err := c.decode(&key); err != nil {
		return nil, err
	}
	o, err := w.orderOf(c, key)
	if err != nil {
		return nil, err
	}
	return fields{"order": o.answer()}, nil
}

func listOrders(w *world, c *apiCall) (any, error) {
	var req struct {
		Range struct {
			Begin number `json:"begin_time"`
			End   number `json:"end_time"`
		} `json:"pay_time_range"`
		State number `json:"order_state"`
		User  string `json:"openid"`
		Last  string `json:"last_index"`
		Size  number `json:"page_size"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	skip := 0
	if req.Last != "" {
		var err error
		if skip, err = strconv.Atoi(req.Last); err != nil || skip < 0 {
			return nil, refuse(40097)
		}
	}
	if req.Size < 0 || req.Size > maxOrderPage {
		return nil, refuse(40097)
	}
	found := []*payOrder{}
	for _, o := range w.orders.all() {
		paid := o.PaidMs / 1000
		if o.AppID == c.mp.AppID && (req.State == 0 || int(req.State) == o.State) && matches(req.User, o.OpenID) && paid >= int64(req.Range.Begin) &&
			(req.Range.End == 0 || paid <= int64(req.Range.End)) && c.now >= o.PaidMs+orderVisibleMs {
			found = append(found, o)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].PaidMs > found[j].PaidMs })
	size := int(req.Size)
	if size == 0 {
		size = maxOrderPage
	}
	list := []any{}
	for _, o := range found[min(skip, len(found)):min(skip+size, len(found))] {
		list = append(list, o.answer())
	}
	return fields{"order_list": list, "last_index": strconv.Itoa(min(skip+size, len(found))), "has_more": skip+size < len(found)}, nil
}

func remindReceipt(w *world, c *apiCall) (any, error) {
	var req struct {
		orderKey
		Received number `json:"received_time"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	o, err := w.orderOf(c, req.orderKey)
	if err != nil {
		return nil, err
	}
	if o.State != orderShipped || o.Reminded {
		return nil, refuse(10060004) // once per order
	}
	o.Reminded = true
	w.orders.put(o.TransactionID, o)
	return fields{}, nil
}

func specialOrder(w *world, c *apiCall) (any, error) {
	var req struct {
		Order string `json:"order_id"`
		Type  number `json:"type"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if _, err := w.orderOf(c, orderKey{Transaction: req.Order}); err != nil {
		return nil, err
	}
	return fields{}, nil
}

// pathOf reads {"path"} and checks its form.
func (c *apiCall) pathOf() (string, error) {
	var req struct {
		Path string `json:"path"`
	}
	if err := c.decode(&req); err != nil {
		return "", err
	}
	if !pagePattern.MatchString(req.Path) && req.Path != "" {
		return "", refuse(40097)
	}
	return req.Path, nil
}

func setMessagePath(w *world, c *apiCall) (any, error) {
	path, err := c.pathOf()
	if err != nil {
		return nil, err
	}
	p := w.orderPageOf(c.mp.AppID)
	p.Message = path
	w.orderPages.put(c.mp.AppID, p)
	return fields{}, nil
}

func setDetailPath(w *world, c *apiCall) (any, error) {
	path, err := c.pathOf()
	if err != nil {
		return nil, err
	}
	p := w.orderPageOf(c.mp.AppID)
	p.Detail = path
	w.orderPages.put(c.mp.AppID, p)
	return fields{}, nil
}

func getDetailPath(w *world, c *apiCall) (any, error) {
	return fields{"path": w.orderPageOf(c.mp.AppID).Detail}, nil
}

// payRequest is the body of POST /control/orders: a customer pays, or WeChat changes an order's state.
type payRequest struct {
	AppID         string `json:"appid"`
	TransactionID string `json:"transaction_id"` // of an order that changes; "" for a new one
	MerchantID    string `json:"merchant_id"`
	TradeNo       string `json:"merchant_trade_no"`
	Description   string `json:"description"`
	Amount        int64  `json:"paid_amount"` // fen
	Person        string `json:"person"`      // WeChat id; "" is 路人
	State         int    `json:"order_state"` // 3 确认收货, 4 交易完成, 5 已退款
}

func payOrderByProgram(w *world, now int64, _ *http.Request, req payRequest) (any, error) {
	m := w.miniPrograms.get(req.AppID)
	if m == nil {
		return nil, notFound("appid", "模拟平台没有这个小程序")
	}
	if req.TransactionID != "" {
		o := w.orders.get(req.TransactionID)
		if o == nil || o.AppID != m.AppID {
			return nil, notFound("transaction_id", "没有这个订单")
		}
		if req.State < orderReceived || req.State > orderRefunded {
			return nil, badRequest("order_state", "只能改为 3 确认收货、4 交易完成、5 已退款")
		}
		o.State = req.State
		w.orders.put(o.TransactionID, o)
		if o.State == orderDone {
			w.tell(m, "", "trade_manage_order_settlement", now, leaf("transaction_id", o.TransactionID), leaf("merchant_id", o.MerchantID), leaf("merchant_trade_no", o.TradeNo))
		}
		return o, nil
	}
	if req.Amount < 0 || len(req.Description) > 400 || len(req.MerchantID) > 32 || len(req.TradeNo) > 64 {
		return nil, badRequest("paid_amount", "金额不能为负数，说明不超过 120 个汉字")
	}
	who := req.Person
	if who == "" {
		who = "路人"
	}
	o := &payOrder{TransactionID: "42" + w.ids.text(decimals, 26), AppID: m.AppID, MerchantID: req.MerchantID, TradeNo: req.TradeNo, Description: req.Description,
		Amount: req.Amount, OpenID: w.openIDOf(m.AppID, who), State: orderWaits, PaidMs: now}
	if o.MerchantID == "" {
		o.MerchantID = "1900000001"
	}
	if o.TradeNo == "" {
		o.TradeNo = "T" + w.ids.text(decimals, 12)
	}
	w.orders.put(o.TransactionID, o)
	w.tell(m, "", "trade_manage_remind_shipping", now, leaf("transaction_id", o.TransactionID), leaf("merchant_id", o.MerchantID), leaf("sub_merchant_id", ""),
		leaf("merchant_trade_no", o.TradeNo), leaf("pay_time", now/1000), leaf("msg", "请尽快发货"))
	return o, nil
}
