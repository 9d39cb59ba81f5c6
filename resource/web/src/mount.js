// What happens when a page or a fragment of it appears.
import { speak } from './speak.js';

const gone = new WeakSet();

export function mount(root) {
  const each = (selector, run) => {
    if (root.matches?.(selector)) run(root);
    root.querySelectorAll?.(selector).forEach(run);
  };
  // A real click keeps the Referer that WeChat's authorisation page asks for; a redirect would lose it.
  each('a[data-autoclick]', (link) => {
    if (gone.has(link)) return;
    gone.add(link);
    setTimeout(() => {
      // Going back then leads to the page before, not to a form that would be sent again.
      if (link.dataset.back) history.replaceState(null, '', link.dataset.back);
      link.click();
    }, 300);
  });
  each('a[data-jump]', (link) => {
    if (gone.has(link)) return;
    gone.add(link);
    setTimeout(() => { if (link.isConnected) location.assign(link.href); }, Number(link.dataset.jump) || 2000);
  });
  each('form[data-autosubmit]', (form) => {
    form.addEventListener('change', (event) => { if (event.target.matches('select')) form.requestSubmit(); });
  });
  const wrong = root.querySelector?.('.mf-field-bad input, .mf-field-bad select, .mf-field-bad textarea');
  if (wrong && root === document) wrong.focus();
  each('[data-when-kind]', (node) => follow(node));
  each('button[data-wait]', (button) => rest(button));
}

// A button that rests: <button data-wait="60000"> may be pressed again after so many milliseconds, and says how long.
function rest(button) {
  if (gone.has(button)) return;
  gone.add(button);
  const end = Date.now() + Number(button.dataset.wait);
  const words = button.textContent;
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? speak(`${left} 秒后再获取`, `Again in ${left} s`) : words;
    if (left > 0 && button.isConnected) setTimeout(tick, 1000);
  };
  tick();
}

// A field that belongs to one choice of a radio group: <div data-when-kind="merchant">.
function follow(node) {
  const form = node.closest('form');
  if (!form) return;
  const show = () => {
    const on = new FormData(form).get('kind') === node.dataset.whenKind;
    node.hidden = !on;
    node.querySelectorAll('input').forEach((input) => { input.disabled = !on; });
  };
  form.addEventListener('change', show);
  show();
}

// Dialogs open and close; the browser keeps the focus in them and gives it back. A form goes out once, however often one clicks.
export function openings(root) {
  root.addEventListener('click', (event) => {
    const opener = event.target.closest('[data-open]');
    if (opener) document.querySelector(opener.dataset.open)?.showModal();
    if (event.target.closest('[data-close]')) event.target.closest('dialog')?.close();
  });
  root.addEventListener('submit', (event) => {
    if (event.defaultPrevented) return;
    const button = event.submitter;
    if (!button) return;
    // Later, since a disabled button's name and value would be left out of what is sent.
    setTimeout(() => { button.disabled = true; button.dataset.sent = ''; });
    setTimeout(() => release(button), 8000);
  });
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) root.querySelectorAll('button[data-sent]').forEach(release);
  });
}

function release(button) {
  button.disabled = false;
  delete button.dataset.sent;
}
