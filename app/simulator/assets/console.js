// Keeps the marked parts of a console page fresh and asks before dangerous buttons. Every page works without it.
(function () {
  'use strict';
  document.addEventListener('click', function (event) {
    var button = event.target.closest('[data-confirm]');
    if (button && !window.confirm(button.dataset.confirm)) { event.preventDefault(); }
  });
  // A refused form comes back as it was typed, with the reason at its field.
  document.addEventListener('submit', function (event) {
    var form = event.target;
    if (form.method !== 'post' || !form.id) { return; }
    var kept = {};
    form.querySelectorAll('input:not([type=hidden]), select, textarea').forEach(function (field) {
      kept[field.id || field.name] = field.type === 'checkbox' ? field.checked : field.value;
    });
    window.sessionStorage.setItem('kept', JSON.stringify({ form: form.id, values: kept }));
  });
  function restore() {
    var problem = document.querySelector('.flash.bad');
    var kept = JSON.parse(window.sessionStorage.getItem('kept') || 'null');
    window.sessionStorage.removeItem('kept');
    var form = kept && document.getElementById(kept.form);
    if (!problem || !form) { return; }
    form.querySelectorAll('input:not([type=hidden]), select, textarea').forEach(function (field) {
      var value = kept.values[field.id || field.name];
      if (value === undefined) { return; }
      if (field.type === 'checkbox') { field.checked = value; } else { field.value = value; }
      if (field.name === problem.dataset.field) {
        var note = document.createElement('p');
        note.className = 'field-error';
        note.id = field.id + '-error';
        note.textContent = problem.textContent;
        field.after(note);
        field.setAttribute('aria-invalid', 'true');
        field.setAttribute('aria-describedby', note.id);
        field.focus();
      }
    });
  }
  restore();
  var here = document.querySelector('.side [aria-current]');
  if (here) { here.scrollIntoView({ block: 'nearest', inline: 'center' }); } // on a phone the menu is one long line
  // A file chosen on this machine goes into the text field it belongs to; nothing is sent before the form is.
  document.addEventListener('change', function (event) {
    var target = document.getElementById(event.target.dataset.load || '');
    var file = target && event.target.files[0];
    if (!file) { return; }
    file.text().then(function (text) {
      target.value = text;
      var id = document.getElementById('s-id');
      if (id && !id.value) { id.value = file.name.replace(/\.ya?ml$/, '').toLowerCase().replace(/[^a-z0-9-]+/g, '-'); }
    });
  });
  // On a narrow screen rows become cards; each cell then carries its column's title.
  function label(root) {
    root.querySelectorAll('table').forEach(function (table) {
      var titles = Array.prototype.map.call(table.querySelectorAll('thead th'), function (th) { return th.textContent; });
      table.querySelectorAll('tbody tr').forEach(function (row) {
        if (row.cells.length !== titles.length) { return; }
        Array.prototype.forEach.call(row.cells, function (cell, i) { if (titles[i]) { cell.dataset.label = titles[i]; } });
      });
    });
  }
  label(document);
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
        label(fresh);
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
