// A form with data-keep="name" remembers what was typed in this tab, through going back and reloading, until a page with
// data-keep-done="name" comes. Secrets are never kept: password fields and those marked data-secret.
const fields = (form) => [...form.elements].filter((one) => one.name && one.type !== 'hidden' && one.type !== 'password' && one.type !== 'file' && one.type !== 'submit' && !('secret' in one.dataset));

export function keepInput(root) {
  root.querySelectorAll('[data-keep-done]').forEach((node) => sessionStorage.removeItem(`mf-keep-${node.dataset.keepDone}`));
  root.querySelectorAll('form[data-keep]').forEach((form) => {
    const key = `mf-keep-${form.dataset.keep}`;
    let kept = {};
    try { kept = JSON.parse(sessionStorage.getItem(key) || '{}'); } catch { kept = {}; }
    fields(form).forEach((one) => {
      if (one.type === 'checkbox' || one.type === 'radio') {
        if (`${one.name}=${one.value}` in kept) one.checked = kept[`${one.name}=${one.value}`];
      } else if (!one.value && kept[one.name]) one.value = kept[one.name];
    });
    const save = () => {
      fields(form).forEach((one) => {
        if (one.type === 'checkbox' || one.type === 'radio') kept[`${one.name}=${one.value}`] = one.checked;
        else kept[one.name] = one.value;
      });
      try { sessionStorage.setItem(key, JSON.stringify(kept)); } catch { /* a full store only loses the convenience */ }
    };
    form.addEventListener('input', save);
    form.addEventListener('submit', save);
  });
}
