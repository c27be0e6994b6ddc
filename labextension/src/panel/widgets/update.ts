/**
 * ChatKit's three updates of a widget, as a pure function of its JSON.
 *
 * Responsible for keeping every unchanged part the object it was: what is the same object is not drawn again.
 * It does not know what draws; the panel's store uses it without loading the renderer.
 */
import { MAX_DEPTH, type WidgetNode, isRecord } from './node';

type Json = Readonly<Record<string, unknown>>;

function keyOf(value: unknown): string {
  const key = isRecord(value) ? (value['key'] ?? value['id']) : '';
  return typeof key === 'string' ? key : '';
}

/** The members that have a key, by their keys. */
function named(list: readonly unknown[]): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  for (const member of list) {
    const key = keyOf(member);
    if (key) {
      found.set(key, member);
    }
  }
  return found;
}

function reuseList(before: readonly unknown[], after: readonly unknown[], depth: number): readonly unknown[] {
  let keyed: ReadonlyMap<string, unknown> | undefined;
  let [asBefore, asAfter] = [before.length === after.length, true];
  const made = after.map((member, at) => {
    const key = keyOf(member);
    let old = before[at];
    if (key && key !== keyOf(old)) {
      keyed ??= named(before);
      old = keyed.get(key) ?? old;
    }
    const kept = reuse(old, member, depth + 1);
    asBefore &&= kept === before[at];
    asAfter &&= kept === member;
    return kept;
  });
  return asBefore ? before : asAfter ? after : made;
}

function reuseRecord(before: Json, after: Json, depth: number): Json {
  const names = Object.keys(after);
  let asBefore = names.length === Object.keys(before).length;
  let changed: Map<string, unknown> | undefined;
  for (const name of names) {
    const value = after[name];
    const old = Object.hasOwn(before, name) ? before[name] : undefined;
    const kept = typeof value === 'object' ? reuse(old, value, depth + 1) : value;
    asBefore &&= kept === old;
    if (kept !== value) {
      changed ??= new Map();
      changed.set(name, kept);
    }
  }
  if (asBefore) {
    return before;
  }
  // Not by assignment: a field may be called `__proto__`.
  return changed ? Object.fromEntries(names.map(name => [name, changed.has(name) ? changed.get(name) : after[name]])) : after;
}

/** `after`, made of the parts of `before` that are equal: those stay the objects they were. */
export function reuse(before: unknown, after: unknown, depth = 0): unknown {
  // Two levels of JSON, an object and a list, for each level of components; and some for payloads.
  if (before === after || depth > MAX_DEPTH * 2 + 10) {
    return after;
  }
  if (Array.isArray(after)) {
    return Array.isArray(before) ? reuseList(before, after, depth) : after;
  }
  return isRecord(before) && isRecord(after) ? reuseRecord(before, after, depth) : after;
}

/** The tree with one component changed; the same tree when there is none of that id. */
function change(node: WidgetNode, id: string, make: (found: WidgetNode) => WidgetNode, depth: number): WidgetNode {
  if (node['id'] === id) {
    return make(node);
  }
  const children = node['children'];
  if (depth >= MAX_DEPTH || !children) {
    return node;
  }
  if (isRecord(children)) {
    const made = change(children as WidgetNode, id, make, depth + 1);
    return made === children ? node : { ...node, children: made };
  }
  if (!Array.isArray(children)) {
    return node;
  }
  for (let at = 0; at < children.length; at++) {
    const child: unknown = children[at];
    if (!isRecord(child)) {
      continue;
    }
    const made = change(child as WidgetNode, id, make, depth + 1);
    if (made !== child) {
      return { ...node, children: [...children.slice(0, at), made, ...children.slice(at + 1)] };
    }
  }
  return node;
}

/**
 * The widget after one of ChatKit's updates: `widget.root.updated`, `widget.component.updated` or
 * `widget.streaming_text.value_delta`. What names nothing that is there changes nothing.
 */
export function applyUpdate(root: WidgetNode, update: Json): WidgetNode {
  const { widget, component, component_id: id, delta, done } = update;
  switch (update['type']) {
    case 'widget.root.updated':
      return isRecord(widget) ? (reuse(root, widget) as WidgetNode) : root;
    case 'widget.component.updated':
      return typeof id === 'string' && isRecord(component)
        ? change(root, id, found => reuse(found, component) as WidgetNode, 1)
        : root;
    case 'widget.streaming_text.value_delta':
      return typeof id === 'string' && typeof delta === 'string'
        ? change(
            root,
            id,
            found => {
              const value = typeof found['value'] === 'string' ? found['value'] : '';
              return { ...found, value: value + delta, streaming: done !== true };
            },
            1
          )
        : root;
    default:
      return root;
  }
}
