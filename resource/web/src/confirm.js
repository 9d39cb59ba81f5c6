// data-confirm on a button, link or form asks first; data-confirm-word wants a word typed.
// What a batch button will touch: the names of the ticked rows.
import { speak } from './speak.js';

function picked(from) {
  if (!('batchNeeds' in from.dataset)) return [];
  return [...from.closest('[data-list]').querySelectorAll('input[data-pick]:checked')].map((box) => box.labels[0]?.querySelector('[translate]')?.textContent || box.value);
}

function dialog(from) {
  const box = document.createElement('dialog');
  box.className = 'mf-modal';
  box.setAttribute('data-test', 'confirm');
  const title = document.createElement('h2');
  title.textContent = from.dataset.confirmTitle || speak('请确认', 'Please confirm');
  title.id = 'confirm-title';
  box.setAttribute('aria-labelledby', title.id);
  const text = document.createElement('p');
  text.textContent = from.dataset.confirm;
  box.append(title, text);
  const names = picked(from);
  if (names.length) {
    const what = document.createElement('p');
    const head = document.createElement('b');
    head.textContent = speak(`选中 ${names.length} 条`, `${names.length} selected`);
    const some = document.createElement('span');
    some.setAttribute('translate', 'no');
    some.textContent = `${speak('：', ': ')}${names.slice(0, 5).join(speak('、', ', '))}${names.length > 5 ? '…' : ''}`;
    what.append(head, some);
    box.append(what);
  }
  const word = from.dataset.confirmWord;
  let typed = null;
  if (word) {
    const label = document.createElement('label');
    label.className = 'mf-label';
    label.textContent = speak(`请输入“${word}”`, `Type “${word}”`);
    typed = document.createElement('input');
    typed.className = 'mf-input';
    typed.autocomplete = 'off';
    label.append(typed);
    box.append(label);
  }
  const actions = document.createElement('div');
  actions.className = 'mf-form-actions';
  const button = (words, kind, test) => {
    const b = document.createElement('button');
    b.type = 'button';
    b.className = `mf-btn ${kind}`;
    b.textContent = words;
    b.setAttribute('data-test', test);
    actions.append(b);
    return b;
  };
  const no = button(from.dataset.confirmNo || speak('取消', 'Cancel'), '', 'confirm-no');
  const danger = from.matches('.mf-btn-danger, .mf-danger');
  const yes = button(from.dataset.confirmOk || speak('确定', 'OK'), danger ? 'mf-btn-danger' : 'mf-btn-primary', 'confirm-yes');
  box.append(actions);
  if (typed) {
    yes.disabled = true;
    typed.addEventListener('input', () => { yes.disabled = typed.value.trim() !== word; });
  }
  no.addEventListener('click', () => box.close());
  box.addEventListener('close', () => box.remove());
  document.body.append(box);
  return { box, yes };
}

function ask(from, then) {
  const { box, yes } = dialog(from);
  yes.addEventListener('click', () => { box.close(); then(); });
  box.showModal();
}

export function confirmClicks(root) {
  const agreed = new WeakSet();
  root.addEventListener('click', (event) => {
    const from = event.target.closest('[data-confirm]');
    if (!from || from.tagName === 'FORM') return;
    if (agreed.delete(from)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(from, () => { agreed.add(from); from.click(); });
  }, true);
  root.addEventListener('submit', (event) => {
    const form = event.target;
    if (!form.matches('form[data-confirm]') || agreed.delete(form)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const submitter = event.submitter;
    ask(form, () => { agreed.add(form); form.requestSubmit(submitter); });
  }, true);
}
