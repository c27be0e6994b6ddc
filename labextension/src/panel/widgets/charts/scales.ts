/**
 * The numbers of a chart: which series there are, what is stacked on what, and where it all stands.
 *
 * Responsible for reading a Chart's fields and for its geometry, in pixels. It draws nothing. The curves
 * are d3-shape's: ChatKit names them as it does. Whole charting libraries are 50 kB, or draw on a canvas.
 */
import { type WidgetNode, flag, isRecord, pick, records, text, whole } from '../node';
import { SERIES, colourOf } from '../style';

const MAX_ROWS = 500;
const MAX_SERIES = 20;
/** Past this, the difference of two numbers may be none. */
const LARGEST = 1e100;

const CURVES = [
  'basis', 'basisClosed', 'basisOpen', 'bumpX', 'bumpY', 'bump', 'linear', 'linearClosed', 'natural',
  'monotoneX', 'monotoneY', 'monotone', 'step', 'stepBefore', 'stepAfter'
] as const;
export type CurveName = (typeof CURVES)[number];

export interface Series {
  readonly kind: 'bar' | 'area' | 'line';
  readonly key: string;
  readonly label: string;
  readonly colour: string;
  readonly curve: CurveName;
  /** What it is stacked with; empty when it stands by itself. */
  readonly stack: string;
  /** From where to where each value reaches; null where there is none. */
  readonly spans: readonly (readonly [from: number, to: number] | null)[];
}

export interface ChartData {
  /** The categories, as they are to be read. */
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly values: readonly (readonly (number | null)[])[];
  readonly showX: boolean;
  readonly showY: boolean;
  readonly legend: boolean;
  readonly tooltip: boolean;
  readonly barGap: number;
  readonly categoryGap: number | undefined;
}

function numberOf(row: Readonly<Record<string, unknown>>, key: string): number | null {
  const value = Object.hasOwn(row, key) ? row[key] : null;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Math.abs(number) <= LARGEST ? number : null;
}

function labelsOf(node: WidgetNode, rows: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  const axis = node['xAxis'];
  const key = isRecord(axis) ? text(axis, 'dataKey') : text(node, 'xAxis');
  const names = isRecord(axis) && isRecord(axis['labels']) ? axis['labels'] : {};
  return rows.map(row => {
    const value = Object.hasOwn(row, key) ? text(row, key) : '';
    return Object.hasOwn(names, value) ? text(names, value) || value : value;
  });
}

/** Reads a Chart: what is no number is a gap, and there is only so much of everything. */
export function chartOf(node: WidgetNode): ChartData {
  const rows = records(node['data'], MAX_ROWS);
  const axis = node['xAxis'];
  const given = records(node['series'], MAX_SERIES);
  const values = given.map(each => rows.map(row => numberOf(row, text(each, 'dataKey'))));
  const colours = Object.values(SERIES);
  // Of a stack, how far up and down each row has come.
  const tops = new Map<string, { up: number[]; down: number[] }>();
  const series = given.map((each, at): Series => {
    const kind = pick(each, 'type', ['bar', 'area', 'line']) ?? 'bar';
    const stack = kind === 'line' ? '' : text(each, 'stack');
    const name = `${kind} ${stack}`;
    const top = tops.get(name) ?? { up: rows.map(() => 0), down: rows.map(() => 0) };
    tops.set(name, top);
    const spans = (values[at] ?? []).map((value, row) => {
      if (value === null) {
        return null;
      }
      if (stack === '') {
        return [0, value] as const;
      }
      const side = value < 0 ? top.down : top.up;
      const from = side[row] ?? 0;
      side[row] = from + value;
      return [from, from + value] as const;
    });
    return {
      kind,
      key: text(each, 'dataKey'),
      label: text(each, 'label') || text(each, 'dataKey'),
      colour: colourOf(each['color'], SERIES) ?? colours[at % colours.length] ?? 'currentColor',
      curve: pick(each, 'curveType', CURVES) ?? 'monotone',
      stack,
      spans
    };
  });
  return {
    labels: labelsOf(node, rows),
    series,
    values,
    showX: !(isRecord(axis) && flag(axis, 'hide')),
    showY: flag(node, 'showYAxis'),
    legend: flag(node, 'showLegend'),
    tooltip: node['showTooltip'] !== false,
    barGap: whole(node, 'barGap', 0, 100) ?? 3,
    categoryGap: whole(node, 'barCategoryGap', 0, 200)
  };
}

const FORMAT = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 2 });
const EXACT = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 });

/** A number as it stands at an axis. */
export function short(value: number): string {
  return FORMAT.format(value);
}

export function exact(value: number | null): string {
  return value === null ? '–' : EXACT.format(value);
}

const LETTER_PX = 6.3;
const TICK_ROOM_PX = 40;

export interface Bar {
  readonly series: number;
  readonly row: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Geometry {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** The middle of each category. */
  readonly centres: readonly number[];
  readonly band: number;
  readonly ticks: readonly { readonly value: number; readonly y: number }[];
  /** Places of the categories that are named: as many as there is room for. */
  readonly named: readonly number[];
  readonly bars: readonly Bar[];
  readonly y: (value: number) => number;
}

/** 1, 2 or 5 times a power of ten: the step between `rooms` marks or so. */
function stepOf(low: number, high: number, rooms: number): number {
  const rough = (high - low) / rooms;
  const power = 10 ** Math.floor(Math.log10(rough));
  const share = rough / power;
  return (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10) * power;
}

/** Marks from end to end of a domain that begins and ends with one. */
function marksOf([low, high]: readonly [number, number], step: number): readonly number[] {
  const count = Math.min(50, Math.round((high - low) / step));
  // Without the dust of binary fractions: 0.30000000000000004.
  return Array.from({ length: count + 1 }, (_, at) => Number((low + at * step).toPrecision(12)));
}

function domainOf(data: ChartData): readonly [number, number] {
  let low = 0;
  let high = 0;
  for (const { spans } of data.series) {
    for (const span of spans) {
      low = Math.min(low, span?.[0] ?? 0, span?.[1] ?? 0);
      high = Math.max(high, span?.[0] ?? 0, span?.[1] ?? 0);
    }
  }
  return low === high ? [0, 1] : [low, high];
}

/** Where everything stands in a box of that size, in pixels. */
export function geometryOf(data: ChartData, width: number, height: number): Geometry {
  const bottom = height - (data.showX ? 24 : 6);
  const top = 8;
  const rooms = Math.max(2, Math.floor((bottom - top) / TICK_ROOM_PX));
  const [least, most] = domainOf(data);
  const step = stepOf(least, most, rooms);
  const [low, high] = [Math.floor(least / step) * step, Math.ceil(most / step) * step];
  const y = (value: number): number => bottom - ((value - low) / (high - low)) * (bottom - top);
  const marks = marksOf([low, high], step).map(value => ({ value, y: y(value) }));
  const left = data.showY ? 10 + Math.max(...marks.map(mark => short(mark.value).length)) * LETTER_PX : 4;
  const right = width - 6;
  const count = Math.max(1, data.labels.length);
  const columns = new Map<string, number>();
  data.series.forEach((each, at) => {
    const name = each.stack || `#${at}`;
    if (each.kind === 'bar' && !columns.has(name)) {
      columns.set(name, columns.size);
    }
  });
  // With bars, each category has a band of its own; lines alone run from edge to edge.
  const inset = columns.size > 0 || count === 1 ? 0 : 8;
  const band = columns.size > 0 || count === 1 ? (right - left) / count : (right - left - 2 * inset) / (count - 1);
  const centres = data.labels.map((_, at) => left + inset + (columns.size > 0 || count === 1 ? (at + 0.5) * band : at * band));
  const gap = Math.min(data.categoryGap ?? band * 0.25, band * 0.9);
  const between = columns.size > 1 ? Math.min(data.barGap, (band - gap) / (2 * columns.size)) : 0;
  const thickness = Math.max(1, Math.min(64, (band - gap - between * (columns.size - 1)) / Math.max(1, columns.size)));
  const whole = thickness * columns.size + between * (columns.size - 1);
  const bars = data.series.flatMap((each, series) =>
    each.kind === 'bar'
      ? each.spans.flatMap((span, row) => {
          if (!span) {
            return [];
          }
          const column = columns.get(each.stack || `#${series}`) ?? 0;
          const x = (centres[row] ?? 0) - whole / 2 + column * (thickness + between);
          const [upper, lower] = [y(Math.max(...span)), y(Math.min(...span))];
          return [{ series, row, x, y: upper, width: thickness, height: Math.max(0, lower - upper) }];
        })
      : []
  );
  const widest = Math.min(14, Math.max(1, ...data.labels.map(label => label.length))) * LETTER_PX + 10;
  const every = Math.max(1, Math.ceil(widest / Math.max(1, band)));
  const named = data.labels.map((_, at) => at).filter(at => at % every === 0);
  return { left, top, right, bottom, centres, band, ticks: marks, named, bars, y };
}
