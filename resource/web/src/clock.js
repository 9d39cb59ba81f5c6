// <time data-countdown="target ms" data-now="server ms"> counts down by the server's clock, not by this machine's.
import { speak } from './speak.js';

const started = new WeakMap();

function tick(root) {
  root.querySelectorAll('time[data-countdown]').forEach((node) => {
    if (!started.has(node)) started.set(node, Date.now() - Number(node.dataset.now || Date.now()));
    const left = Number(node.dataset.countdown) - (Date.now() - started.get(node));
    if (left <= 0) {
      node.textContent = speak('已过期', 'expired');
      return;
    }
    const seconds = Math.floor(left / 1000);
    const two = (n) => String(n).padStart(2, '0');
    const hours = Math.floor(seconds / 3600);
    node.textContent = `${speak('剩余', 'left')} ${hours ? `${hours}:` : ''}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  });
}

export function clocks(root) {
  setInterval(() => tick(root), 1000);
}
