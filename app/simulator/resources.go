package simulator

import (
	"crypto/sha256"
	"math"
	"sort"
	"strconv"
	"time"
)

// resources are what the interfaces behind the version lanes know: one collection per resource of WeChat.
type resources struct {
	timers         *collection[timer]
	tasks          *collection[task]
	reviews        *collection[review]
	media          *collection[medium]
	names          *collection[nicknames] // by appid
	profiles       *collection[profile]   // by appid
	openIDs        *collection[openID]
	loginCodes     *collection[loginCode]
	openAccounts   *collection[openAccount]
	usages         *collection[usage]        // by appid of a mini program or platform
	categories     *collection[categoryBook] // by appid
	privacy        *collection[privacyBook]  // by appid
	filings        *collection[filing]       // by appid
	certifications *collection[certification]
	procedures     *collection[procedure]
	domains        *collection[domainBook] // by appid
	links          *collection[link]       // by the link itself
	linkBooks      *collection[linkBook]   // by appid
	codeBooks      *collection[codeBook]   // by appid
	jumps          *collection[jumpBook]   // by appid
	plugins        *collection[pluginUse]
	violations     *collection[violation]
	chats          *collection[chat] // by appid and openid
	releaseChecks  *collection[releaseCheck]

	subscribeTemplates *collection[subscribeTemplate]
	orders             *collection[payOrder]
	orderPages         *collection[orderPage] // by appid
	scriptErrors       *collection[scriptError]
	feedback           *collection[feedback]

	nextDueMs int64 // when the next timer may be due; not stored
}

func newResources(log *journal) resources {
	return resources{
		timers:         newCollection[timer]("timer", log),
		tasks:          newCollection[task]("task", log),
		reviews:        newCollection[review]("review", log),
		media:          newCollection[medium]("media", log),
		names:          newCollection[nicknames]("nicknames", log),
		profiles:       newCollection[profile]("profile", log),
		openIDs:        newCollection[openID]("openid", log),
		loginCodes:     newCollection[loginCode]("logincode", log),
		openAccounts:   newCollection[openAccount]("openaccount", log),
		usages:         newCollection[usage]("usage", log),
		categories:     newCollection[categoryBook]("categories", log),
		privacy:        newCollection[privacyBook]("privacy", log),
		filings:        newCollection[filing]("filing", log),
		certifications: newCollection[certification]("certification", log),
		procedures:     newCollection[procedure]("procedure", log),
		domains:        newCollection[domainBook]("domains", log),
		links:          newCollection[link]("link", log),
		linkBooks:      newCollection[linkBook]("linkbook", log),
		codeBooks:      newCollection[codeBook]("codebook", log),
		jumps:          newCollection[jumpBook]("jump", log),
		plugins:        newCollection[pluginUse]("pluginuse", log),
		violations:     newCollection[violation]("violation", log),
		chats:          newCollection[chat]("chat", log),
		releaseChecks:  newCollection[releaseCheck]("releasecheck", log),

		subscribeTemplates: newCollection[subscribeTemplate]("subscribetemplate", log),
		orders:             newCollection[payOrder]("order", log),
		orderPages:         newCollection[orderPage]("orderpage", log),
		scriptErrors:       newCollection[scriptError]("scripterror", log),
		feedback:           newCollection[feedback]("feedback", log),

		nextDueMs: math.MinInt64, // after a load the first look finds out
	}
}

func (r resources) kinds() map[string]restorer {
	return map[string]restorer{"timer": r.timers, "task": r.tasks, "review": r.reviews, "media": r.media, "nicknames": r.names,
		"profile": r.profiles, "openid": r.openIDs, "logincode": r.loginCodes, "openaccount": r.openAccounts, "usage": r.usages,
		"categories": r.categories, "privacy": r.privacy, "filing": r.filings, "certification": r.certifications, "procedure": r.procedures, "domains": r.domains,
		"link": r.links, "linkbook": r.linkBooks, "codebook": r.codeBooks, "jump": r.jumps, "pluginuse": r.plugins, "violation": r.violations,
		"chat": r.chats, "releasecheck": r.releaseChecks, "subscribetemplate": r.subscribeTemplates, "order": r.orders, "orderpage": r.orderPages,
		"scripterror": r.scriptErrors, "feedback": r.feedback}
}

// openID is a person as one account sees them.
type openID struct {
	OpenID string `json:"openid"`
	AppID  string `json:"appid"`
	Person string `json:"person"` // WeChat id
}

// sortedTasks are all tasks, newest first.
func (w *world) sortedTasks() []*task {
	all := w.tasks.all()
	sort.SliceStable(all, func(i, j int) bool { return all[i].CreatedMs > all[j].CreatedMs })
	return all
}

// closeReviewsOf takes everything of one kind and mini program off the desk.
func (w *world) closeReviewsOf(kind, appID string) {
	for r := w.waitingReview(kind, appID, ""); r != nil; r = w.waitingReview(kind, appID, "") {
		w.closeReview(r.ID)
	}
}

func minuteOf(ms int64) string { return time.UnixMilli(ms).In(shanghai).Format("2006-01-02 15:04") }
func yearOf(ms int64) string   { return time.UnixMilli(ms).In(shanghai).Format("2006") }

// queryInt is a number of the query; what is absent or no number is the default.
func (c *apiCall) queryInt(key string, absent int) int {
	n, err := strconv.Atoi(c.query.Get(key))
	if err != nil {
		return absent
	}
	return n
}

// dayStart is the midnight before, in Shanghai.
func dayStart(ms int64) int64 {
	y, m, d := time.UnixMilli(ms).In(shanghai).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, shanghai).UnixMilli()
}

func sha256Sum(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// recordsKeepMs is how long finished tasks and decided reviews stay to be looked at (simulated).
const recordsKeepMs = 90 * 24 * 3600 * 1000

// forgetResources drops what nobody can use any more: files and codes a day after their end, so that their late use still
// gets the right errcode, links a month after it, finished tasks and decided reviews after 90 days.
func (w *world) forgetResources(now int64) {
	for id, m := range w.media.docs {
		if m.ExpiresMs > 0 && now >= m.ExpiresMs+30*keepMs {
			w.media.delete(id)
		}
	}
	for id, c := range w.loginCodes.docs {
		if now >= c.ExpiresMs+keepMs {
			w.loginCodes.delete(id)
		}
	}
	for id, l := range w.links.docs {
		if l.ExpireMs > 0 && now >= l.ExpireMs+30*keepMs {
			w.links.delete(id)
		}
	}
	for id, c := range w.chats.docs {
		if now >= c.UserMs+serviceWindowMs+30*keepMs {
			w.chats.delete(id)
		}
	}
	for id, t := range w.tasks.docs {
		if !t.open() && now >= t.DoneMs+recordsKeepMs && w.certifications.get(id) == nil {
			w.tasks.delete(id)
		}
	}
	for id, r := range w.reviews.docs {
		if r.State != reviewWaiting && now >= r.DecidedMs+recordsKeepMs {
			w.reviews.delete(id)
		}
	}
}
