import { describe, expect, it } from 'vitest';
import { chartOf, geometryOf } from '../src/panel/widgets/charts/scales';
import type { WidgetNode } from '../src/panel/widgets/node';

const chart = (fields: object): WidgetNode => ({
  type: 'Chart',
  data: [{ day: 'Mon', a: 1, b: 4 }, { day: 'Tue', a: -2, b: 6 }, { day: 'Wed', a: null, b: 'x' }],
  series: [{ type: 'bar', dataKey: 'a', label: 'A' }, { type: 'line', dataKey: 'b', label: null }],
  xAxis: 'day',
  ...fields
});

describe('charts', () => {
  it('read their labels, series and values; what is no number is a gap', () => {
    const data = chartOf(chart({}));
    expect(data.labels).toEqual(['Mon', 'Tue', 'Wed']);
    expect(data.values).toEqual([[1, -2, null], [4, 6, null]]);
    expect(data.series.map(({ kind, label }) => [kind, label])).toEqual([['bar', 'A'], ['line', 'b']]);
    expect(data).toMatchObject({ showX: true, showY: false, legend: false, tooltip: true });
  });

  it('rename and hide the axis, and show what is asked for', () => {
    const data = chartOf(chart({ xAxis: { dataKey: 'day', hide: true, labels: { Mon: 'M' } }, showYAxis: true, showLegend: true, showTooltip: false }));
    expect(data.labels[0]).toBe('M');
    expect(data).toMatchObject({ showX: false, showY: true, legend: true, tooltip: false });
  });

  it('stack what has the same stack, up and down apart', () => {
    const series = [
      { type: 'bar', dataKey: 'a', stack: 's' },
      { type: 'bar', dataKey: 'b', stack: 's' },
      { type: 'area', dataKey: 'b', stack: 's' }
    ];
    const data = [{ a: 1, b: 2 }, { a: -1, b: 2 }, { a: -1, b: -2 }];
    expect(chartOf(chart({ series, data })).series.map(each => each.spans)).toEqual([
      [[0, 1], [0, -1], [0, -1]],
      [[1, 3], [0, 2], [-1, -3]],
      [[0, 2], [0, 2], [0, -2]]
    ]);
  });

  it('give each series a colour of its own, or the one it asks for', () => {
    const series = [{ type: 'bar', dataKey: 'a' }, { type: 'bar', dataKey: 'b' }, { type: 'bar', dataKey: 'b', color: '#123456' }];
    const colours = chartOf(chart({ series })).series.map(each => each.colour);
    expect(new Set(colours).size).toBe(3);
    expect(colours[2]).toBe('#123456');
  });

  it('stay within their box, with bars side by side', () => {
    const series = [{ type: 'bar', dataKey: 'a' }, { type: 'bar', dataKey: 'b' }];
    const place = geometryOf(chartOf(chart({ series, showYAxis: true, barGap: 5, barCategoryGap: 20 })), 300, 200);
    for (const bar of place.bars) {
      expect(bar.x).toBeGreaterThanOrEqual(place.left);
      expect(bar.x + bar.width).toBeLessThanOrEqual(place.right + 0.01);
      expect(bar.y).toBeGreaterThanOrEqual(place.top - 0.01);
      expect(bar.y + bar.height).toBeLessThanOrEqual(place.bottom + 0.01);
    }
    const [first, second] = [place.bars.find(bar => bar.series === 0)!, place.bars.find(bar => bar.series === 1)!];
    expect(second.x - first.x - first.width).toBeCloseTo(5, 5);
    expect(place.band - (second.x + second.width - first.x)).toBeCloseTo(20, 5);
  });

  it('name as many categories as there is room for', () => {
    const data = Array.from({ length: 100 }, (_, at) => ({ day: `day number ${at}`, a: at }));
    const place = geometryOf(chartOf(chart({ data })), 300, 200);
    expect(place.named.length).toBeLessThan(6);
  });

  it.each([
    [{ data: [] }],
    [{ data: 'x', series: 'y', xAxis: 7 }],
    [{ series: [{ type: 'bar', dataKey: '__proto__' }], xAxis: '__proto__' }],
    [{ data: [{ a: 1e308 }, { a: -1e308 }] }],
    [{ data: [{ a: 0 }] }],
    [{ data: [{ a: Number.NaN }] }]
  ])('draw something of %j', fields => {
    const data = chartOf(chart(fields));
    const place = geometryOf(data, 300, 200);
    expect([...place.centres, ...place.bars.flatMap(bar => [bar.x, bar.y])].every(value => !Number.isNaN(value))).toBe(true);
  });

  it('read only so much', () => {
    const data = Array.from({ length: 5_000 }, () => ({ a: 1 }));
    const series = Array.from({ length: 500 }, () => ({ type: 'bar', dataKey: 'a' }));
    const read = chartOf(chart({ data, series }));
    expect([read.labels.length, read.series.length]).toEqual([500, 20]);
  });
});
