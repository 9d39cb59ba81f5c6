package notice_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"mime"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"minifleet/app/notice"
)

// mailServer speaks enough SMTP on loopback to take a mail.
type mailServer struct {
	ln       net.Listener
	tls      *tls.Config
	starttls bool
	refuse   string // answer to RCPT, "" takes it

	mu    sync.Mutex
	auth  string
	clear bool // a login came over an unprotected connection
	mails []string
}

// smtpServer starts one and gives how to reach it; the certificate is httptest's, which is good for 127.0.0.1.
func smtpServer(t *testing.T, security string, change func(*mailServer)) (*mailServer, notice.SMTP) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	s := &mailServer{tls: &tls.Config{Certificates: web.TLS.Certificates}, starttls: true}
	change(s)
	var err error
	if s.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if security == notice.SMTPTLS {
		s.ln = tls.NewListener(s.ln, s.tls)
	}
	t.Cleanup(func() { _ = s.ln.Close() })
	go func() {
		for {
			conn, err := s.ln.Accept()
			if err != nil {
				return
			}
			go s.serve(conn, security == notice.SMTPTLS)
		}
	}()
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	return s, notice.SMTP{Host: "127.0.0.1", Port: s.ln.Addr().(*net.TCPAddr).Port, Security: security, Username: "mf", Password: "geheim", From: "MiniFleet 通知 <noreply@mf.example.test>", Timeout: 5 * time.Second, TLS: &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}}
}

func (s *mailServer) serve(conn net.Conn, secure bool) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	say := func(text string) { _, _ = io.WriteString(conn, text+"\r\n") }
	say("220 test ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		switch verb := strings.ToUpper(strings.Fields(line + " .")[0]); verb {
		case "EHLO":
			say("250-test")
			if s.starttls && !secure {
				say("250-STARTTLS")
			}
			say("250-AUTH PLAIN")
			say("250 8BITMIME")
		case "STARTTLS":
			say("220 go")
			secured := tls.Server(conn, s.tls)
			conn, r, secure = secured, bufio.NewReader(secured), true
		case "AUTH":
			s.mu.Lock()
			s.auth, s.clear = line, s.clear || !secure
			s.mu.Unlock()
			say("235 ok")
		case "RCPT":
			if s.refuse != "" {
				say(s.refuse)
				continue
			}
			say("250 ok")
		case "DATA":
			say("354 go")
			var mail strings.Builder
			for {
				l, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				mail.WriteString(l)
			}
			s.mu.Lock()
			s.mails = append(s.mails, mail.String())
			s.mu.Unlock()
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func TestMailGoesOutOverBothKindsOfTLS(t *testing.T) {
	for _, security := range []string{notice.SMTPStartTLS, notice.SMTPTLS} {
		t.Run(security, func(t *testing.T) {
			server, out := smtpServer(t, security, func(*mailServer) {})
			text := "小店你好：\n\n" + strings.Repeat("审核被驳回。", 60) + "\n.\n一行只有一个点"
			if err := out.SendMail(t.Context(), notice.Mail{To: "user@example.test", Subject: "「青禾小馆」审核被驳回", Text: text, ID: "notice-7"}); err != nil {
				t.Fatal(err)
			}
			login, err := base64.StdEncoding.DecodeString(strings.Fields(server.auth)[2])
			if err != nil || string(login) != "\x00mf\x00geheim" || server.clear {
				t.Fatalf("login %q, in clear %v", login, server.clear)
			}
			m, err := mail.ReadMessage(strings.NewReader(server.mails[0]))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			if err != nil || subject != "「青禾小馆」审核被驳回" {
				t.Errorf("subject %q %v", subject, err)
			}
			body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
			if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != text {
				t.Errorf("body %q %v", body, err)
			}
			if from, err := m.Header.AddressList("From"); err != nil || from[0].Name != "MiniFleet 通知" || m.Header.Get("To") != "<user@example.test>" || m.Header.Get("Message-ID") != "<notice-7@mf.example.test>" {
				t.Errorf("%v %v", m.Header, err)
			}
			for _, line := range strings.Split(server.mails[0], "\r\n") {
				if len(line) > 998 {
					t.Errorf("a line of %d bytes", len(line))
				}
			}
		})
	}
}

func TestAMailCannotBringHeadersOrRecipientsOfItsOwn(t *testing.T) {
	server, out := smtpServer(t, notice.SMTPStartTLS, func(*mailServer) {})
	for _, to := range []string{"a@example.test\r\nBcc: b@example.test", "a@example.test, b@example.test", "A <a@example.test>", "a@example.test\r\nDATA", "nobody", ""} {
		if err := out.SendMail(t.Context(), notice.Mail{To: to, Subject: "x", Text: "y"}); err == nil {
			t.Errorf("%q was taken", to)
		}
	}
	if err := out.SendMail(t.Context(), notice.Mail{To: "a@example.test", Subject: "标题\r\nBcc: b@example.test\r\n\r\n正文", Text: "y"}); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(strings.NewReader(server.mails[0]))
	if err != nil || m.Header.Get("Bcc") != "" || len(server.mails) != 1 {
		t.Fatalf("%v %v", m.Header, err)
	}
}

func TestAPasswordIsNeverSentInClear(t *testing.T) {
	server, out := smtpServer(t, notice.SMTPStartTLS, func(s *mailServer) { s.starttls = false })
	if err := out.SendMail(t.Context(), notice.Mail{To: "a@example.test", Subject: "x", Text: "y"}); err == nil || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("a server without STARTTLS: %v", err)
	}
	out.Security = notice.SMTPPlain
	if err := out.SendMail(t.Context(), notice.Mail{To: "a@example.test", Subject: "x", Text: "y"}); err == nil {
		t.Error("a password went out in clear")
	}
	if server.auth != "" {
		t.Errorf("the server was told %q", server.auth)
	}
	out.Username = ""
	if err := out.SendMail(t.Context(), notice.Mail{To: "a@example.test", Subject: "x", Text: "y"}); err != nil {
		t.Errorf("a relay without login: %v", err)
	}
}

func TestAServerThatSaysNothingIsLeftInTime(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	began := time.Now()
	err = notice.SMTP{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, From: "a@example.test", Timeout: 300 * time.Millisecond}.SendMail(t.Context(), notice.Mail{To: "b@example.test", Subject: "x", Text: "y"})
	if err == nil || time.Since(began) > 20*time.Second {
		t.Fatalf("%v after %v", err, time.Since(began))
	}
}
