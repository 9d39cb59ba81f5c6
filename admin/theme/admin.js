// The frame's own behaviour: the menu on a phone, ticking all rows. Everything else is plain HTML.
(function () {
  'use strict';
  var narrow = window.matchMedia('(max-width: 767px)');
  document.addEventListener('click', function (e) {
    if (e.target.closest('[data-mfa-toggle]')) {
      document.body.classList.toggle(narrow.matches ? 'sidebar-open' : 'sidebar-collapse');
    } else if (e.target.closest('[data-mfa-close]')) {
      document.body.classList.remove('sidebar-open');
    }
    document.querySelectorAll('details.mfa-menu[open]').forEach(function (d) {
      if (!d.contains(e.target)) { d.removeAttribute('open'); }
    });
  });
  document.addEventListener('keydown', function (e) {
    if (e.key === 'Escape') {
      document.body.classList.remove('sidebar-open');
      document.querySelectorAll('details.mfa-menu[open]').forEach(function (d) { d.removeAttribute('open'); });
    }
  });
  document.addEventListener('change', function (e) {
    if (e.target.matches('[data-mfa-all]')) {
      e.target.closest('table').querySelectorAll('input[name="id"]').forEach(function (box) { box.checked = e.target.checked; });
    }
  });
})();
