import { describe, expect, it } from 'vitest';
import { MAX_CHILDREN, MAX_DEPTH, MAX_NODES, type WidgetNode, bounded, childrenOf } from '../src/panel/widgets/node';
import { applyUpdate, reuse } from '../src/panel/widgets/update';

const root: WidgetNode = {
  type: 'Card',
  children: [
    { type: 'Text', id: 'log', value: 'one' },
    { type: 'Row', children: [{ type: 'Badge', id: 'state', label: 'running' }] },
    { type: 'Transition', children: { type: 'Text', id: 'inner', value: 'a' } }
  ]
};
const [log, row, transition] = childrenOf(root);

describe('applyUpdate', () => {
  it('appends a delta, and leaves every other part the object it was', () => {
    const after = applyUpdate(root, { type: 'widget.streaming_text.value_delta', component_id: 'log', delta: ' two', done: false });
    const [text, kept, also] = childrenOf(after);
    expect(text).toEqual({ type: 'Text', id: 'log', value: 'one two', streaming: true });
    expect(kept).toBe(row);
    expect(also).toBe(transition);
    expect(log).toEqual({ type: 'Text', id: 'log', value: 'one' });
  });

  it('ends the streaming with the last delta', () => {
    const after = applyUpdate(root, { type: 'widget.streaming_text.value_delta', component_id: 'inner', delta: '', done: true });
    expect(childrenOf(childrenOf(after)[2]!)[0]).toMatchObject({ value: 'a', streaming: false });
  });

  it('replaces one component', () => {
    const component = { type: 'Badge', id: 'state', label: 'done', color: 'success' };
    const after = applyUpdate(root, { type: 'widget.component.updated', component_id: 'state', component });
    expect(childrenOf(childrenOf(after)[1]!)[0]).toEqual(component);
    expect(childrenOf(after)[0]).toBe(log);
  });

  it('replaces the root, and knows its unchanged parts again', () => {
    const widget = structuredClone(root) as { children: { value?: string }[] } & WidgetNode;
    widget.children[0]!.value = 'other';
    const after = applyUpdate(root, { type: 'widget.root.updated', widget });
    expect(after).toEqual(widget);
    expect(childrenOf(after)[1]).toBe(row);
    expect(applyUpdate(root, { type: 'widget.root.updated', widget: structuredClone(root) })).toBe(root);
  });

  it('knows a row again by its key when one came before it', () => {
    const rows = ['a', 'b'].map(key => ({ type: 'Table.Row', key, children: [{ type: 'Text', value: key }] }));
    const before: WidgetNode = { type: 'Table', children: rows };
    const widget = { type: 'Table', children: [{ type: 'Table.Row', key: 'new' }, ...structuredClone(rows)] };
    const after = childrenOf(applyUpdate(before, { type: 'widget.root.updated', widget }));
    expect([after[1], after[2]]).toEqual(rows);
    expect(after[1]).toBe(rows[0]);
    expect(after[2]).toBe(rows[1]);
  });

  it.each([
    [{ type: 'widget.streaming_text.value_delta', component_id: 'nobody', delta: 'x', done: false }],
    [{ type: 'widget.streaming_text.value_delta', component_id: 'log', delta: 7 }],
    [{ type: 'widget.component.updated', component_id: 'state', component: 'text' }],
    [{ type: 'widget.root.updated', widget: null }],
    [{ type: 'widget.something.else' }],
    [{}]
  ])('changes nothing by what it does not know: %j', update => {
    expect(applyUpdate(root, update)).toBe(root);
  });

  it('takes no key for more than a key', () => {
    const widget = JSON.parse('{"type":"Card","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as WidgetNode;
    const after = applyUpdate(root, { type: 'widget.root.updated', widget });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect((after as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(reuse({ a: 1 }, JSON.parse('{"a":1,"__proto__":{"b":1}}'))).not.toHaveProperty('b');
  });
});

describe('bounded', () => {
  const chain = (depth: number): unknown => {
    let node: unknown = { type: 'Text', value: 'bottom' };
    for (let at = 0; at < depth; at++) {
      node = { type: 'Col', children: [node] };
    }
    return node;
  };
  const depthOf = (node: WidgetNode): number => 1 + Math.max(0, ...childrenOf(node).map(depthOf));
  const sizeOf = (node: WidgetNode): number => 1 + childrenOf(node).reduce((sum, child) => sum + sizeOf(child), 0);

  it('leaves what is small the object it is', () => {
    expect(bounded(root)).toBe(root);
  });

  it('cuts what is too deep', () => {
    expect(depthOf(bounded(chain(20_000)))).toBeLessThanOrEqual(MAX_DEPTH + 1);
  });

  it('cuts what is too long, and too much', () => {
    const many = (count: number): unknown[] => Array.from({ length: count }, () => ({ type: 'Text', value: 'x' }));
    expect(childrenOf(bounded({ type: 'Col', children: many(MAX_CHILDREN + 50) }))).toHaveLength(MAX_CHILDREN + 1);
    const wide = { type: 'Col', children: Array.from({ length: 20 }, () => ({ type: 'Col', children: many(1_500) })) };
    expect(sizeOf(bounded(wide))).toBeLessThan(MAX_NODES + 100);
  });

  it('takes bare texts for texts, and anything else for nothing', () => {
    expect(childrenOf(bounded({ type: 'Col', children: ['a', 3, null, [], true, { no: 'type' }] }))).toEqual([
      { type: 'Text', value: 'a' },
      { type: 'Text', value: '3' }
    ]);
    for (const nothing of [null, undefined, [], {}, 'text', 7]) {
      expect(typeof bounded(nothing).type).toBe('string');
    }
  });
});
