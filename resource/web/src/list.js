// Lists: ticking rows, the bar for what is ticked, more conditions, and a skeleton when the next page is slow.
import { speak } from './speak.js';

const boxes = (list) => [...list.querySelectorAll('input[data-pick]')];

function count(list) {
  const all = boxes(list);
  const ticked = all.filter((box) => box.checked).length;
  list.querySelectorAll('[data-pick-all]').forEach((head) => {
    head.checked = ticked > 0 && ticked === all.length;
    head.indeterminate = ticked > 0 && ticked < all.length;
  });
  list.querySelectorAll('[data-picked]').forEach((node) => { node.textContent = String(ticked); });
  list.querySelectorAll('[data-batch]').forEach((bar) => { bar.hidden = ticked === 0; });
  list.querySelectorAll('[data-batch-needs]').forEach((button) => { button.disabled = ticked === 0; });
  list.querySelectorAll('input[name=scope][value=selected]').forEach((radio) => {
    radio.disabled = ticked === 0;
    const other = radio.form?.querySelector('input[name=scope][value=all]');
    if (ticked === 0 && radio.checked && other) other.checked = true;
  });
}

// The export dialog takes the ticked rows along when it is asked for them.
function takeAlong(form) {
  form.querySelectorAll('input[data-copied]').forEach((old) => old.remove());
  if (new FormData(form).get('scope') !== 'selected') return;
  const list = form.closest('[data-list]');
  boxes(list).filter((box) => box.checked).forEach((box) => {
    const copy = document.createElement('input');
    copy.type = 'hidden';
    copy.name = 'id';
    copy.value = box.value;
    copy.dataset.copied = '';
    form.append(copy);
  });
}

function busy() {
  document.querySelectorAll('[data-list-wrap]').forEach((wrap) => wrap.classList.add('mf-list-busy'));
}

export function lists(root) {
  let waiting = 0;
  const wait = () => { clearTimeout(waiting); waiting = setTimeout(busy, 300); };
  const rest = () => {
    clearTimeout(waiting);
    document.querySelectorAll('.mf-list-busy').forEach((wrap) => wrap.classList.remove('mf-list-busy'));
  };
  root.addEventListener('change', (event) => {
    const list = event.target.closest('[data-list]');
    if (!list) return;
    if (event.target.matches('[data-pick-all]')) boxes(list).forEach((box) => { box.checked = event.target.checked; });
    if (event.target.matches('[data-pick], [data-pick-all]')) count(list);
  });
  root.addEventListener('click', (event) => {
    const more = event.target.closest('[data-query-more]');
    if (more) {
      const open = more.closest('.mf-query').classList.toggle('mf-query-open');
      more.setAttribute('aria-expanded', String(open));
      more.textContent = open ? speak('收起', 'Collapse') : speak('展开', 'Expand');
      more.form.querySelector('input[name=more]').value = open ? '1' : '';
      return;
    }
    const none = event.target.closest('[data-pick-none]');
    if (none) {
      const list = none.closest('[data-list]');
      boxes(list).forEach((box) => { box.checked = false; });
      count(list);
      return;
    }
    const link = event.target.closest('[data-list] .mf-pager a, [data-list] .mf-sort, [data-list] .mf-views a');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) wait();
  });
  root.addEventListener('submit', (event) => {
    if (event.target.matches('form[data-export]')) takeAlong(event.target);
    else if (event.target.matches('.mf-query') && !event.defaultPrevented) wait();
  });
  root.addEventListener('htmx:beforeRequest', (event) => { if (event.detail.elt.closest('[data-list]')) wait(); });
  root.addEventListener('htmx:afterRequest', rest);
  window.addEventListener('pageshow', () => { rest(); document.querySelectorAll('[data-list]').forEach(count); });
}
