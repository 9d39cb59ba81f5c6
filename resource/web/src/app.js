// What pages do beyond plain HTML, in the portal and in the back office. Everything works without it, only less smoothly.
import htmx from 'htmx.org';
import { confirmClicks } from './confirm.js';
import { copyButtons } from './copy.js';
import { clocks } from './clock.js';
import { calmPolling } from './poll.js';
import { mount, openings } from './mount.js';
import { menus } from './menu.js';
import { lists } from './list.js';
import { news } from './news.js';
import { keepInput } from './keep.js';

// The pages' content security policy allows neither inline styles nor eval.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;
// A refused form comes back with its errors: show it. Other failures leave the page as it is.
htmx.config.responseHandling = [
  { code: '204', swap: false },
  { code: '[23]..', swap: true },
  { code: '400|409|422', swap: true },
  { code: '[45]..', swap: false, error: true },
];

window.htmx = htmx;
confirmClicks(document);
copyButtons(document);
openings(document);
menus(document);
lists(document);
calmPolling(document);
clocks(document);

document.addEventListener('DOMContentLoaded', () => { keepInput(document); mount(document); news(document); });
document.addEventListener('htmx:load', (event) => mount(event.detail.elt));
