package command

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"minifleet/app/account"
)

// approveMerchant takes the demo's merchant through its application as anybody would: filled in, handed in, approved by the
// demo's operator. One that was ever handed in is left as it is.
func (s *seeder) approveMerchant(ctx context.Context, merchant, operator account.Actor) error {
	spaces := s.platform.spaces
	a, err := spaces.Application(ctx, merchant)
	if err != nil || a.Round > 0 {
		return err
	}
	_, err = spaces.SaveApplication(ctx, merchant, account.ApplicationForm{
		Company: merchant.Space, CreditCode: demoCreditCode, LegalPerson: "王晨光", Contact: "小王", Phone: "13800008000", Email: "merchant@example.test", Category: "软件服务",
	}, -1)
	if err != nil {
		return fmt.Errorf("demo application: %w", err)
	}
	var license bytes.Buffer
	if err := png.Encode(&license, demoLicense()); err != nil {
		return err
	}
	if _, err := spaces.PutFile(ctx, merchant, "license", &license); err != nil {
		return fmt.Errorf("demo application: %w", err)
	}
	if a, err = spaces.SubmitApplication(ctx, merchant); err != nil {
		return fmt.Errorf("demo application: %w", err)
	}
	if err := spaces.Decide(ctx, operator, a.ID, account.Decision{Round: a.Round, Approve: true, Note: "演示商户"}); err != nil {
		return fmt.Errorf("demo application: %w", err)
	}
	return nil
}

// demoCreditCode is made up; its check digit is right.
const demoCreditCode = "91110000MA0000001L"

// demoLicense is a picture that stands for a 营业执照: a frame and lines, no words that could be taken for a real one.
func demoLicense() image.Image {
	img := image.NewRGBA(image.Rect(0, 0, 640, 440))
	paper, ink, seal := color.RGBA{252, 248, 236, 255}, color.RGBA{120, 98, 60, 255}, color.RGBA{190, 40, 40, 255}
	for y := range 440 {
		for x := range 640 {
			c := paper
			edge := min(x, y, 639-x, 439-y)
			dx, dy := x-520, y-340
			switch r := dx*dx + dy*dy; {
			case edge >= 14 && edge < 20:
				c = ink
			case r >= 46*46 && r < 52*52:
				c = seal
			case y >= 60 && y < 84 && x >= 200 && x < 440, x >= 70 && x < 430 && y >= 130 && y < 380 && y%42 < 8:
				c = ink
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}
