// News instead of polling: <div data-news="/p/market/topics/installations" data-news-key="12" hx-get="…" hx-trigger="every 1s, news">
// is read again at once when a message {"key":"12"} comes, or any message where it has no key. Polling stays, rarely, for the
// case that there is no connection or that a message was lost.
const open = new Map(); // address → EventSource

export function hears(elt) {
  const source = open.get(elt.dataset?.news);
  return Boolean(source && source.readyState === EventSource.OPEN);
}

export function news(root) {
  root.addEventListener('visibilitychange', () => follow(root));
  root.addEventListener('htmx:afterSettle', () => follow(root));
  follow(root);
}

// A hidden tab holds no connection: a browser has six of them for all its tabs.
function follow(root) {
  const wanted = new Set();
  if (!root.hidden) root.querySelectorAll('[data-news]').forEach((elt) => wanted.add(elt.dataset.news));
  for (const [address, source] of open) {
    if (wanted.has(address)) continue;
    source.close();
    open.delete(address);
  }
  for (const address of wanted) if (!open.has(address)) listen(root, address);
}

function listen(root, address) {
  const source = new EventSource(address);
  open.set(address, source);
  source.addEventListener('open', () => tell(root, address, null)); // what came before the connection was there
  source.addEventListener('message', (event) => {
    let key = null;
    try {
      key = JSON.parse(event.data)?.key ?? null;
    } catch {
      return; // not ours
    }
    tell(root, address, key);
  });
}

function tell(root, address, key) {
  for (const elt of root.querySelectorAll('[data-news]')) {
    if (elt.dataset.news !== address) continue;
    if (key !== null && elt.dataset.newsKey && elt.dataset.newsKey !== String(key)) continue;
    window.htmx.trigger(elt, 'news');
  }
}
