package wechat

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// aesBlock is the block of the PKCS#7 padding: WeChat pads to 32 bytes although AES has blocks of 16.
const aesBlock = 32

// randomSize is the number of random bytes in front of every clear message.
const randomSize = 16

// Signed holds the query parameters that authenticate a push. The parameter `signature` is left out on purpose:
// it does not cover the body and proves nothing.
type Signed struct {
	Timestamp    string // unix seconds, as received
	Nonce        string
	MsgSignature string // lower-case hex
}

// Crypter verifies, opens and seals the messages of one 第三方平台. It is immutable and safe for concurrent use.
// During a rotation it holds the current token and key first and the previous ones after them (01 A.5).
type Crypter struct {
	appID  string
	tokens []string
	keys   []aesKey
}

type aesKey struct {
	block cipher.Block
	iv    [aes.BlockSize]byte
}

// NewCrypter builds a Crypter for the component appid. Tokens and EncodingAESKeys come newest first; at least one of
// each is needed, and every key must decode to 32 bytes.
func NewCrypter(appID string, tokens, encodingAESKeys []string) (*Crypter, error) {
	if appID == "" {
		return nil, errors.New("wechat: crypter without appid")
	}
	c := &Crypter{appID: appID}
	for _, t := range tokens {
		if t != "" {
			c.tokens = append(c.tokens, t)
		}
	}
	for _, k := range encodingAESKeys {
		key, err := DecodeAESKey(k)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("wechat: aes key of %s: %w", appID, err)
		}
		c.keys = append(c.keys, aesKey{block: block, iv: [aes.BlockSize]byte(key[:aes.BlockSize])})
	}
	if len(c.tokens) == 0 || len(c.keys) == 0 {
		return nil, fmt.Errorf("wechat: crypter of %s needs a token and an aes key", appID)
	}
	return c, nil
}

// DecodeAESKey turns the 43 characters of an EncodingAESKey into 32 bytes. It is lenient about the last character:
// 43 characters carry 258 bits, and the console hands out keys whose two spare bits are not zero (01 A.5).
func DecodeAESKey(encoded string) ([]byte, error) {
	if len(encoded) != 43 {
		return nil, errors.New("wechat: EncodingAESKey must have 43 characters")
	}
	for i := range len(encoded) {
		if !isAlnum(encoded[i]) {
			return nil, errors.New("wechat: EncodingAESKey may only hold letters and digits")
		}
	}
	key, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil || len(key) != 32 {
		return nil, errors.New("wechat: EncodingAESKey does not decode to 32 bytes")
	}
	return key, nil
}

func isAlnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// Signature is sha1 over the byte-wise sorted parts joined without separator, in lower-case hex (01 A.1).
func Signature(parts ...string) string {
	sum := signature(parts...)
	return hex.EncodeToString(sum[:])
}

func signature(parts ...string) [sha1.Size]byte {
	slices.Sort(parts)
	h := sha1.New()
	for _, p := range parts {
		io.WriteString(h, p) // hash.Hash never fails
	}
	var sum [sha1.Size]byte
	h.Sum(sum[:0])
	return sum
}

// Verify checks msg_signature over the cipher text against every token, in constant time per token (01 A.3 step 3).
func (c *Crypter) Verify(s Signed, encrypt string) error {
	_, err := c.verify(s, encrypt)
	return err
}

func (c *Crypter) verify(s Signed, encrypt string) (token string, err error) {
	var got [sha1.Size]byte
	if len(s.MsgSignature) != 2*sha1.Size {
		return "", Refuse(ReasonSignature, nil)
	}
	if _, err := hex.Decode(got[:], []byte(s.MsgSignature)); err != nil {
		return "", Refuse(ReasonSignature, err)
	}
	for _, t := range c.tokens {
		want := signature(t, s.Timestamp, s.Nonce, encrypt)
		if subtle.ConstantTimeCompare(want[:], got[:]) == 1 {
			return t, nil
		}
	}
	return "", Refuse(ReasonSignature, nil)
}

// Decrypt opens a cipher text that was verified before (01 A.3 steps 5 to 8) and gives the clear message.
// With several keys the newest that fits wins; when none fits, the reason is that of the key that came furthest.
//
// Vector N8, padded to 16 instead of 32, is accepted: the sender has proved that it knows token and key, the padding
// value still lies within 1…32, and refusing would lose real pushes if one of WeChat's senders ever padded that way.
func (c *Crypter) Decrypt(encrypt string) ([]byte, error) {
	msg, _, err := c.decrypt(encrypt)
	return msg, err
}

func (c *Crypter) decrypt(encrypt string) (msg []byte, key int, err error) {
	// The standard decoder skips line breaks; a real push has none, and a signature over a text that we read
	// differently is worth nothing.
	if encrypt == "" || strings.ContainsAny(encrypt, "\r\n") {
		return nil, 0, Refuse(ReasonBase64, nil)
	}
	sealed, err := base64.StdEncoding.Strict().DecodeString(encrypt)
	if err != nil {
		return nil, 0, Refuse(ReasonBase64, err)
	}
	if len(sealed) == 0 || len(sealed)%aes.BlockSize != 0 {
		return nil, 0, Refuse(ReasonCipher, nil)
	}
	var best *Refusal
	for i := range c.keys {
		clear := sealed
		if i < len(c.keys)-1 {
			clear = bytes.Clone(sealed) // a later key may have to read the cipher text again
		}
		msg, refusal := c.open(&c.keys[i], clear)
		if refusal == nil {
			return msg, i, nil
		}
		if best == nil || depth(refusal.Reason) > depth(best.Reason) {
			best = refusal
		}
	}
	return nil, 0, best
}

// depth orders reasons by how far decryption came.
func depth(r Reason) int {
	switch r {
	case ReasonAppID:
		return 2
	case ReasonLength:
		return 1
	default:
		return 0
	}
}

func (c *Crypter) open(k *aesKey, buf []byte) ([]byte, *Refusal) {
	cipher.NewCBCDecrypter(k.block, k.iv[:]).CryptBlocks(buf, buf)
	n := int(buf[len(buf)-1])
	if n < 1 || n > aesBlock || n > len(buf) {
		return nil, Refuse(ReasonPadding, nil)
	}
	for _, b := range buf[len(buf)-n:] {
		if int(b) != n {
			return nil, Refuse(ReasonPadding, nil)
		}
	}
	buf = buf[:len(buf)-n]
	if len(buf) < randomSize+4 {
		return nil, Refuse(ReasonLength, nil)
	}
	size := uint64(binary.BigEndian.Uint32(buf[randomSize:]))
	rest := buf[randomSize+4:]
	if size > uint64(len(rest)) {
		return nil, Refuse(ReasonLength, nil)
	}
	msg, receiver := rest[:size:size], rest[size:]
	if subtle.ConstantTimeCompare(receiver, []byte(c.appID)) != 1 {
		return nil, Refuse(ReasonAppID, nil)
	}
	return msg, nil
}

// Encrypt seals msg with the newest key and a 16-byte prefix read from random, which must be a CSPRNG in production
// because the IV is constant (01 A.2, A.7).
func (c *Crypter) Encrypt(random io.Reader, msg []byte) (string, error) {
	return c.encrypt(&c.keys[0], random, msg)
}

func (c *Crypter) encrypt(k *aesKey, random io.Reader, msg []byte) (string, error) {
	size := randomSize + 4 + len(msg) + len(c.appID)
	pad := aesBlock - size%aesBlock
	buf := make([]byte, size+pad)
	if _, err := io.ReadFull(random, buf[:randomSize]); err != nil {
		return "", fmt.Errorf("wechat: random prefix of a message: %w", err)
	}
	binary.BigEndian.PutUint32(buf[randomSize:], uint32(len(msg)))
	n := copy(buf[randomSize+4:], msg)
	copy(buf[randomSize+4+n:], c.appID)
	for i := size; i < len(buf); i++ {
		buf[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(k.block, k.iv[:]).CryptBlocks(buf, buf)
	return base64.StdEncoding.EncodeToString(buf), nil
}

// Reply builds the encrypted XML of a passive reply (01 A.4). Only replies other than `success` and the empty string
// are sent this way.
func (c *Crypter) Reply(random io.Reader, msg []byte, timestamp int64, nonce string) ([]byte, error) {
	encrypt, err := c.Encrypt(random, msg)
	if err != nil {
		return nil, err
	}
	ts := strconv.FormatInt(timestamp, 10)
	var b bytes.Buffer
	b.WriteString("<xml>\n<Encrypt>")
	writeCDATA(&b, encrypt)
	b.WriteString("</Encrypt>\n<MsgSignature>")
	writeCDATA(&b, Signature(c.tokens[0], ts, nonce, encrypt))
	b.WriteString("</MsgSignature>\n<TimeStamp>" + ts + "</TimeStamp>\n<Nonce>")
	writeCDATA(&b, nonce)
	b.WriteString("</Nonce>\n</xml>")
	return b.Bytes(), nil
}

// writeCDATA writes s as one or more CDATA sections; "]]>" is split so that a value cannot end its section.
func writeCDATA(b *bytes.Buffer, s string) {
	b.WriteString("<![CDATA[")
	b.WriteString(strings.ReplaceAll(s, "]]>", "]]]]><![CDATA[>"))
	b.WriteString("]]>")
}
