/**
 * ChatKit's three updates of a widget, as a pure function of its JSON.
 *
 * Responsible for keeping every unchanged part the object it was: what is the same object is not drawn again.
 * It does not know what draws; the panel's store uses it without loading the renderer.
 */
import { MAX_DEPTH, type WidgetNode, isRecord } from './node';

type Json = Readonly<Record<string, unknown>>;

function keyOf(value: unknown): string {
  if (!isRecord(value)) {
    return '';
  }
  const key = value['key'] ?? value['id'];
  return typeof key === 'string' ? key : '';
}

function reuseList(before: readonly unknown[], after: readonly unknown[], depth: number): readonly unknown[] {
  const named = new Map<string, unknown>();
  for (const member of before) {
    const key = keyOf(member);
    if (key) {
      named.set(key, member);
    }
  }
  const made = after.map((member, at) => {
    const key = keyOf(member);
    return reuse((key && named.get(key)) || before[at], member, depth + 1);
  });
  if (made.length === before.length && made.every((member, at) => member === before[at])) {
    return before;
  }
  return made.every((member, at) => member === after[at]) ? after : made;
}

/** `after`, made of the parts of `before` that are equal. */
export function reuse(before: unknown, after: unknown, depth = 0): unknown {
  // Two levels of JSON, an object and a list, for each level of components; and some for payloads.
  if (before === after || depth > MAX_DEPTH * 2 + 10) {
    return after;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    return reuseList(before, after, depth);
  }
  if (!isRecord(before) || !isRecord(after)) {
    return after;
  }
  const old: Json = before;
  const names = Object.keys(after);
  const made = names.map(name => (Object.hasOwn(old, name) ? reuse(old[name], after[name], depth + 1) : after[name]));
  if (names.length === Object.keys(old).length && names.every((name, at) => Object.hasOwn(old, name) && old[name] === made[at])) {
    return before;
  }
  if (names.every((name, at) => made[at] === after[name])) {
    return after;
  }
  // Not by assignment: a field may be called `__proto__`.
  return Object.fromEntries(names.map((name, at) => [name, made[at]]));
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
