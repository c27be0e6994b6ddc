/**
 * Widget JSON, which anybody may have written: read field by field, bounded in size, never trusted.
 *
 * Responsible for what a component may hold and for reading its fields as what they should be. It does not
 * know how anything is drawn. No field is ever handed on to the page as a whole.
 */

/** One component: plain data with ChatKit's own field names. */
export interface WidgetNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Components within components; what is deeper is left out. */
export const MAX_DEPTH = 40;
/** Components directly in one. */
export const MAX_CHILDREN = 2_000;
/** Components in a whole widget. */
export const MAX_NODES = 10_000;
/** Options of a field, series and rows of a chart. */
const MAX_OPTIONS = 1_000;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const NONE: readonly never[] = [];

function isNode(value: unknown): value is WidgetNode {
  return isRecord(value) && typeof value['type'] === 'string';
}

/** The components in a component: `children` is a list or, as in a Transition, one. */
export function childrenOf(node: WidgetNode): readonly WidgetNode[] {
  const children = node['children'];
  if (children === undefined || children === null) {
    return NONE;
  }
  const list = Array.isArray(children) ? children : [children];
  return list.every(isNode) ? list : list.filter(isNode);
}

const CUT: WidgetNode = { type: 'Text', value: '…' };

interface Extent {
  readonly nodes: number;
  readonly depth: number;
}

/** Counting fewer components anew is cheaper than to remember how many they are. */
const WORTH_KEEPING = 6;

/** What is known of components that need no cutting: an update leaves most of a widget as it was. */
const extents = new WeakMap<object, Extent>();

/**
 * The widget without what is too deep or too much, and with bare texts as Text components.
 *
 * Whatever is fine stays the object it is, so that an unchanged part is known as such.
 */
export function bounded(root: unknown): WidgetNode {
  let left = MAX_NODES;
  /** How deep the components seen last go. */
  let reached = 0;
  const visit = (value: unknown, depth: number): WidgetNode | null => {
    if (typeof value === 'string' || typeof value === 'number') {
      left--;
      return { type: 'Text', value: String(value) };
    }
    if (!isNode(value)) {
      return null;
    }
    reached = Math.max(reached, depth);
    const children = value['children'];
    if (children === undefined || children === null) {
      left--;
      return value;
    }
    const extent = extents.get(value);
    if (extent && extent.nodes <= left && depth + extent.depth <= MAX_DEPTH) {
      left -= extent.nodes;
      reached = Math.max(reached, depth + extent.depth);
      return value;
    }
    const before = left--;
    if (depth >= MAX_DEPTH) {
      return { ...value, children: [CUT] };
    }
    const list: readonly unknown[] = Array.isArray(children) ? children : [children];
    const most = Math.min(list.length, MAX_CHILDREN);
    const outside = reached;
    reached = depth;
    let same = most === list.length;
    const kept: WidgetNode[] = [];
    for (let at = 0; at < most && left > 0; at++) {
      const seen = visit(list[at], depth + 1);
      same &&= seen === list[at];
      if (seen) {
        kept.push(seen);
      }
    }
    same &&= kept.length === list.length;
    const nodes = before - left;
    if (same && nodes >= WORTH_KEEPING) {
      extents.set(value, { nodes, depth: reached - depth });
    }
    reached = Math.max(reached, outside);
    const cut = list.length > MAX_CHILDREN || left <= 0;
    return same ? value : { ...value, children: cut ? [...kept, CUT] : kept };
  };
  return visit(root, 1) ?? { type: 'Basic', children: [] };
}

const labels = new WeakMap<object, readonly string[]>();

/** Names of the fields that have a Label somewhere in a component. */
export function labelledIn(node: WidgetNode): readonly string[] {
  if (node.type === 'Label') {
    return [text(node, 'fieldName')];
  }
  const children = childrenOf(node);
  if (children.length === 0) {
    return NONE;
  }
  let names = labels.get(node);
  if (!names) {
    names = NONE;
    for (const child of children) {
      const found = labelledIn(child);
      names = found.length > 0 ? [...names, ...found] : names;
    }
    if (children.length > 1) {
      labels.set(node, names);
    }
  }
  return names;
}

/** A text; a number is one as well. */
export function text(node: Readonly<Record<string, unknown>>, field: string): string {
  const value = node[field];
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function flag(node: Readonly<Record<string, unknown>>, field: string): boolean {
  return node[field] === true;
}

/** A whole number within bounds; undefined for whatever else stands there. */
export function whole(
  node: Readonly<Record<string, unknown>>,
  field: string,
  from: number,
  to: number
): number | undefined {
  const value = node[field];
  return typeof value === 'number' && Number.isFinite(value)
    ? Math.min(to, Math.max(from, Math.round(value)))
    : undefined;
}

/** One of the words that may stand there, or undefined. */
export function pick<T extends string>(
  node: Readonly<Record<string, unknown>>,
  field: string,
  words: readonly T[]
): T | undefined {
  const value = node[field];
  return words.find(word => word === value);
}

/** The records of a list, as many as may be. */
export function records(value: unknown, most = MAX_OPTIONS): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.slice(0, most).filter(isRecord) : [];
}

/** Names to keep apart the children of one parent: their own where they have one, else their place. */
export function keysOf(children: readonly WidgetNode[]): readonly string[] {
  const taken = new Set<string>();
  return children.map((child, at) => {
    const own = text(child, 'key') || text(child, 'id');
    let key = own ? `=${own}` : `${at}`;
    if (taken.has(key)) {
      key = `${key}#${at}`;
    }
    taken.add(key);
    return key;
  });
}
