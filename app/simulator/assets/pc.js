// Waits on the PC page until the phone has confirmed, then follows WeChat's redirect to the platform.
(function () {
  'use strict';
  var box = document.getElementById('pc-scan');
  var text = document.getElementById('pc-state');
  var words = {
    waiting: '待扫码',
    scanned: '已扫码，请在手机上确认',
    confirmed: '授权成功，正在返回第三方平台…',
    cancelled: '已取消，没有授权',
    expired: '二维码已过期，请回到第三方平台重新发起授权'
  };
  function poll() {
    fetch(box.dataset.stateUrl, { cache: 'no-store' })
      .then(function (response) { return response.json(); })
      .then(function (scan) {
        text.textContent = words[scan.state] || scan.state;
        if (scan.state === 'confirmed') {
          window.location.href = scan.redirect_to;
          return;
        }
        if (scan.state !== 'cancelled' && scan.state !== 'expired') { window.setTimeout(poll, 1000); }
      })
      .catch(function () {
        text.textContent = '连接中断，正在重试…';
        window.setTimeout(poll, 3000);
      });
  }
  poll();
})();
