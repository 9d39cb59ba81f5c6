// The charts of the 工作台. Loaded only on pages that have some; colours are the pages' own tokens, so light and dark
// follow. Everything is drawn on a canvas: no style attribute and no HTML is made, as the content security policy asks.
import { BarChart, LineChart, PieChart } from 'echarts/charts';
import { AriaComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';

use([BarChart, LineChart, PieChart, GridComponent, TooltipComponent, AriaComponent, CanvasRenderer]);

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--mf-${name}`).trim();
const tone = (name) => token(name ? `${name}-fill` : 'blue-fill') || token('orange-mark') || token('blue');
const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

function option(chart, narrow) {
  const ink = token('ink');
  const dim = token('dim');
  const line = token('line');
  const unit = chart.unit ? ` ${chart.unit}` : '';
  const tooltip = {
    renderMode: 'richText', confine: true, backgroundColor: token('paper'), borderColor: token('line-strong'), textStyle: { color: ink, fontSize: 13 },
    formatter: (p) => { const one = Array.isArray(p) ? p[0] : p; return `${one.name}\n${one.value}${unit}`; },
  };
  const data = chart.points.map((p) => ({ name: p.label, value: p.value, itemStyle: { color: tone(p.tone) } }));
  const common = { animation: !still(), textStyle: { fontFamily: token('font') || 'sans-serif' }, color: [token('blue-fill')] };
  if (chart.kind === 'pie') {
    return { ...common, tooltip: { ...tooltip, trigger: 'item' }, series: [{ type: 'pie', radius: ['45%', '72%'], data, label: { color: ink } }] };
  }
  const line_ = chart.kind === 'line';
  return {
    ...common,
    tooltip: { ...tooltip, trigger: 'axis' },
    grid: { left: 8, right: 12, top: 16, bottom: 8, containLabel: true },
    xAxis: { type: 'category', data: data.map((d) => d.name), boundaryGap: !line_, axisLabel: { color: dim, hideOverlap: true, rotate: narrow && !line_ ? 40 : 0 }, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } },
    yAxis: { type: 'value', minInterval: line_ ? 0 : 1, axisLabel: { color: dim }, splitLine: { lineStyle: { color: line } } },
    series: [line_
      ? { type: 'line', data, showSymbol: data.length < 3, symbolSize: 6, smooth: 0.2, lineStyle: { width: 2 }, areaStyle: { opacity: 0.12 } }
      : { type: 'bar', data, barMaxWidth: 36 }],
  };
}

function mount(figure) {
  const source = figure.querySelector('script[type="application/json"]');
  const canvas = figure.querySelector('.mf-chart-canvas');
  if (!source || !canvas) return null;
  const chart = JSON.parse(source.textContent);
  const drawn = init(canvas, null, { renderer: 'canvas' });
  const draw = () => drawn.setOption(option(chart, canvas.clientWidth < 420), true);
  draw();
  drawn.on('click', (event) => {
    const point = chart.points[event.dataIndex];
    if (point?.href?.startsWith('/')) location.assign(point.href);
  });
  new ResizeObserver(() => { drawn.resize(); draw(); }).observe(canvas);
  return draw;
}

const draws = [...document.querySelectorAll('[data-chart]')].map(mount).filter(Boolean);
const redraw = () => draws.forEach((draw) => draw());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ['data-mf-theme', 'class'] });
