/** Skips a redraw when no property changed: `preact/compat` has it too, with much that is not needed here. */
import { Component, type ComponentType, type FunctionComponent, h, type VNode } from 'preact';

function same(a: object, b: object, ignored: readonly string[]): boolean {
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every(key => ignored.includes(key) || alike(left[key], right[key]))
  );
}

/** Lists are alike when their members are: grouping entities anew makes new lists of the same entities. */
function alike(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((member, index) => member === b[index]);
  }
  return a === b;
}

/** @param ignored properties that may be made anew without meaning anything else: handlers of the same entity. */
export function memo<P extends object>(
  view: FunctionComponent<P>,
  ignored: readonly (keyof P & string)[] = []
): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return !same(this.props, next, ignored);
    }
    override render(): VNode {
      return h(view as FunctionComponent<object>, this.props);
    }
  };
}
