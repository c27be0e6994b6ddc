import type { ICell, IOutput } from '@jupyterlab/nbformat';
import { describe, expect, it } from 'vitest';
import { characters, difference, units } from '../src/text';
import { Budget, MAX_OUTPUT_CHARS, cellView, nbformatOf, outputOf } from '../src/views';

const all = { source: true, outputs: true };

describe('cell views', () => {
  it('say which cell failed, and with what', () => {
    const cell = {
      id: 'a', cell_type: 'code', source: ['1', '/0'], metadata: {}, execution_count: 2,
      outputs: [{ output_type: 'error', ename: 'ZeroDivisionError', evalue: 'division by zero', traceback: ['x', 'y'] }]
    } as unknown as ICell;
    const view = cellView(cell, all, new Budget());
    expect(view).toMatchObject({ id: 'a', kind: 'code', source: '1/0', execution_count: 2, failed: true });
    expect(view.outputs).toEqual([
      { kind: 'error', text: 'x\ny', data: { ename: 'ZeroDivisionError', evalue: 'division by zero' } }
    ]);
  });

  it('leave sources and outputs out of an outline', () => {
    const cell = { id: 'a', cell_type: 'markdown', source: 'long', metadata: {} } as unknown as ICell;
    expect(cellView(cell, { source: false, outputs: false }, new Budget())).toMatchObject({ source: '', outputs: [] });
  });

  it('take an unknown kind of cell for raw', () => {
    const cell = { id: 'a', cell_type: 'heading', source: '', metadata: {} } as unknown as ICell;
    expect(cellView(cell, all, new Budget()).kind).toBe('raw');
  });
});

describe('outputs', () => {
  it('keep the end of a long stream', () => {
    const text = `${'a'.repeat(MAX_OUTPUT_CHARS)}the end`;
    const output = outputOf({ output_type: 'stream', name: 'stdout', text } as IOutput, new Budget());
    expect(output?.text.length).toBeLessThan(MAX_OUTPUT_CHARS + 100);
    expect(output?.text.endsWith('the end')).toBe(true);
  });

  it('give up the largest parts of a bundle first, the plain text last', () => {
    const data = { 'text/plain': 'p', 'text/html': 'h'.repeat(50), 'image/png': 'i'.repeat(100) };
    const output = outputOf({ output_type: 'display_data', data, metadata: {} } as IOutput, new Budget(60));
    expect(Object.keys(output?.data ?? {})).toEqual(['text/plain', 'text/html']);
  });

  it('turn JSON and lines into text', () => {
    const data = { 'application/json': { a: 1 }, 'text/plain': ['one\n', 'two'] };
    const output = outputOf({ output_type: 'execute_result', data, metadata: {}, execution_count: 1 } as IOutput, new Budget());
    expect(output).toEqual({ kind: 'result', text: '', data: { 'text/plain': 'one\ntwo', 'application/json': '{"a":1}' } });
  });
});

describe('outputs of the wire', () => {
  it('become what a notebook holds, and come back as they were', () => {
    const outputs: IOutput[] = [
      { output_type: 'stream', name: 'stdout', text: 'one\ntwo' },
      { output_type: 'display_data', data: { 'text/plain': 'p', 'application/json': { a: [1] } }, metadata: {} },
      { output_type: 'execute_result', execution_count: null, data: { 'text/plain': '2' }, metadata: {} },
      { output_type: 'error', ename: 'KeyError', evalue: "'a'", traceback: ['line 1', "KeyError: 'a'"] }
    ];
    expect(outputs.map(output => nbformatOf(outputOf(output, new Budget())!))).toEqual(outputs);
  });

  it('keep as text what says that it is JSON and is not', () => {
    const data = { 'application/vnd.x+json': '{cut' };
    expect(nbformatOf({ kind: 'display', text: '', data })).toMatchObject({ data });
  });
});

describe('characters and units', () => {
  it('count a character outside the basic plane once, and as two units', () => {
    expect([characters('a😀b', 3), characters('a😀b', 99)]).toEqual([2, 3]);
    expect([units('a😀b', 2), units('a😀b', Infinity), units('', 3)]).toEqual([3, 4, 0]);
  });
});

describe('difference', () => {
  it('is the one stretch that changed', () => {
    expect(difference('x = 1\ny = 2', 'x = 10\ny = 2')).toEqual({ start: 5, end: 5, text: '0' });
    expect(difference('abc', 'abc')).toEqual({ start: 3, end: 3, text: '' });
    expect(difference('', 'new')).toEqual({ start: 0, end: 0, text: 'new' });
    expect(difference('aaa', 'aa')).toEqual({ start: 2, end: 3, text: '' });
  });

  it('never cuts a character in two', () => {
    for (const [before, after] of [['a😀b', 'a😁b'], ['😀', '😀😀'], ['x😀', 'y😀'], ['𝑎😀', '𝒃😀']] as const) {
      const { start, end, text } = difference(before, after);
      expect(before.slice(0, start) + text + before.slice(end)).toBe(after);
      expect(/[\uDC00-\uDFFF]/.test(before[start] ?? '')).toBe(false);
      expect(/[\uDC00-\uDFFF]/.test(before[end] ?? '')).toBe(false);
      expect(/^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/.test(text)).toBe(false);
    }
  });
});
