package main

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"minifleet/plugins/sdk"
	"minifleet/plugins/sdk/sdktest"
)

// region harness

const owner, other = 11, 22

// newShop runs the plugin against a platform in memory: one mini program of space 11.
func newShop(t *testing.T) *sdktest.Harness {
	return sdktest.New(t, New(), sdktest.Options{
		Actor:        sdk.ActorInfo{AccountID: 1, SpaceID: owner, SpaceKind: "merchant", Role: "owner"},
		MiniPrograms: []sdk.MiniProgramInfo{{AppID: "wx1", OwnerSpace: owner}},
	})
}

// row is a coupon as REST shows it.
type row struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Stock   int64  `json:"stock"`
	Stopped bool   `json:"stopped"`
}

func add(t *testing.T, h *sdktest.Harness, name string, stock int64) row {
	t.Helper()
	var made row
	until := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	if err := h.API("POST", "/coupons", map[string]any{"appid": "wx1", "name": name, "stock": stock, "until": until}, &made); err != nil {
		t.Fatal(err)
	}
	return made
}

func TestACouponIsStoppedByHandAndByTheJob(t *testing.T) {
	h := newShop(t)
	byHand, byJob := add(t, h, "满减券", 3), add(t, h, "新客券", 3)
	id, err := strconv.ParseInt(byHand.ID, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if result, err := h.Act("coupons", "stop", id); err != nil || result.Message != "停用：1 条" {
		t.Fatalf("the action gave %+v, %v", result, err)
	}
	h.Advance(10 * 24 * time.Hour)
	if note, err := h.Job("expire"); err != nil || note != "停用 1 张" {
		t.Errorf("the job noted %q, %v", note, err)
	}
	var got row
	if err := h.API("GET", "/coupons/"+byJob.ID, nil, &got); err != nil || !got.Stopped {
		t.Errorf("afterwards the coupon is %+v, %v", got, err)
	}
}

// endregion

func TestAMiniProgramThatLeavesTakesItsCouponsOutOfUse(t *testing.T) {
	h := newShop(t)
	made := add(t, h, "满减券", 3)
	if err := h.Event(sdk.Event{Type: "miniprogram.unauthorized", AppID: "wx1", SpaceID: owner}); err != nil {
		t.Fatal(err)
	}
	var failure *sdk.Error
	if err := h.API("POST", "/coupons/"+made.ID+"/take", nil, nil); !errors.As(err, &failure) || failure.Code != "coupon.over" {
		t.Errorf("taking a stopped one gave %v", err)
	}
}

func TestTheLastCouponIsTakenOnce(t *testing.T) {
	h := newShop(t)
	made := add(t, h, "抢券", 5)
	var got, gone sync.Map
	var takers sync.WaitGroup
	for i := range 20 {
		takers.Go(func() {
			err := h.API("POST", "/coupons/"+made.ID+"/take", nil, nil)
			var failure *sdk.Error
			switch {
			case err == nil:
				got.Store(i, true)
			case errors.As(err, &failure) && failure.Code == "coupon.gone":
				gone.Store(i, true)
			default:
				t.Errorf("taking gave %v", err)
			}
		})
	}
	takers.Wait()
	count := func(m *sync.Map) (n int) {
		m.Range(func(any, any) bool { n++; return true })
		return n
	}
	if count(&got) != 5 || count(&gone) != 15 {
		t.Errorf("%d got one of 5, %d came too late", count(&got), count(&gone))
	}
}

func TestWhatDoesNotFitIsRefusedOnItsField(t *testing.T) {
	h := newShop(t)
	good := map[string]string{"appid": "wx1", "name": "券", "stock": "1", "until": "2026-12-01"}
	for field, bad := range map[string]string{"stock": "-1", "until": "2020-01-01", "name": "", "appid": ""} {
		form := map[string]string{}
		for name, value := range good {
			form[name] = value
		}
		form[field] = bad
		if _, err := h.Save("coupons", 0, 0, form); sdk.FieldErrors(err)[field] == "" {
			t.Errorf("%s %q gave %v", field, bad, err)
		}
	}
	if _, err := h.Save("coupons", 0, 0, good); err != nil {
		t.Error(err)
	}
	stranger := h.As(sdk.ActorInfo{AccountID: 2, SpaceID: other, SpaceKind: "merchant", Role: "owner"})
	if _, err := stranger.Save("coupons", 0, 0, good); err == nil {
		t.Error("a coupon on another's mini program was kept")
	}
	var page struct{ Items []row }
	if err := stranger.API("GET", "/coupons", nil, &page); err != nil || len(page.Items) != 0 {
		t.Errorf("another space sees %+v, %v", page, err)
	}
}
