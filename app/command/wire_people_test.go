package command

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"minifleet/app/account"
	"minifleet/app/config"
)

func TestSMSGoesToTheGatewaySigned(t *testing.T) {
	var got smsMessage
	status := http.StatusOK
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte("s3cret"))
		mac.Write([]byte(r.Header.Get("X-MiniFleet-Timestamp") + "." + string(body)))
		if r.Header.Get("X-MiniFleet-Signature") != hex.EncodeToString(mac.Sum(nil)) {
			t.Errorf("signature %q does not fit", r.Header.Get("X-MiniFleet-Signature"))
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "http://127.0.0.1:1/")
		}
		w.WriteHeader(status)
	}))
	defer gateway.Close()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load("", []string{"MINIFLEET_SMS_WEBHOOKURL=" + gateway.URL, "MINIFLEET_SMS_SECRETFILE=" + secret})
	if err != nil {
		t.Fatal(err)
	}
	sender, err := codeSender(cfg, &http.Client{})
	if err != nil {
		t.Fatal(err)
	}
	if !sender.Reaches("13800000000") || sender.Reaches("a@example.test") {
		t.Fatal("a house with SMS alone reaches phones alone")
	}
	letter := account.Letter{To: "13800000000", Purpose: account.ForReset, Code: "123456", Text: "验证码 123456"}
	if err := sender.Send(t.Context(), letter); err != nil || got.Code != "123456" || got.To != letter.To || got.Purpose != "reset" || got.Text != letter.Text {
		t.Fatalf("%+v %v", got, err)
	}
	for _, status = range []int{http.StatusBadGateway, http.StatusFound} {
		if err := sender.Send(t.Context(), letter); err == nil || !strings.Contains(err.Error(), "answered") {
			t.Fatalf("%d: %v", status, err)
		}
	}
	if err := sender.Send(t.Context(), account.Letter{To: "a@example.test"}); err == nil {
		t.Fatal("mail without a mail server")
	}
}

func TestAHouseWithoutMailAndSMSSendsNothing(t *testing.T) {
	cfg, err := config.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if sender, err := codeSender(cfg, &http.Client{}); err != nil || sender != nil {
		t.Fatalf("%v %v", sender, err)
	}
}
