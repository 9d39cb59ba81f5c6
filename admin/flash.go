package admin

import (
	"sync"

	"minifleet/app/account"
)

// flash keeps one sentence per session until its next page: "已保存". It lives in memory, since losing one to a
// restart or to another replica costs nobody anything, and a sentence in an address could be forged.
type flash struct {
	mu    sync.Mutex
	words map[int64]string
}

// maxFlash bounds the sentences that nobody came to read.
const maxFlash = 4096

func (f *flash) put(a account.Actor, words string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.words == nil || len(f.words) >= maxFlash {
		f.words = map[int64]string{}
	}
	f.words[a.SessionID] = words
}

func (f *flash) take(a account.Actor) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	words := f.words[a.SessionID]
	delete(f.words, a.SessionID)
	return words
}
