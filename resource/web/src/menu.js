// Menus made of <details data-menu>: Esc closes and gives the focus back, arrows walk, a click elsewhere closes. A menu
// inside a table that scrolls is laid over it. The drawer is the left menu on a narrow screen.
const items = (menu) => [...menu.querySelectorAll('.mf-menu-box a, .mf-menu-box button, .mf-menu-box input:not([type=hidden])')].filter((one) => one.offsetParent !== null && !one.disabled);

function close(menu, back) {
  menu.removeAttribute('open');
  if (back) menu.querySelector('summary').focus();
}

function place(menu) {
  const box = menu.querySelector('.mf-menu-box');
  if (!box || !menu.closest('.mf-table-wrap')) return;
  const at = menu.getBoundingClientRect();
  box.style.position = 'fixed';
  box.style.top = 'auto';
  box.style.right = `${Math.max(8, document.documentElement.clientWidth - at.right)}px`;
  const below = window.innerHeight - at.bottom > box.offsetHeight + 12;
  box.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - box.offsetHeight - 4)}px`;
}

export function menus(root) {
  root.addEventListener('toggle', (event) => {
    const menu = event.target;
    if (!menu.matches?.('details.mf-menu') || !menu.open) return;
    root.querySelectorAll('details.mf-menu[open]').forEach((other) => { if (other !== menu && !other.contains(menu)) close(other); });
    place(menu);
  }, true);
  root.addEventListener('click', (event) => {
    root.querySelectorAll('details.mf-menu[open]').forEach((menu) => { if (!menu.contains(event.target)) close(menu); });
  });
  root.addEventListener('scroll', (event) => {
    if (event.target.closest?.('.mf-table-wrap')) root.querySelectorAll('.mf-table-wrap details.mf-menu[open]').forEach((menu) => close(menu));
  }, true);
  window.addEventListener('scroll', () => root.querySelectorAll('.mf-table-wrap details.mf-menu[open]').forEach((menu) => close(menu)), { passive: true });
  root.addEventListener('keydown', (event) => {
    const menu = event.target.closest?.('details.mf-menu[open]');
    if (!menu) return;
    if (event.key === 'Escape') {
      close(menu, true);
      event.stopPropagation();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1, Home: 'first', End: 'last' }[event.key];
    const typing = event.target.matches('input');
    if (!step || (typing && typeof step === 'string')) return;
    const list = items(menu);
    if (!list.length) return;
    event.preventDefault();
    const at = list.indexOf(event.target);
    const next = step === 'first' ? 0 : step === 'last' ? list.length - 1 : (at + step + list.length) % list.length;
    list[at < 0 && step === -1 ? list.length - 1 : next].focus();
  });
  drawer(root);
}

function drawer(root) {
  let back = null;
  const shut = () => {
    if (!document.body.classList.contains('mf-drawer-on')) return;
    document.body.classList.remove('mf-drawer-on');
    root.querySelectorAll('[data-drawer]').forEach((one) => one.setAttribute('aria-expanded', 'false'));
    document.querySelector('.mf-frame').inert = false;
    back?.focus();
  };
  root.addEventListener('click', (event) => {
    const opener = event.target.closest('[data-drawer]');
    if (opener) {
      event.preventDefault();
      back = opener;
      document.body.classList.add('mf-drawer-on');
      opener.setAttribute('aria-expanded', 'true');
      document.querySelector('.mf-frame').inert = true;
      setTimeout(() => (document.querySelector('.mf-side [aria-current]') || document.querySelector('.mf-side a')).focus(), 60);
    } else if (event.target.closest('[data-drawer-close]')) {
      event.preventDefault();
      shut();
    }
  });
  root.addEventListener('keydown', (event) => { if (event.key === 'Escape') shut(); });
}
