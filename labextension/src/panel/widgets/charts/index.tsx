/**
 * Draws a Chart as SVG, with a tooltip for pointer and keyboard and a table for those who do not see it.
 *
 * A part of its own: it is loaded when the first chart is to be shown.
 */
import {
  area, curveBasis, curveBasisClosed, curveBasisOpen, curveBumpX, curveBumpY, curveLinear, curveLinearClosed,
  curveMonotoneX, curveMonotoneY, curveNatural, curveStep, curveStepAfter, curveStepBefore, line
} from 'd3-shape';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Translator } from '../../translation';
import type { WidgetNode } from '../node';
import { type ChartData, type CurveName, type Geometry, type Series, chartOf, exact, geometryOf, short } from './scales';

const CURVES: Readonly<Record<CurveName, typeof curveLinear>> = {
  basis: curveBasis, basisClosed: curveBasisClosed, basisOpen: curveBasisOpen, bumpX: curveBumpX,
  bumpY: curveBumpY, bump: curveBumpX, linear: curveLinear, linearClosed: curveLinearClosed,
  natural: curveNatural, monotoneX: curveMonotoneX, monotoneY: curveMonotoneY, monotone: curveMonotoneX,
  step: curveStep, stepBefore: curveStepBefore, stepAfter: curveStepAfter
};

const LEAST_PX = 120;
const TOOLTIP_PX = 180;

interface Point {
  readonly x: number;
  readonly span: readonly [number, number] | null;
}

function Shape({ series, place }: { series: Series; place: Geometry }) {
  const points: Point[] = series.spans.map((span, at) => ({ x: place.centres[at] ?? 0, span }));
  const curve = CURVES[series.curve];
  const defined = (point: Point): boolean => point.span !== null;
  const top = (point: Point): number => place.y(point.span?.[1] ?? 0);
  const path = line<Point>().x(point => point.x).y(top).defined(defined).curve(curve)(points) ?? '';
  const alone = points.filter((point, at) => point.span && !points[at - 1]?.span && !points[at + 1]?.span);
  return (
    <g style={{ color: series.colour }}>
      {series.kind === 'area' && (
        <path
          class="vk-w-chart-area"
          d={
            area<Point>()
              .x(point => point.x)
              .y0(point => place.y(point.span?.[0] ?? 0))
              .y1(top)
              .defined(defined)
              .curve(curve)(points) ?? ''
          }
        />
      )}
      <path class="vk-w-chart-line" d={path} />
      {alone.map((point, at) => (
        <circle key={at} cx={point.x} cy={top(point)} r="3" fill="currentColor" />
      ))}
    </g>
  );
}

function cut(label: string): string {
  return label.length > 14 ? `${label.slice(0, 13)}…` : label;
}

function Drawing({ data, place, width, height, active }: { data: ChartData; place: Geometry; width: number; height: number; active: number | null }) {
  return (
    <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true" focusable="false">
      {place.ticks.map(tick => (
        <g key={tick.value}>
          <line class="vk-w-chart-grid" x1={place.left} x2={place.right} y1={tick.y} y2={tick.y} />
          {data.showY && (
            <text class="vk-w-chart-word" x={place.left - 6} y={tick.y + 4} text-anchor="end">
              {short(tick.value)}
            </text>
          )}
        </g>
      ))}
      {active !== null && data.tooltip && (
        <line
          class="vk-w-chart-guide"
          x1={place.centres[active]}
          x2={place.centres[active]}
          y1={place.top}
          y2={place.bottom}
        />
      )}
      {place.bars.map(bar => (
        <rect
          key={`${bar.series} ${bar.row}`}
          x={bar.x}
          y={bar.y}
          width={bar.width}
          height={bar.height}
          rx={data.series[bar.series]?.stack ? 0 : Math.min(3, bar.width / 4, bar.height / 2)}
          style={{ fill: data.series[bar.series]?.colour ?? '' }}
          opacity={active === null || active === bar.row ? 1 : 0.55}
        />
      ))}
      {data.series.map((series, at) => (series.kind === 'bar' ? null : <Shape key={at} series={series} place={place} />))}
      {active !== null &&
        data.tooltip &&
        data.series.map((series, at) => {
          const span = series.spans[active];
          return series.kind === 'bar' || !span ? null : (
            <circle
              key={at}
              class="vk-w-chart-dot"
              cx={place.centres[active]}
              cy={place.y(span[1])}
              r="4"
              style={{ fill: series.colour }}
            />
          );
        })}
      <line class="vk-w-chart-axis" x1={place.left} x2={place.right} y1={place.y(0)} y2={place.y(0)} />
      {data.showX &&
        place.named.map(at => {
          const x = place.centres[at] ?? 0;
          const half = (cut(data.labels[at] ?? '').length * 6.3) / 2;
          const anchor = x - half < 0 ? 'start' : x + half > width ? 'end' : 'middle';
          return (
            <text
              key={at}
              class="vk-w-chart-word"
              x={anchor === 'start' ? 0 : anchor === 'end' ? width : x}
              y={height - 6}
              text-anchor={anchor}
            >
              {cut(data.labels[at] ?? '')}
            </text>
          );
        })}
    </svg>
  );
}

/** The chart's numbers, row by row. */
export function ChartTable({ data, caption }: { data: ChartData; caption: string }) {
  return (
    <table>
      <caption>{caption}</caption>
      <thead>
        <tr>
          <td />
          {data.series.map((series, at) => (
            <th key={at} scope="col">
              {series.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {data.labels.map((label, row) => (
          <tr key={row}>
            <th scope="row">{label}</th>
            {data.values.map((values, at) => (
              <td key={at}>{exact(values[row] ?? null)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export interface ChartViewProps {
  readonly node: WidgetNode;
  readonly trans: Translator;
}

export function ChartView({ node, trans }: ChartViewProps) {
  const ref = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 480, height: 220 });
  const [active, setActive] = useState<number | null>(null);
  const data = useMemo(() => chartOf(node), [node]);
  const place = useMemo(() => geometryOf(data, size.width, size.height), [data, size]);
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) {
      return undefined;
    }
    const look = (): void => {
      const [width, height] = [box.clientWidth, box.clientHeight];
      if (width > 0) {
        setSize(now => (now.width === width && now.height === height ? now : { width: Math.max(LEAST_PX, width), height: Math.max(80, height) }));
      }
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  const last = data.labels.length - 1;
  const shown = active !== null && active <= last ? active : null;
  const nearest = (event: PointerEvent): void => {
    const x = event.clientX - (ref.current?.getBoundingClientRect().left ?? 0);
    let best = 0;
    place.centres.forEach((centre, at) => {
      best = Math.abs(centre - x) < Math.abs((place.centres[best] ?? 0) - x) ? at : best;
    });
    setActive(last < 0 ? null : best);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = shown ?? -1;
    const next = { ArrowRight: Math.min(last, at + 1), ArrowLeft: Math.max(0, at - 1), Home: 0, End: last }[event.key];
    if (event.key === 'Escape') {
      setActive(null);
    } else if (next !== undefined && last >= 0) {
      event.preventDefault();
      setActive(next);
    }
  };
  const caption = trans.__('Chart of %1', data.series.map(series => series.label).join(', '));
  return (
    <figure class="vk-w-figure">
      <div
        ref={ref}
        class="vk-w-plot"
        role="img"
        tabIndex={data.tooltip ? 0 : undefined}
        aria-label={caption}
        onPointerMove={nearest}
        onPointerLeave={() => setActive(null)}
        onKeyDown={onKeyDown}
        onBlur={() => setActive(null)}
      >
        <Drawing data={data} place={place} width={size.width} height={size.height} active={shown} />
      </div>
      {shown !== null && data.tooltip && (
        <div
          class="vk-w-tooltip"
          role="status"
          style={{
            left: `${Math.max(0, Math.min(size.width - TOOLTIP_PX, (place.centres[shown] ?? 0) > size.width / 2 ? (place.centres[shown] ?? 0) - TOOLTIP_PX - 12 : (place.centres[shown] ?? 0) + 12))}px`
          }}
        >
          <b>{data.labels[shown]}</b>
          {data.series.map((series, at) => (
            <span key={at}>
              <i style={{ backgroundColor: series.colour }} />
              <span>{series.label}</span>
              <span>{exact(data.values[at]?.[shown] ?? null)}</span>
            </span>
          ))}
        </div>
      )}
      {data.legend && (
        <figcaption class="vk-w-legend">
          {data.series.map((series, at) => (
            <span key={at}>
              <i style={{ backgroundColor: series.colour }} />
              {series.label}
            </span>
          ))}
        </figcaption>
      )}
      <div class="vk-w-unseen">
        <ChartTable data={data} caption={caption} />
      </div>
    </figure>
  );
}
