package simulator

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

// padBlock is the block size of the PKCS#7 padding WeChat uses; it is 32 although AES works on 16 bytes.
const padBlock = 32

// envelope is WeChat's message crypto (WXBizMsgCrypt) for one third-party platform.
type envelope struct {
	token     string // 消息校验 Token
	key       []byte // 32 bytes decoded from the EncodingAESKey
	receiveID string // component appid, the suffix of every plaintext
}

// newEnvelope decodes the 43 character EncodingAESKey. The last character may carry spare bits, which are ignored.
func newEnvelope(token, encodingAESKey, receiveID string) (envelope, error) {
	if len(encodingAESKey) != 43 {
		return envelope{}, fmt.Errorf("EncodingAESKey has %d characters instead of 43", len(encodingAESKey))
	}
	key, err := base64.StdEncoding.DecodeString(encodingAESKey + "=")
	if err != nil {
		return envelope{}, fmt.Errorf("decode EncodingAESKey: %w", err)
	}
	if len(key) != 32 {
		return envelope{}, fmt.Errorf("EncodingAESKey decodes to %d bytes instead of 32", len(key))
	}
	return envelope{token: token, key: key, receiveID: receiveID}, nil
}

// sign is sha1 over the byte-wise sorted, concatenated parts, in lower-case hex.
func sign(parts ...string) string {
	sorted := append([]string(nil), parts...)
	sort.Strings(sorted)
	sum := sha1.Sum([]byte(strings.Join(sorted, "")))
	return hex.EncodeToString(sum[:])
}

// randomPrefix returns 16 printable random bytes, as WeChat puts before every plaintext.
func randomPrefix() ([]byte, error) {
	raw := make([]byte, 8)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("read random prefix: %w", err)
	}
	return []byte(hex.EncodeToString(raw)), nil
}

// frame lays out random(16) ‖ length(4, big endian) ‖ message ‖ receive id, without padding.
func frame(prefix, message []byte, length uint32, receiveID string) []byte {
	var b bytes.Buffer
	b.Write(prefix)
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], length)
	b.Write(size[:])
	b.Write(message)
	b.WriteString(receiveID)
	return b.Bytes()
}

// pad appends PKCS#7 padding of block 32; an aligned input gets a full block.
func pad(plain []byte) []byte {
	n := padBlock - len(plain)%padBlock
	return append(plain, bytes.Repeat([]byte{byte(n)}, n)...)
}

// seal encrypts bytes that are already framed and padded.
func (e envelope) seal(padded []byte) (string, error) {
	block, err := aes.NewCipher(e.key)
	if err != nil {
		return "", fmt.Errorf("make cipher: %w", err)
	}
	if len(padded) == 0 || len(padded)%aes.BlockSize != 0 {
		return "", fmt.Errorf("seal %d bytes: not a multiple of %d", len(padded), aes.BlockSize)
	}
	out := make([]byte, len(padded))
	cipher.NewCBCEncrypter(block, e.key[:aes.BlockSize]).CryptBlocks(out, padded)
	return base64.StdEncoding.EncodeToString(out), nil
}

// encrypt wraps one message with the given 16 byte prefix.
func (e envelope) encrypt(prefix, message []byte) (string, error) {
	if len(prefix) != 16 {
		return "", fmt.Errorf("prefix has %d bytes instead of 16", len(prefix))
	}
	return e.seal(pad(frame(prefix, message, uint32(len(message)), e.receiveID)))
}

var errEnvelope = errors.New("message cannot be decrypted")

// decrypt opens one Encrypt value; every defect of the bytes is an error that wraps errEnvelope.
func (e envelope) decrypt(encoded string) ([]byte, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(data) == 0 || len(data)%aes.BlockSize != 0 || strings.ContainsAny(encoded, "\r\n") {
		return nil, fmt.Errorf("%w: not base64 of whole blocks", errEnvelope)
	}
	block, err := aes.NewCipher(e.key)
	if err != nil {
		return nil, fmt.Errorf("make cipher: %w", err)
	}
	cipher.NewCBCDecrypter(block, e.key[:aes.BlockSize]).CryptBlocks(data, data)
	n := int(data[len(data)-1])
	if n < 1 || n > padBlock || n > len(data) {
		return nil, fmt.Errorf("%w: padding of %d", errEnvelope, n)
	}
	for _, b := range data[len(data)-n:] {
		if int(b) != n {
			return nil, fmt.Errorf("%w: uneven padding", errEnvelope)
		}
	}
	data = data[:len(data)-n]
	if len(data) < 20 {
		return nil, fmt.Errorf("%w: %d bytes are too few", errEnvelope, len(data))
	}
	length := uint64(binary.BigEndian.Uint32(data[16:20]))
	if length > uint64(len(data)-20) {
		return nil, fmt.Errorf("%w: length %d beyond the end", errEnvelope, length)
	}
	message, id := data[20:20+length], data[20+length:]
	if e.receiveID == "" || subtle.ConstantTimeCompare(id, []byte(e.receiveID)) != 1 {
		return nil, fmt.Errorf("%w: meant for somebody else", errEnvelope)
	}
	return message, nil
}

// passiveReply is what a platform may answer to a user's message instead of `success` (document A.4).
type passiveReply struct {
	XMLName      xml.Name `xml:"xml"`
	Encrypt      []string `xml:"Encrypt"`
	MsgSignature string   `xml:"MsgSignature"`
	TimeStamp    string   `xml:"TimeStamp"`
	Nonce        string   `xml:"Nonce"`
}

// openReply verifies and decrypts a platform's encrypted answer.
func (e envelope) openReply(answer []byte) ([]byte, error) {
	dec := xml.NewDecoder(bytes.NewReader(answer))
	dec.Strict = true
	var reply passiveReply
	if err := dec.Decode(&reply); err != nil {
		return nil, fmt.Errorf("parse encrypted answer: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("parse encrypted answer: text after the document")
	}
	if len(reply.Encrypt) != 1 {
		return nil, fmt.Errorf("encrypted answer has %d Encrypt elements", len(reply.Encrypt))
	}
	want := sign(e.token, reply.TimeStamp, reply.Nonce, reply.Encrypt[0])
	if subtle.ConstantTimeCompare([]byte(want), []byte(reply.MsgSignature)) != 1 {
		return nil, errors.New("signature of the encrypted answer does not match")
	}
	return e.decrypt(reply.Encrypt[0])
}
