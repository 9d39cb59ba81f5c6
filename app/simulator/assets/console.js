// Keeps the marked parts of a console page fresh and asks before dangerous buttons. Every page works without it.
(function () {
  'use strict';
  document.addEventListener('click', function (event) {
    var button = event.target.closest('[data-confirm]');
    if (button && !window.confirm(button.dataset.confirm)) { event.preventDefault(); }
  });
  // A part in which somebody types, or has opened a row, is left alone.
  function inUse(part) {
    if (part.contains(document.activeElement) || part.querySelector('details[open]')) { return true; }
    return Array.prototype.some.call(part.querySelectorAll('input, textarea'), function (field) {
      return field.type === 'checkbox' ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
    });
  }
  function refresh() {
    if (document.hidden) { window.setTimeout(refresh, 3000); return; }
    var address = new URL(window.location.href);
    address.searchParams.delete('ok');
    address.searchParams.delete('err');
    fetch(address, { cache: 'no-store' })
      .then(function (response) { return response.ok ? response.text() : null; })
      .then(function (text) {
        if (!text) { return; }
        var fresh = new DOMParser().parseFromString(text, 'text/html');
        document.querySelectorAll('[data-live]').forEach(function (part) {
          var next = fresh.getElementById(part.id);
          if (next && !inUse(part) && part.innerHTML !== next.innerHTML) { part.innerHTML = next.innerHTML; }
        });
      })
      .catch(function () { /* the simulator restarts: the next round tries again */ })
      .then(function () { window.setTimeout(refresh, 3000); });
  }
  window.setTimeout(refresh, 3000);
})();
