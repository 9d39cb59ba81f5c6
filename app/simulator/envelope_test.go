package simulator

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// The vectors are WeChat's official samples (O), those of public SDKs (S) and made from the documents (V, N); none of
// them was produced by the code under test.
const (
	keyA      = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	keyS      = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG" // last character with spare bits
	keyV      = "Kq3vT9xZ1bN7mR5wY2cF8hJ0dL6sA4gP1uE9iO3tBxM"
	platformO = "wx134c8103faa5a59e"
	platformS = "wxb11529c136998cb6"
	platformV = "wx0123456789abcdef"
)

func envelopeFor(t testing.TB, token, key, appID string) envelope {
	t.Helper()
	e, err := newEnvelope(token, key, appID)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDecryptAndEncryptPublishedVectors(t *testing.T) {
	o, s, v := envelopeFor(t, "AAAAA", keyA, platformO), envelopeFor(t, "pamtest", keyS, platformS), envelopeFor(t, "sf_demo_token_01", keyV, platformV)
	own := envelopeFor(t, "AAAAA", keyA, "wxba5fad812f8e6fb9")
	vectors := []struct {
		name, random, stamp, nonce, signature, encrypted string
		env                                              envelope
		length                                           int
		message                                          string // "" where the document does not print it
	}{
		{"O1 official push", "1205899eaf019bbd", "1715943329", "1590219412", "6c12a4205838198b8fa631b3220723bb07f1015c", "D7yzvUNAL930rd28wf21s4hvXhz0L6Uit/p2Di6C5DHyYGpEgdBRnKjBec34JwoQXicwaZC7fOVihW80F4VtsdvE//1vr7oAbqjDv8KenVp+ajKYpJnyQ4zMRhIC+a31fCVOMC03FfzV/QuC94kBP55a+Za3sJgvAn+ZbsNqZI5DkyuzkhQN8OBqCzFhizGmy0xpM0MEA4agpvE+RuNO1rhHTtuJB5yltw1FiYzecSXJ+y/D2r81VkRn2eYjh2ltsoyfbDR7Is6ookXIFxTfyeNyeHxMeT4KN5WpCDmSbTcUYrbBUlkGLJ9n/rU8YOywma6G7aTb7KZKOqCxgfoUlYEZPk4FUL/TK7ShriFDMVCLyjQJ15Ob++agDWtcxhfUfe6HIoIpRW8mKNBQiY/Jd1svvuskA1wLef1RTtzKfMpagSCX/laZINmdnX4zrF6kIaR9P4xQrWXbsTFHTYe0Mg==", o, 292, ""},
		{"O2 official reply", "999951349e8ee746", "1713424427", "415670741", "03e0812039325c2712ef5f0f980fd14c70d6e307", "hE8R6mGXHkJJjU72KxzKUd1GEkKJaEZq7vRL8XgK3o+00k8JGq6+pZJUIlTSyhsX+bxIBQ72g3GyvDdIZcr6+3HAZbSvPT9t/o11MI7d6WELwqrGd7jMnV0zv3Zc9Nq7", o, 52, "<xml><demo_resp>[CDATA[good luck]]</demo_resp></xml>"},
		{"O3 official JSON push", "a8eedb185eb2fecf", "1714112445", "415670741", "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3", "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=", own, 167, ""},
		{"S1 UTF-8 text", "aaaabbbbccccdddd", "1409304348", "xxxxxx", "82c962d39941aa48552f90ef55aa323dc620cc10", "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==", s, 19, "我是中文abcd123"},
		{"S2 user text", "d43123b161a4ba84", "1458300676", "260774613", "4f3ad57b6989f09f4eb392acce4f9e93942ed890", "rTNFcsut4LfGuAFKEUVVpwcaCOTJzOd9twZdIW910jb3k+iicx2uvhttIZ3Qg9Qgty3BEF2xbOrz6boTfb30dMomcgrkTqdFPwnhqbk+kIQ7rZiwny9D7NUrTgA5kpX3KsZvrXzUZyP2x9YOlxbgm572lmxKvM7HAQQhIQ/p6HBmoY30bGXFK0BtIu1pW9TjhOYrLQoU18nWYjWqDA1ynkmOytpv7QRI1P1+0NoxL0q2zO1DgeSvnE8CZGo/o5Ap/WHK5W2RAsinpzN4/LjPnmB6U01I5XCoJoC0GK/yMZycd2Oh8Nq6+wBkC1U85oy0ktOY4nLvsQMLrourmMGdZHuTbqpeJ8Ao/5PRYJ+WBvRUwPfGKBL2+2IKZF49vAJqkcGWSHGE76ZN2erXeuNazf/o9o3lIE3q739o4c8t9QGPe31GT2Go/rOz1BsrASwvauNulCh+++yz+CQzBIuikA==", s, 293, ""},
		{"V1 ticket", "R1a2n3d4o5m6S7t8", "1760000001", "889900112", "2cf330a0c830e1809d835320ce49c02eee204c9f", "r78JegouuFnnvj+Qm8UW81z5FTF6fMHPPiCWKaLilGJ4/aboF4F94eSeuYnUIZN8XIYI7IqDQo8XIll6pjEE1+7Nv7cbxeqUnpXq7ym//wBhg9wgbFmFwCnIMEbod+w0Q5Q4coUBLCWgJTU7ZAOqbHNlNYp798yIq91ZZ9XoypZWQiwNg1omfAdvOKfi3UzunSKVuJKS6Q7BpNVzhwwKJgiLoqW/lxQAxMF8Tx8llqhPxql6kNUzSWxFS5fVMdEMNiGbhsJg0PtGIUo9KLu8OWq4jIQa4QsKK2O7lCzjxzncVHh7vXI8Smfl3nry2eLlDA1W2UTdl5fFm7lC01RL37TWilHPjanXlsP2d1H0ixPWNEdM2UxblZhoTbhTGuBH", v, 233, "<xml><AppId><![CDATA[wx0123456789abcdef]]></AppId><CreateTime>1760000000</CreateTime><InfoType><![CDATA[component_verify_ticket]]></InfoType><ComponentVerifyTicket><![CDATA[ticket@@@demoTicketValue001]]></ComponentVerifyTicket></xml>"},
		{"V2 UTF-8 reply", "0123456789abcdef", "1760000003", "42", "7a1ab69b22a459ba214122446185184debaa0b9f", "JY9/1CthgFk5TpIa8ibyapgFkLntnc6XfkTZabJNzEh179VrH6sr3vjZXG/sAfhxGjcnsaslzjHpJpPn4AvBFGHECuV0UZpit6HuXbNOGEYZh87N9k2PJGAwpTu+qv/w0mNj5Obk26kKNjKaD8pfBAMr2/AUEB8CNAgYGvJR+PHcXHBxFNX4i8H735ZoUXd0QQYo9jgnenbSDgckL9BNGnsAXeUQyWRxyVIVAqixkCbK3dWl65Bqsi8uE7h+pbQy+tGKfyKfKzEhi065g18ZLECykcx5Tau2Iy2cFkzDH7QwpYl3aUlxUj6T8d9tW3CG2Qpb3hBSkmpMTn+5kryRsho1xNuViqZTDPzRzPHM69k2usK1ktDcN2vPmIpNQt4E", v, 231, "<xml><ToUserName><![CDATA[oDemoOpenId]]></ToUserName><FromUserName><![CDATA[gh_demo00000001]]></FromUserName><CreateTime>1760000002</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[你好，世界]]></Content></xml>"},
		{"V3 full padding block", "pad32pad32pad32!", "1760000004", "7", "038f1af445a2ff4dbcddf52e95d30cd963430870", "1lYFrEmlHedynN7Jv/MuqWfO+t0nq7Pq8NS8LINjmNc47e1G6IrcNa1FLDoafjhEUzDo2acay+GhsLG0hFzfr6WUa0DxwSx5MYp2gnfLgjFGUzpmlH/EsnY4v3KG3ou/b+lAiXb+HoH2/D+UU+x3N8Nn6oU/gMewuTpqct2SlXw=", v, 58, "xxxxxxxxxxxxxxxxxxxxxxxxxxyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"},
		{"V4 empty message", "emptyemptyempty!", "1760000005", "0", "001ebdf96ca0a73e8d9af728744c5572e5128c58", "TZTES2klOoif5nAQy0LGbhiZUmieUbRGlU3ZUiL5u/2yybJ5mNWzdfT2h4W8mDi4a5Uy2VMvYFC6l2linxwRdQ==", v, 0, ""},
	}
	for _, c := range vectors {
		t.Run(c.name, func(t *testing.T) {
			if got := sign(c.env.token, c.stamp, c.nonce, c.encrypted); got != c.signature {
				t.Errorf("signature %s, want %s", got, c.signature)
			}
			plain, err := c.env.decrypt(c.encrypted)
			if err != nil {
				t.Fatal(err)
			}
			if len(plain) != c.length {
				t.Errorf("message of %d bytes, want %d: %s", len(plain), c.length, plain)
			}
			if c.message != "" && string(plain) != c.message {
				t.Errorf("message %q, want %q", plain, c.message)
			}
			again, err := c.env.encrypt([]byte(c.random), plain)
			if err != nil {
				t.Fatal(err)
			}
			if again != c.encrypted {
				t.Errorf("encrypting again gives\n%s, want\n%s", again, c.encrypted)
			}
		})
	}
}

func TestSignatureSamples(t *testing.T) {
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{[]string{"AAAAA", "1715943329", "1590219412"}, "cc0c594499c1634947d5b502f158ee518947db27"},
		{[]string{"AAAAA", "1714036504", "1514711492"}, "f464b24fc39322e44b38aa78f5edd27bd1441696"},
		{[]string{"345", "123"}, "9f537aeb751ec72605f57f94a2f6dc3e3958e1dd"},
	} {
		if got := sign(c.parts...); got != c.want {
			t.Errorf("sign(%v) = %s, want %s", c.parts, got, c.want)
		}
	}
}

func TestDecryptRefusesBrokenVectors(t *testing.T) {
	env := envelopeFor(t, "sf_demo_token_01", keyV, platformV)
	vectors := []struct{ name, nonce, encrypted, signature string }{
		{"N1 last pad byte 0x00", "1", "Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97ums20FeyJq0BnWVaC3GnYkLbWEDzh0ufml5OhBul5uYA==", "dcb9c6e9e8431294c39a5c64b8566a29f5716474"},
		{"N2 pad value 33", "2", "Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97stxKgdFakX3e97SK8qqa9C8kELWcYqXVOPxuXNYaf8xA==", "588460288df297bd9b02a83adf6d471ccc51aae6"},
		{"N3 inconsistent pad bytes", "3", "Ekh0C4c+/19RB8XlbvKsoW1Zh7UXh3DdOqjFLB6X97tDLzTbHfhJnjkA8luJYf3vNxoY+8QRgLL7yy96GtCHow==", "1ef20c929e75c5621accc71e7406f1aa71bfe915"},
		{"N4 msg_len 4096 > buffer", "4", "Ekh0C4c+/19RB8XlbvKsoV1TVSqZzEwak8rSizQ842j411FwYgrRXRldAarq9tfgkmScpraBpdI0bpp+HnuT4g==", "510ce7f37f4c7a05ddda0ade7461fa4af15422c9"},
		{"N5 msg_len 0xFFFFFFFF (−1 if signed)", "5", "Ekh0C4c+/19RB8XlbvKsoZiaZgnu5NcFqMr/aH1wf43rkYwIG7voG/LYBpcV/LvagwBZjIjU2PzIBQVRYIVbgA==", "f421bf45f6f7f500dfd3d0daf674ba1e2cb19a10"},
		{"N6 suffix wxffffffffffffffff", "6", "Ekh0C4c+/19RB8XlbvKsoXwGUxlLlX0Mb8OPz9G7yY6/2i7XO59Qo4Q4W56aHAUxyrM0U9zWvh9GCftu/bPi8w==", "9bb1ed9b4bbb05d260249b10a248e37b2df666a3"},
		{"N7 no appid suffix", "7", "Ekh0C4c+/19RB8XlbvKsoWT+HGGrgsOltTi5VaZvxhc=", "9cec6f5907d4f1ca275e6c0e6e7dcaf5695144bf"},
	}
	for _, c := range vectors {
		t.Run(c.name, func(t *testing.T) {
			if got := sign(env.token, "1760000010", c.nonce, c.encrypted); got != c.signature {
				t.Errorf("signature %s, want %s", got, c.signature)
			}
			if plain, err := env.decrypt(c.encrypted); !errors.Is(err, errEnvelope) {
				t.Errorf("decrypted to %q, %v; want a refusal", plain, err)
			}
		})
	}
	for name, encrypted := range map[string]string{"empty": "", "not base64": "!!", "not whole blocks": "AAAA", "white space": "AA\nAA"} {
		if _, err := env.decrypt(encrypted); !errors.Is(err, errEnvelope) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := envelopeFor(t, "pamtest", keyS, "wxffffffffffffffff").decrypt("rTNFcsut4LfGuAFKEUVVpwcaCOTJzOd9twZdIW910jb3k+iicx2uvhttIZ3Qg9Qgty3BEF2xbOrz6boTfb30dMomcgrkTqdFPwnhqbk+kIQ7rZiwny9D7NUrTgA5kpX3KsZvrXzUZyP2x9YOlxbgm572lmxKvM7HAQQhIQ/p6HBmoY30bGXFK0BtIu1pW9TjhOYrLQoU18nWYjWqDA1ynkmOytpv7QRI1P1+0NoxL0q2zO1DgeSvnE8CZGo/o5Ap/WHK5W2RAsinpzN4/LjPnmB6U01I5XCoJoC0GK/yMZycd2Oh8Nq6+wBkC1U85oy0ktOY4nLvsQMLrourmMGdZHuTbqpeJ8Ao/5PRYJ+WBvRUwPfGKBL2+2IKZF49vAJqkcGWSHGE76ZN2erXeuNazf/o9o3lIE3q739o4c8t9QGPe31GT2Go/rOz1BsrASwvauNulCh+++yz+CQzBIuikA=="); !errors.Is(err, errEnvelope) {
		t.Errorf("a message for another platform was opened: %v", err)
	}
}

func TestSpoiledPushesAreTheNegativeVectors(t *testing.T) {
	env := envelopeFor(t, "sf_demo_token_01", keyV, platformV)
	for _, defect := range []string{"padding", "length", "base64"} {
		encrypted, err := env.encryptBroken("<xml/>", defect)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := env.decrypt(encrypted); !errors.Is(err, errEnvelope) {
			t.Errorf("%s: a receiver would accept it: %v", defect, err)
		}
	}
	encrypted, err := env.encryptBroken("<xml/>", "doctype")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := env.decrypt(encrypted); err != nil || !strings.HasPrefix(string(plain), "<!DOCTYPE") {
		t.Errorf("doctype push holds %q, %v", plain, err)
	}
}

func TestNewEnvelopeChecksTheKey(t *testing.T) {
	if got := hex.EncodeToString(envelopeFor(t, "", keyV, "").key); got != "2aadef4fdc59d5b37b991e70636705f2127474beac03880fd6e13d88eded0713" {
		t.Errorf("key %s", got)
	}
	for _, key := range []string{"", "short", strings.Repeat("A", 44), strings.Repeat("!", 43)} {
		if _, err := newEnvelope("t", key, "wx"); err == nil {
			t.Errorf("key %q was accepted", key)
		}
	}
}

func TestOpenReplyVerifiesBeforeItDecrypts(t *testing.T) {
	env := envelopeFor(t, "AAAAA", keyA, platformO)
	good := "<xml><Encrypt><![CDATA[hE8R6mGXHkJJjU72KxzKUd1GEkKJaEZq7vRL8XgK3o+00k8JGq6+pZJUIlTSyhsX+bxIBQ72g3GyvDdIZcr6+3HAZbSvPT9t/o11MI7d6WELwqrGd7jMnV0zv3Zc9Nq7]]></Encrypt><MsgSignature>03e0812039325c2712ef5f0f980fd14c70d6e307</MsgSignature>" +
		"<TimeStamp>1713424427</TimeStamp><Nonce>415670741</Nonce></xml>"
	plain, err := env.openReply([]byte(good))
	if err != nil || !strings.Contains(string(plain), "good luck") {
		t.Fatalf("reply %q, %v", plain, err)
	}
	for name, text := range map[string]string{
		"signature": strings.Replace(good, "03e0", "03e1", 1), "trailing": good + "<x/>", "two": strings.Replace(good, "<Nonce>", "<Encrypt>x</Encrypt><Nonce>", 1),
		"not XML": "success", "no Encrypt": "<xml></xml>",
	} {
		if _, err := env.openReply([]byte(text)); err == nil {
			t.Errorf("%s: reply was accepted", name)
		}
	}
}
