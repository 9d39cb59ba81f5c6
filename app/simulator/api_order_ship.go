package simulator

import (
	"slices"
	"time"
	"unicode/utf8"
)

// shippingInfo is how an order was shipped.
type shippingInfo struct {
	Key       orderKey         `json:"order_key"`
	Logistics number           `json:"logistics_type"` // 1 快递 2 同城 3 虚拟 4 自提
	Mode      number           `json:"delivery_mode"`  // 1 统一 2 分拆
	All       *bool            `json:"is_all_delivered"`
	Parcels   []map[string]any `json:"shipping_list"`
	Time      string           `json:"upload_time"`
	Payer     struct {
		OpenID string `json:"openid"`
	} `json:"payer"`
}

func (s shippingInfo) check() error {
	limit := 1
	if s.Mode == 2 {
		limit = maxParcels
	}
	if s.Logistics < 1 || s.Logistics > 4 || s.Mode < 1 || s.Mode > 2 || len(s.Parcels) < 1 || len(s.Parcels) > limit || (s.Mode == 2 && s.All == nil) {
		return refuse(40097)
	}
	for _, p := range s.Parcels {
		desc, _ := p["item_desc"].(string)
		number, _ := p["tracking_no"].(string)
		company, _ := p["express_company"].(string)
		if desc == "" || utf8.RuneCountInString(desc) > maxItemDesc || (s.Logistics == 1 && (number == "" || company == "")) {
			return refuse(40097)
		}
	}
	return nil
}

func checkUploadTime(text string) error {
	if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
		return refuse(268485216)
	}
	return nil
}

func uploadShipping(w *world, c *apiCall) (any, error) {
	var req shippingInfo
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	if err := checkUploadTime(req.Time); err != nil {
		return nil, err
	}
	o, err := w.orderOf(c, req.Key)
	if err != nil {
		return nil, err
	}
	return w.ship(c, o, req)
}

// ship notes how an order left: 10060004 for one that cannot, 10060023 for the same again, 10060003 for the second change.
func (w *world) ship(_ *apiCall, o *payOrder, s shippingInfo) (any, error) {
	if o.State != orderWaits && o.State != orderShipped {
		return nil, refuse(10060004)
	}
	same := o.Uploads > 0 && o.Logistics == int(s.Logistics) && sameValue(anyList(o.Parcels), anyList(s.Parcels))
	switch {
	case same:
		return nil, refuse(10060023)
	case o.Finished && o.Uploads >= 2:
		return nil, refuse(10060003)
	case s.Mode == 2 && o.Finished:
		return nil, refuse(10060002)
	}
	if s.Mode == 2 {
		o.Parcels = append(slices.Clone(o.Parcels), s.Parcels...)
		o.Finished = *s.All
	} else {
		o.Parcels, o.Finished = s.Parcels, true
	}
	o.Uploads, o.Mode, o.Logistics = o.Uploads+1, int(s.Mode), int(s.Logistics)
	if o.Finished {
		o.State = orderShipped
	}
	w.orders.put(o.TransactionID, o)
	return fields{}, nil
}

func anyList(parcels []map[string]any) []any {
	out := []any{}
	for _, p := range parcels {
		out = append(out, p)
	}
	return out
}

func uploadCombined(w *world, c *apiCall) (any, error) {
	var req struct {
		Key  orderKey       `json:"order_key"`
		Subs []shippingInfo `json:"sub_orders"`
		Time string         `json:"upload_time"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if len(req.Subs) == 0 {
		return nil, refuse(40097)
	}
	if err := checkUploadTime(req.Time); err != nil {
		return nil, refuse(40097)
	}
	found := []*payOrder{}
	for _, s := range req.Subs { // all of them or none
		if err := s.check(); err != nil {
			return nil, err
		}
		o, err := w.orderOf(c, s.Key)
		if err != nil {
			return nil, err
		}
		if o.State != orderWaits && o.State != orderShipped {
			return nil, refuse(10060004)
		}
		found = append(found, o)
	}
	for i, s := range req.Subs {
		if _, err := w.ship(c, found[i], s); err != nil {
			return nil, err
		}
	}
	return fields{}, nil
}
