// data-copy="#id" copies an element's text or value, data-copy-text copies the text itself.
import { speak } from './speak.js';

async function put(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Plain HTTP in an office network: the clipboard interface does not exist there.
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'mf-sr';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('copy refused');
}

export function copyButtons(root) {
  root.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy], [data-copy-text]');
    if (!button) return;
    event.preventDefault();
    const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : null;
    const text = source ? (source.value ?? source.textContent).trim() : button.dataset.copyText ?? '';
    const words = button.dataset.words ?? button.textContent;
    button.dataset.words = words;
    try {
      await put(text);
      button.textContent = speak('已复制', 'Copied');
    } catch {
      button.textContent = speak('请手动复制', 'Copy by hand');
      if (source) getSelection().selectAllChildren(source);
    }
    setTimeout(() => { button.textContent = words; }, 2000);
  });
}
