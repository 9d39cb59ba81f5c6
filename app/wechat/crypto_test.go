package wechat

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

const (
	zeroKey   = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	sampleKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	ownKey    = "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM"
	ownToken  = "sf_demo_token_01"
	ownAppID  = "wx0123456789abcdef"
)

func crypter(t testing.TB, appID, token, key string) *Crypter {
	t.Helper()
	c, err := NewCrypter(appID, []string{token}, []string{key})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPublishedVectors(t *testing.T) {
	x26y32 := strings.Repeat("x", 26) + strings.Repeat("y", 32)
	for _, v := range []struct {
		name, appID, token, key       string
		timestamp, nonce, signature   string
		encrypt, random, message, has string
		size                          int
	}{
		{name: "O1", appID: "wx134c8103faa5a59e", token: "AAAAA", key: zeroKey, timestamp: "1715943329", nonce: "1590219412",
			signature: "6c12a4205838198b8fa631b3220723bb07f1015c", encrypt: cipherO1, random: "1205899eaf019bbd", has: "hello world", size: 292},
		{name: "O2", appID: "wx134c8103faa5a59e", token: "AAAAA", key: zeroKey, timestamp: "1713424427", nonce: "415670741",
			signature: "03e0812039325c2712ef5f0f980fd14c70d6e307", encrypt: cipherO2, random: "999951349e8ee746",
			message: "<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>", size: 52},
		{name: "O3", appID: "wxba5fad812f8e6fb9", token: "AAAAA", key: zeroKey, timestamp: "1714112445", nonce: "415670741",
			signature: "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3", encrypt: cipherO3, random: "a8eedb185eb2fecf", has: "debug_demo", size: 167},
		{name: "S1", appID: "wxb11529c136998cb6", token: "pamtest", key: sampleKey, timestamp: "1409304348", nonce: "xxxxxx",
			signature: "82c962d39941aa48552f90ef55aa323dc620cc10", random: "aaaabbbbccccdddd", message: "我是中文abcd123", size: 19,
			encrypt: "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="},
		{name: "S2", appID: "wxb11529c136998cb6", token: "pamtest", key: sampleKey, timestamp: "1458300676", nonce: "260774613",
			signature: "4f3ad57b6989f09f4eb392acce4f9e93942ed890", encrypt: cipherS2, random: "d43123b161a4ba84", has: "asdasdasdsadasd", size: 293},
		{name: "V1", appID: ownAppID, token: ownToken, key: ownKey, timestamp: "1760000001", nonce: "889900112",
			signature: "2cf330a0c830e1809d835320ce49c02eee204c9f", encrypt: cipherV1, random: "R1a2n3d4o5m6S7t8", has: "ticket@@@demoTicketValue001", size: 233},
		{name: "V2", appID: ownAppID, token: ownToken, key: ownKey, timestamp: "1760000003", nonce: "42",
			signature: "7a1ab69b22a459ba214122446185184debaa0b9f", encrypt: cipherV2, random: "0123456789abcdef", has: "你好，世界", size: 231},
		{name: "V3", appID: ownAppID, token: ownToken, key: ownKey, timestamp: "1760000004", nonce: "7",
			signature: "038f1af445a2ff4dbcddf52e95d30cd963430870", encrypt: cipherV3, random: "pad32pad32pad32!", message: x26y32, size: 58},
		{name: "V4", appID: ownAppID, token: ownToken, key: ownKey, timestamp: "1760000005", nonce: "0",
			signature: "001ebdf96ca0a73e8d9af728744c5572e5128c58", random: "emptyemptyempty!", size: 0,
			encrypt: "TZTES2klOoif5nAQy0LGbhiZUmieUbRGlU3ZUiL5u/2yybJ5mNWzdfT2h4W8mDi4a5Uy2VMvYFC6l2linxwRdQ=="},
	} {
		t.Run(v.name, func(t *testing.T) {
			c := crypter(t, v.appID, v.token, v.key)
			signed := Signed{v.timestamp, v.nonce, v.signature}
			if err := c.Verify(signed, v.encrypt); err != nil {
				t.Fatalf("signature (%s): %v", ReasonOf(err), err)
			}
			msg, err := c.Decrypt(v.encrypt)
			if err != nil {
				t.Fatalf("decrypt (%s): %v", ReasonOf(err), err)
			}
			if len(msg) != v.size || v.message != "" && string(msg) != v.message || !strings.Contains(string(msg), v.has) {
				t.Errorf("message of %d bytes: %s", len(msg), msg)
			}
			again, err := c.Encrypt(strings.NewReader(v.random), msg)
			if err != nil || again != v.encrypt {
				t.Errorf("encrypting again differs: %v", err)
			}
			flipped := signed
			flipped.MsgSignature = "0" + v.signature[1:]
			if v.signature[0] == '0' {
				flipped.MsgSignature = "1" + v.signature[1:]
			}
			for name, bad := range map[string]Signed{
				"other signature": flipped, "none": {v.timestamp, v.nonce, ""}, "no hex": {v.timestamp, v.nonce, strings.Repeat("z", 40)},
				"other nonce": {v.timestamp, v.nonce + "0", v.signature}, "short": {v.timestamp, v.nonce, v.signature[:39]},
			} {
				if err := c.Verify(bad, v.encrypt); ReasonOf(err) != ReasonSignature {
					t.Errorf("%s: %v", name, err)
				}
			}
			if _, err := crypter(t, "wxffffffffffffffff", v.token, v.key).Decrypt(v.encrypt); ReasonOf(err) != ReasonAppID {
				t.Errorf("for another appid: reason %q", ReasonOf(err))
			}
		})
	}
}

func TestNegativeVectors(t *testing.T) {
	c := crypter(t, ownAppID, ownToken, ownKey)
	want := map[string]Reason{"N1": ReasonPadding, "N2": ReasonPadding, "N3": ReasonPadding, "N4": ReasonLength,
		"N5": ReasonLength, "N6": ReasonAppID, "N7": ReasonAppID, "N8": "", "N9": ""}
	if len(negatives()) != len(want) {
		t.Fatalf("%d vectors", len(negatives()))
	}
	for _, v := range negatives() {
		if err := c.Verify(Signed{"1760000010", v.nonce, v.signature}, v.encrypt); err != nil {
			t.Errorf("%s: the signature is a valid one", v.id)
		}
		msg, err := c.Decrypt(v.encrypt)
		if got := ReasonOf(err); got != want[v.id] {
			t.Errorf("%s: reason %q, want %q", v.id, got, want[v.id])
		}
		switch v.id {
		case "N8": // padded to 16: accepted, see Decrypt
			if string(msg) != "<xml/>" {
				t.Errorf("N8: message %q", msg)
			}
		case "N9": // opens, and the XML reader refuses its DOCTYPE
			for _, kind := range []string{TicketURL, MessageURL} {
				if _, err := ParsePush(kind, msg); ReasonOf(err) != ReasonXML {
					t.Errorf("N9: a push with DOCTYPE: %v", err)
				}
			}
		default:
			if err.Error() != "wechat: push refused" {
				t.Errorf("%s: the error tells %q", v.id, err)
			}
		}
	}
}

func TestCipherTextsThatAreNone(t *testing.T) {
	c := crypter(t, ownAppID, ownToken, ownKey)
	for name, v := range map[string]struct {
		encrypt string
		want    Reason
	}{
		"empty":              {"", ReasonBase64},
		"line break":         {cipherV3[:40] + "\n" + cipherV3[40:], ReasonBase64},
		"blank":              {" " + cipherV3, ReasonBase64},
		"url alphabet":       {strings.ReplaceAll(cipherV3, "/", "_"), ReasonBase64},
		"no padding":         {strings.TrimRight(cipherV3, "="), ReasonBase64},
		"loose trailing bit": {cipherV3[:len(cipherV3)-2] + "x=", ReasonBase64},
		"15 bytes":           {base64.StdEncoding.EncodeToString(make([]byte, 15)), ReasonCipher},
		"16 zero bytes":      {base64.StdEncoding.EncodeToString(make([]byte, 16)), ReasonPadding},
	} {
		if _, err := c.Decrypt(v.encrypt); ReasonOf(err) != v.want {
			t.Errorf("%s: reason %q, want %q", name, ReasonOf(err), v.want)
		}
	}
	for name, size := range map[string]int{"19 bytes after unpadding": 19, "nothing after unpadding": 0} {
		if _, err := c.Decrypt(sealRaw(t, make([]byte, size))); ReasonOf(err) != ReasonLength {
			t.Errorf("%s: reason %q", name, ReasonOf(err))
		}
	}
}

// sealRaw pads and encrypts any clear text with the own key, without regard to its inner layout.
func sealRaw(t *testing.T, clear []byte) string {
	t.Helper()
	key, err := DecodeAESKey(ownKey)
	if err != nil {
		t.Fatal(err)
	}
	n := 32 - len(clear)%32
	buf := append(bytes.Clone(clear), bytes.Repeat([]byte{byte(n)}, n)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(buf, buf)
	return base64.StdEncoding.EncodeToString(buf)
}

func TestRotationTriesEveryTokenAndKey(t *testing.T) {
	c, err := NewCrypter(ownAppID, []string{"new-token", ownToken}, []string{sampleKey, ownKey, zeroKey})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Verify(Signed{"1760000001", "889900112", "2cf330a0c830e1809d835320ce49c02eee204c9f"}, cipherV1); err != nil {
		t.Errorf("previous token: %v", err)
	}
	if msg, err := c.Decrypt(cipherV1); err != nil || !bytes.Contains(msg, []byte("demoTicketValue001")) {
		t.Errorf("previous key: %v", err)
	}
	for _, v := range negatives() {
		if v.id == "N6" {
			if _, err := c.Decrypt(v.encrypt); ReasonOf(err) != ReasonAppID {
				t.Errorf("the reason of the key that came furthest is lost: %q", ReasonOf(err))
			}
		}
	}
}

func TestAESKey(t *testing.T) {
	key, err := DecodeAESKey(ownKey)
	if err != nil || hex.EncodeToString(key) != "2aadef4fdc59d5b37b991e70636705f2127474beac03880fd6e13d88eded0713" {
		t.Errorf("own key: %x %v", key, err)
	}
	if _, err := DecodeAESKey(sampleKey); err != nil {
		t.Errorf("a key with spare bits set: %v", err)
	}
	for _, bad := range []string{"", ownKey[1:], ownKey + "=", ownKey[1:] + "+", ownKey[1:] + "\n"} {
		if _, err := DecodeAESKey(bad); err == nil {
			t.Errorf("%q accepted", bad)
		} else if strings.Contains(err.Error(), ownKey[2:10]) {
			t.Error("the error shows the key")
		}
	}
	for name, f := range map[string]func() (*Crypter, error){
		"no appid": func() (*Crypter, error) { return NewCrypter("", []string{"t"}, []string{ownKey}) },
		"no token": func() (*Crypter, error) { return NewCrypter("wx", []string{""}, []string{ownKey}) },
		"no key":   func() (*Crypter, error) { return NewCrypter("wx", []string{"t"}, nil) },
		"bad key":  func() (*Crypter, error) { return NewCrypter("wx", []string{"t"}, []string{"x"}) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSignatureSortsItsParts(t *testing.T) {
	if got := Signature("345", "123"); got != "9f537aeb751ec72605f57f94a2f6dc3e3958e1dd" {
		t.Error(got)
	}
	if got := Signature("AAAAA", "1714036504", "1514711492"); got != "f464b24fc39322e44b38aa78f5edd27bd1441696" {
		t.Error(got)
	}
}

func TestReplyIsTheOfficialOne(t *testing.T) {
	c := crypter(t, "wx134c8103faa5a59e", "AAAAA", zeroKey)
	reply, err := c.Reply(strings.NewReader("999951349e8ee746"), []byte("<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>"), 1713424427, "415670741")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{cipherO2, "<MsgSignature><![CDATA[03e0812039325c2712ef5f0f980fd14c70d6e307]]>", "<TimeStamp>1713424427</TimeStamp>"} {
		if !bytes.Contains(reply, []byte(part)) {
			t.Errorf("reply lacks %s:\n%s", part, reply)
		}
	}
	env, err := ParseEnvelope(reply)
	if err != nil || env.Encrypt != cipherO2 {
		t.Errorf("our own reply does not parse: %v", err)
	}
	if _, err := c.Reply(strings.NewReader("short"), nil, 1, ""); err == nil {
		t.Error("a reply without enough randomness")
	}
}

func FuzzDecrypt(f *testing.F) {
	c := crypter(f, ownAppID, ownToken, ownKey)
	for _, v := range negatives() {
		f.Add(v.encrypt)
	}
	f.Add(cipherV1)
	f.Fuzz(func(t *testing.T, encrypt string) {
		msg, err := c.Decrypt(encrypt)
		if err == nil && len(msg) > len(encrypt) {
			t.Error("a message longer than its cipher text")
		}
		if err != nil && err.Error() != "wechat: push refused" {
			t.Errorf("the error tells %q", err)
		}
	})
}
