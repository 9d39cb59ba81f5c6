package inbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"minifleet/app/wechat"
)

// Identity of the measured pushes. The values are made up and open nothing.
const (
	benchComponent = "wx00000000000bench"
	benchToken     = "bench-token"
	benchKey       = "benchbenchbenchbenchbenchbenchbenchbenchben"
	benchUserName  = "gh_bench"
	benchAppIDs    = 100 // mini programs that the pushes are spread over
)

// pushMaker builds complete HTTP requests, each with its own body, nonce and signature.
type pushMaker struct {
	crypter *wechat.Crypter
	next    int
}

func newPushMaker() (*pushMaker, error) {
	c, err := wechat.NewCrypter(benchComponent, []string{benchToken}, []string{benchKey})
	return &pushMaker{crypter: c}, err
}

func (p *pushMaker) make(host string, n int) ([][]byte, error) {
	requests := make([][]byte, n)
	now := time.Now().Unix()
	for i := range requests {
		p.next++
		appid := fmt.Sprintf("wx%016d", p.next%benchAppIDs)
		msg := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[oBench%022d]]></FromUserName><CreateTime>%d</CreateTime>"+
			"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[请问几点开门？第 %d 位]]></Content><MsgId>%d</MsgId></xml>", benchUserName, p.next, now, p.next, p.next)
		encrypt, err := p.crypter.Encrypt(rand.Reader, []byte(msg))
		if err != nil {
			return nil, err
		}
		ts, nonce := strconv.FormatInt(now, 10), strconv.Itoa(p.next)
		body := "<xml><ToUserName><![CDATA[" + benchUserName + "]]></ToUserName><Encrypt><![CDATA[" + encrypt + "]]></Encrypt></xml>"
		requests[i] = fmt.Appendf(nil, "POST /wechat/%s/message/%s?signature=%s&timestamp=%s&nonce=%s&openid=oBench&encrypt_type=aes&msg_signature=%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Mozilla/4.0\r\nAccept: */*\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s",
			benchComponent, appid, wechat.Signature(benchToken, ts, nonce), ts, nonce, wechat.Signature(benchToken, ts, nonce, encrypt), host, len(body), body)
	}
	return requests, nil
}

// measure sends n pushes over c.connections connections, each waiting for its answer before the next.
func (b *bench) measure(ctx context.Context, c benchCase, n int) (measured, error) {
	host := b.servers[c.stored]
	requests, err := b.pushes.make(host, n)
	if err != nil {
		return measured{}, err
	}
	runtime.GC() // what building them left behind is not part of the measurement
	latencies := make([]time.Duration, n)
	var next atomic.Int64
	g, sending := errgroup.WithContext(ctx)
	start := time.Now()
	for range c.connections {
		g.Go(func() error {
			conn, err := (&net.Dialer{}).DialContext(sending, "tcp", host)
			if err != nil {
				return err
			}
			defer conn.Close()
			buf := make([]byte, 1024)
			for sending.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				sent := time.Now()
				if err := exchange(conn, requests[i], buf); err != nil {
					return err
				}
				latencies[i] = time.Since(sent)
			}
			return sending.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return measured{}, err
	}
	m := measured{pushes: n, took: time.Since(start), latencies: latencies}
	if c.stored {
		b.sent += n
		if err := b.settle(ctx); err != nil {
			return measured{}, err
		}
		m.settled = time.Since(start)
	}
	return m, nil
}

// exchange sends one request and reads its answer, which must be 200 with the body `success`.
func exchange(conn net.Conn, request, buf []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	for n := 0; ; {
		m, err := conn.Read(buf[n:])
		n += m
		switch answer := buf[:n]; {
		case bytes.HasSuffix(answer, []byte("\r\n\r\nsuccess")) && bytes.HasPrefix(answer, []byte("HTTP/1.1 200 ")):
			return nil
		case errors.Is(err, io.EOF), err == nil && n == len(buf):
			return fmt.Errorf("unexpected answer %q", answer)
		case err != nil:
			return err
		}
	}
}
