// Polling rests while the tab is hidden, after a minute every second poll is left out, and nine of ten while news come.
import { hears } from './news.js';
import { speak } from './speak.js';

const slowAfter = 60_000;

export function calmPolling(root) {
  const polls = new Map();
  root.addEventListener('htmx:beforeRequest', (event) => {
    const { elt, requestConfig } = event.detail;
    const polled = /\bevery\b/.test(elt.getAttribute('hx-trigger') || '') && !requestConfig?.triggeringEvent;
    if (!polled) return;
    if (document.hidden) {
      event.preventDefault();
      return;
    }
    const key = elt.getAttribute('hx-get') || elt.id;
    const poll = polls.get(key) || { since: Date.now(), turn: 0 };
    polls.set(key, poll);
    poll.turn += 1;
    if (hears(elt) && poll.turn % 10) event.preventDefault(); // it is told when there is something
    if (Date.now() - poll.since > slowAfter && poll.turn % 2) event.preventDefault();
  });
  root.addEventListener('htmx:responseError', (event) => {
    if (!/\bevery\b/.test(event.detail.elt.getAttribute('hx-trigger') || '')) say(speak('操作没有成功，请稍后重试', 'That did not work, try again later'));
  });
  root.addEventListener('htmx:sendError', (event) => {
    if (!/\bevery\b/.test(event.detail.elt.getAttribute('hx-trigger') || '')) say(speak('网络不通，请检查网络后重试', 'No network: check it and try again'));
  });
}

function say(words) {
  document.querySelectorAll('.mf-flash[data-toast]').forEach((old) => old.remove());
  const flash = document.createElement('div');
  flash.className = 'mf-flash mf-flash-red';
  flash.dataset.toast = '';
  flash.setAttribute('role', 'alert');
  flash.textContent = words;
  (document.querySelector('.mf-main') || document.body).prepend(flash);
  flash.scrollIntoView({ block: 'nearest' });
}
