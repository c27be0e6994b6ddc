/**
 * A long list in groups, of which only the part in sight stands in the page.
 *
 * One row at a time takes part in the order of the Tab key; arrows, Home and End go from row to row.
 */
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { HEAD_PX } from '../tasklist';
import { useWindow } from './hooks';

export interface ListRow {
  /** Unique in the list. */
  readonly id: number;
  /** Pixels; the row is never lower. */
  readonly height: number;
  /** Draws the row, an element with `data-id` and, in it, the `.vk-row-main` that takes the focus. */
  readonly draw: (tabbable: boolean, place: number) => ComponentChildren;
}

export interface ListGroup {
  readonly name: string;
  readonly head: ComponentChildren;
  readonly rows: readonly ListRow[];
}

export interface RowListProps {
  readonly groups: readonly ListGroup[];
  readonly label: string;
  readonly busy?: boolean;
  /** The box that scrolls. */
  readonly box: RefObject<HTMLDivElement | null>;
  /** A key was pressed on a row; returns whether it meant something. */
  readonly onKey?: (id: number, event: KeyboardEvent) => boolean;
  /** The last row stands in the page. */
  readonly onEnd?: (() => void) | undefined;
  /** Stands before the rows, e.g. in place of them. */
  readonly children?: ComponentChildren;
  /** Stands after the rows. */
  readonly after?: ComponentChildren;
}

/** What stands in the page, top to bottom: the head of a group, or a row of it with its place there. */
type Item =
  | { readonly group: ListGroup; readonly row: null }
  | { readonly group: ListGroup; readonly row: ListRow; readonly place: number };

function itemsOf(groups: readonly ListGroup[]): Item[] {
  return groups.flatMap((group): Item[] => [
    { group, row: null },
    ...group.rows.map((row, index) => ({ group, row, place: index + 1 }))
  ]);
}

export function RowList({ groups, label, busy = false, box, onKey, onEnd, children, after }: RowListProps) {
  const items = itemsOf(groups);
  const heights = items.map(item => item.row?.height ?? HEAD_PX);
  const ids = items.flatMap(item => (item.row ? [item.row.id] : []));
  const sight = useWindow(box, heights);
  const [current, setCurrent] = useState<number | null>(null);
  /** The row that is to take the focus, once it stands in the page. */
  const [wanted, setWanted] = useState<number | null>(null);
  const scrolledFor = useRef<number | null>(null);
  const drawn = items.slice(sight.from, sight.to);
  const drawnIds = drawn.flatMap(item => (item.row ? [item.row.id] : []));
  const tabbable = current !== null && drawnIds.includes(current) ? current : drawnIds[0];

  useLayoutEffect(() => {
    const list = box.current;
    if (wanted === null || !list) {
      return;
    }
    const row = list.querySelector<HTMLElement>(`[data-id="${wanted}"]`);
    if (row) {
      scrolledFor.current = null;
      row.scrollIntoView({ block: 'nearest' });
      row.querySelector<HTMLElement>('.vk-row-main')?.focus({ preventScroll: true });
      setWanted(null);
    } else if (scrolledFor.current !== wanted) {
      // Scrolled to, it will be drawn.
      scrolledFor.current = wanted;
      const index = items.findIndex(item => item.row?.id === wanted);
      list.scrollTop = heights.slice(0, index).reduce((sum, height) => sum + height, 0) - list.clientHeight / 2;
    }
  });
  const atEnd = sight.to === items.length && items.length > 0;
  useLayoutEffect(() => {
    if (atEnd) {
      onEnd?.();
    }
  }, [atEnd, items.length, onEnd === undefined]);

  const idOf = (event: Event): number =>
    Number((event.target as HTMLElement).closest<HTMLElement>('[data-id]')?.dataset['id']);
  const onKeyDown = (event: KeyboardEvent): void => {
    const id = idOf(event);
    const index = ids.indexOf(id);
    if (index < 0 || event.ctrlKey || event.metaKey) {
      return;
    }
    if (onKey?.(id, event)) {
      event.preventDefault();
      return;
    }
    const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: ids.length - 1 }[event.key];
    if (next !== undefined && !event.altKey) {
      event.preventDefault();
      const target = ids[Math.max(0, Math.min(ids.length - 1, next))]!;
      setCurrent(target);
      setWanted(target);
    }
  };

  const parts: { readonly group: ListGroup; readonly head: boolean; readonly items: Item[] }[] = [];
  for (const item of drawn) {
    const last = parts[parts.length - 1];
    if (last?.group === item.group) {
      last.items.push(item);
    } else {
      parts.push({ group: item.group, head: item.row === null, items: item.row === null ? [] : [item] });
    }
  }
  return (
    <div
      ref={box}
      class="vk-scroll"
      role="group"
      aria-label={label}
      aria-busy={busy}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onFocusIn={event => {
        const id = idOf(event);
        if (id) {
          setCurrent(id);
        }
      }}
    >
      {children}
      <div style={{ height: `${sight.before}px` }} />
      {parts.map(part => (
        <div key={part.group.name}>
          {part.head && <h3 class="vk-group">{part.group.head}</h3>}
          {part.items.length > 0 && (
            <ul>{part.items.map(item => item.row && item.row.draw(item.row.id === tabbable, item.place))}</ul>
          )}
        </div>
      ))}
      <div style={{ height: `${sight.after}px` }} />
      {after}
    </div>
  );
}
