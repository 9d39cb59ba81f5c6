package main

import (
	"context"
	"fmt"

	"minifleet/plugins/sdk"
)

// region coupon

// Coupon is one coupon of a mini program: its owner sees it, and spaces with a grant on the mini program.
type Coupon struct {
	sdk.Row
	AppID   string `col:"appid,小程序,text,required,size:64,filter:eq,help:小程序的 AppID"`
	Name    string `col:"name,名称,text,required,size:30,filter:like"`
	Stock   int64  `col:"stock,库存,int,required"`
	Until   int64  `col:"until,有效期至,time,required"`
	Stopped bool   `col:"stopped,已停用,bool,filter:eq,readonly"`
}

// New declares the plugin.
func New() *sdk.Plugin {
	p := sdk.New("coupon", "优惠券", "1.0.0")
	coupons := sdk.Register[Coupon](p, "coupons", "优惠券", sdk.Visible{Kind: sdk.MiniProgram, Column: "appid"}, sdk.Sorted("-until"))
	stop := func(context.Context, Coupon) (sdk.Set, error) { return sdk.Set{"stopped": true}, nil }
	coupons.Change("stop", "停用", stop, sdk.When("stopped", "false"), sdk.Confirm("停用后不能再领取，确定停用吗？"))
	p.On("miniprogram.unauthorized", func(ctx context.Context, event sdk.Event) error {
		_, err := coupons.Each(ctx, sdk.Query{Where: []sdk.Where{sdk.Eq("appid", event.AppID), sdk.Eq("stopped", false)}}, stop)
		return err
	})
	p.Cron("expire", "停用过期的优惠券", "5 0 * * *", func(ctx context.Context) (string, error) {
		expired := []sdk.Where{sdk.Lt("until", sdk.Now(ctx).UnixMilli()), sdk.Eq("stopped", false)}
		n, err := coupons.Each(ctx, sdk.Query{Where: expired}, stop)
		return fmt.Sprintf("停用 %d 张", n), err
	})
	offer(p, &shop{coupons})
	return p
}

// endregion

// region offer

// offer adds what a form alone cannot do: rules, and taking a coupon.
func offer(p *sdk.Plugin, s *shop) {
	p.Describe("管理各小程序的优惠券：库存、有效期、停用；过期自动停用。", "MiniFleet 示例")
	s.coupons.Check(s.check)
	p.API("POST /coupons/{id}/take", sdk.JSON(s.take), sdk.Permission("coupon.coupons"), sdk.Summary("领取一张，库存减一"))
}

// shop draws on the stock.
type shop struct{ coupons *sdk.Registered[Coupon] }

// endregion

// region check

// check holds what is saved, in the form, a file or by REST, to the rules of the table.
func (s *shop) check(ctx context.Context, coupon *Coupon) error {
	refused := sdk.Fail("coupon.invalid", "请检查填写的内容")
	if coupon.Stock < 0 {
		refused = refused.On("stock", "不能小于 0")
	}
	if coupon.ID == 0 && coupon.Until <= sdk.Now(ctx).UnixMilli() {
		refused = refused.On("until", "应晚于现在")
	}
	if len(refused.Fields) > 0 {
		return refused
	}
	return nil
}

// endregion

// taking is the input of take.
type taking struct {
	ID int64 `json:"-" path:"id"`
}

// taken is its answer.
type taken struct {
	Stock int64 `json:"stock"`
}

// region take

// take draws one coupon. The stock is lowered inside the database and never below 0, so that two who take the last one at
// the same time cannot both have it.
func (s *shop) take(ctx context.Context, in taking) (taken, error) {
	coupon, err := s.coupons.Get(ctx, in.ID)
	if err != nil {
		return taken{}, err
	}
	if coupon.Stopped || coupon.Until <= sdk.Now(ctx).UnixMilli() {
		return taken{}, sdk.Conflict("coupon.over", "优惠券已停用或已过期")
	}
	_, err = sdk.Commit(ctx, []sdk.Op{s.coupons.Increment(coupon.ID, map[string]int64{"stock": -1}, sdk.AtLeast("stock", 0))})
	if sdk.Refused(err, sdk.CodeBounds) {
		return taken{}, sdk.Conflict("coupon.gone", "优惠券已领完")
	}
	if err != nil {
		return taken{}, err
	}
	coupon, err = s.coupons.Get(ctx, in.ID)
	return taken{coupon.Stock}, err
}

// endregion
