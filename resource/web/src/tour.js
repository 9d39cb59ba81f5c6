// The guided tour of the demo: a small panel with the steps of the walk for whoever is logged in, and a switch between
// the demo's three people. Loaded in the demo only. Everything is made with the DOM: no HTML in strings, no inline style.
import { speak } from './speak.js';

const store = {
  get: (name) => { try { return localStorage.getItem(`mf-tour-${name}`); } catch { return null; } },
  set: (name, value) => { try { localStorage.setItem(`mf-tour-${name}`, value); } catch { /* private mode: forget */ } },
};

function make(tag, className, text) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text) e.textContent = text;
  return e;
}

function visited(role) {
  try { return new Set(JSON.parse(store.get(`seen-${role}`) || '[]')); } catch { return new Set(); }
}

// here tells whether the page is the one that a step is about.
function here(step) {
  return step.visit && (location.pathname === step.visit || location.pathname.startsWith(`${step.visit}/`));
}

function highlight(step) {
  for (const old of document.querySelectorAll('.mf-tour-target')) old.classList.remove('mf-tour-target');
  if (!step?.target) return;
  const found = [...document.querySelectorAll(step.target)].find((e) => e.getClientRects().length > 0);
  if (!found) return;
  found.classList.add('mf-tour-target');
  if (store.get('go') === step.key) {
    found.scrollIntoView({ block: 'center' });
    store.set('go', '');
  }
}

function stepItem(tour, step, n, current) {
  const item = make('li', step.done ? 'mf-tour-done' : step === current ? 'mf-tour-now' : '');
  if (step === current) item.setAttribute('aria-current', 'step');
  item.append(make('span', 'mf-tour-mark', step.done ? '✓' : String(n)));
  const body = make('div', 'mf-tour-body');
  body.append(make('b', '', step.title), make('span', 'mf-sr', step.done ? speak('（已完成）', ' (done)') : ''));
  if (step === current) {
    body.append(make('p', '', step.text));
    const go = make('a', 'mf-btn mf-btn-sm mf-btn-primary', speak('带我去', 'Take me there'));
    go.href = step.href;
    go.dataset.test = 'tour-go';
    go.addEventListener('click', () => store.set('go', step.key));
    body.append(go);
  }
  item.append(body);
  return item;
}

function roleForm(tour) {
  const form = make('form', 'mf-tour-roles');
  form.method = 'post';
  form.action = '/demo/login';
  form.append(make('span', 'mf-muted', speak('换个身份：', 'As somebody else: ')));
  for (const role of tour.roles) {
    const button = make('button', 'mf-btn mf-btn-sm', role.title);
    button.name = 'role';
    button.value = role.role;
    button.dataset.test = `tour-role-${role.role}`;
    if (role.role === tour.role && tour.member) {
      button.disabled = true;
      button.setAttribute('aria-pressed', 'true');
    }
    form.append(button);
  }
  return form;
}

function build(tour) {
  const seen = visited(tour.role);
  for (const step of tour.steps) {
    if (here(step)) seen.add(step.key);
    step.done = step.done || (step.look && seen.has(step.key));
  }
  store.set(`seen-${tour.role}`, JSON.stringify([...seen]));
  const current = tour.steps.find((step) => !step.done);
  const done = tour.steps.filter((step) => step.done).length;

  const open = make('button', 'mf-btn mf-btn-primary mf-tour-open', speak(`导览 ${done}/${tour.steps.length}`, `Tour ${done}/${tour.steps.length}`));
  open.type = 'button';
  open.dataset.test = 'tour-open';
  open.setAttribute('aria-expanded', 'false');
  open.setAttribute('aria-controls', 'mf-tour');

  const panel = make('section', 'mf-tour');
  panel.id = 'mf-tour';
  panel.hidden = true;
  panel.setAttribute('aria-labelledby', 'mf-tour-title');
  const head = make('div', 'mf-between');
  const title = make('h2', 'mf-tour-title', speak(`导览 · ${tour.title}`, `Tour · ${tour.title}`));
  title.id = 'mf-tour-title';
  title.tabIndex = -1;
  const close = make('button', 'mf-btn mf-btn-sm mf-btn-ghost', speak('关闭', 'Close'));
  close.type = 'button';
  close.setAttribute('aria-label', speak('关闭导览', 'Close the tour'));
  head.append(title, close);
  const list = make('ol', 'mf-tour-steps');
  tour.steps.forEach((step, i) => list.append(stepItem(tour, step, i + 1, current)));
  panel.append(head, list);
  if (!current) panel.append(make('p', 'mf-help', speak('这条路走完了，换个身份看看另一边。', 'You have walked this way; look at the other side as somebody else.')));
  panel.append(roleForm(tour));

  const show = (yes, focus) => {
    panel.hidden = !yes;
    open.hidden = yes;
    open.setAttribute('aria-expanded', String(yes));
    store.set('open', yes ? '1' : '0');
    highlight(yes ? current : null);
    if (focus) (yes ? title : open).focus({ preventScroll: true });
  };
  open.addEventListener('click', () => show(true, true));
  close.addEventListener('click', () => show(false, true));
  document.addEventListener('keydown', (e) => {
    if (e.key === 'Escape' && !panel.hidden && !document.querySelector('dialog[open]')) show(false, true);
  });
  const box = make('aside', 'mf-tour-box');
  box.setAttribute('aria-label', speak('演示导览', 'Tour of the demo'));
  box.append(open, panel);
  document.body.append(box);
  show(store.get('open') === '1', false);
}

fetch('/demo/tour', { headers: { Accept: 'application/json' } })
  .then((answer) => (answer.ok ? answer.json() : null))
  .then((tour) => { if (tour) build(tour); })
  .catch(() => { /* the platform is away: no tour */ });
