package account

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// The cost of argon2id: OWASP's smaller profile (19 MiB, 2 passes), about 25 ms of one core.
const (
	argonTime   = 2
	argonMemory = 19 * 1024
	argonLanes  = 1
)

// common are passwords of ten or more characters that every guessing list begins with.
const common = "1234567890 0123456789 12345678910 1111111111 0000000000 qwertyuiop password123 password1234 passw0rd123 1q2w3e4r5t qwerty123456 abc1234567 abcd123456 a123456789 woaini1314 woaini520 iloveyou123 administrator admin123456 adminadmin 9876543210"

// checkPassword gives the reason a password is refused, empty when it is fine. Length in characters, 10 to 128.
func checkPassword(password, login string) string {
	switch n := utf8.RuneCountInString(password); {
	case n < 10:
		return "密码至少 10 位"
	case n > 128:
		return "密码最多 128 位"
	}
	low := strings.ToLower(password)
	for _, c := range strings.Fields(common) {
		if low == c {
			return "这个密码太常见，请换一个"
		}
	}
	if login != "" && strings.EqualFold(password, login) {
		return "密码不能和账号相同"
	}
	if strings.Count(password, password[:1]) == len(password) {
		return "密码不能是同一个字符"
	}
	return ""
}

func hashPassword(password string) string {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt)
	sum := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, 32)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes, b64(salt), b64(sum))
}

// verifyPassword compares in constant time and reads the cost from the hash, so that it can be raised later.
func verifyPassword(password, hash string) bool {
	var version, memory, passes, lanes int
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes, &lanes); err != nil || version != argon2.Version {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}
