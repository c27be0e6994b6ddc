import { describe, expect, it } from 'vitest';
import type { WidgetNode } from '../src/panel/widgets/node';
import { LINES, SERIES, SURFACES, TEXT_COLOURS, borderOf, boxStyle, colourOf, lengthOf, spaceOf, textStyle } from '../src/panel/widgets/style';

const box = (fields: object): object => boxStyle({ type: 'Box', ...fields } as WidgetNode);
const words = (fields: object): object => textStyle({ type: 'Text', ...fields } as WidgetNode);

describe('lengths', () => {
  it.each([
    [12, '12px'], ['12', '12px'], [0, '0px'], ['50%', '50%'], ['1.5rem', '1.5rem'], ['auto', 'auto'],
    ['fit-content', 'fit-content'], ['100vw', '100vw'], ['calc(100% - 24px)', 'calc(100% - 24px)'],
    [1e9, '4096px'], ['99999px', '4096px']
  ])('%j is %s', (value, css) => expect(lengthOf(value)).toBe(css));

  it.each([
    [-5], [NaN], [Infinity], ['-5px'], ['12 px'], ['red'], ['expression(alert(1))'], ['url(x)'], ['1px; color: red'],
    ['calc(100% - url(x))'], ['calc(1px'], ['var(--x)'], ['100%}body{display:none'], [{}], [null], [true], ['9'.repeat(80)]
  ])('%j is none', value => expect(lengthOf(value)).toBeUndefined());
});

describe('spacing', () => {
  it.each([[3, '12px'], ['3', '12px'], [0.5, '2px'], ['6px', '6px'], ['1rem', '1rem']])('%j is %s', (value, css) =>
    expect(spaceOf(value)).toBe(css)
  );
  it('is negative only for a margin, and not by much', () => {
    expect(spaceOf(-2)).toBeUndefined();
    expect(spaceOf(-2, true)).toBe('-8px');
    expect(spaceOf(-9_999, true)).toBe('-64px');
  });
});

describe('colours', () => {
  it.each([
    ['secondary', TEXT_COLOURS, 'var(--vk-w-secondary)'],
    ['surface-tertiary', SURFACES, 'var(--vk-w-surface-3)'],
    ['strong', LINES, 'var(--vk-w-line-strong)'],
    ['#abc', TEXT_COLOURS, '#abc'],
    ['rgb(1, 2, 3)', TEXT_COLOURS, 'rgb(1, 2, 3)'],
    ['rgba(1 2 3 / 50%)', TEXT_COLOURS, 'rgba(1 2 3 / 50%)'],
    ['tomato', TEXT_COLOURS, 'tomato'],
    [{ light: '#fff', dark: 'secondary' }, TEXT_COLOURS, 'light-dark(#fff, var(--vk-w-secondary))'],
    [{ light: '#fff' }, TEXT_COLOURS, '#fff']
  ])('%j', (value, tokens, css) => expect(colourOf(value, tokens)).toBe(css));

  it.each(['red-100', 'blue-900', 'gray-500', 'purple-50'])('has the primitive %s', name =>
    expect(colourOf(name, TEXT_COLOURS)).toMatch(/^oklch\([\d.]+% [\d.]+ \d+\)$/)
  );

  it('has lighter colours for smaller shades', () => {
    const lightness = (name: string): number => Number(/\(([\d.]+)%/.exec(colourOf(name, {}) ?? '')?.[1]);
    expect(['red-50', 'red-300', 'red-500', 'red-900'].map(lightness)).toEqual(
      ['red-50', 'red-300', 'red-500', 'red-900'].map(lightness).sort((a, b) => b - a)
    );
  });

  it('has a series colour of each name for both themes', () => {
    Object.values(SERIES).forEach(colour => expect(colour).toMatch(/^light-dark\(#\w{6}, #\w{6}\)$/));
  });

  it.each([
    ['url(https://evil.example/x)'], ['red; background: url(x)'], ['var(--x)'], ['expression(1)'], ['constructor(1)'],
    ['rgb(1,2,3) url(x)'], ['image-set("x")'], ['red-9999'], ['#12'], ['<b>'], [7], [[]], ['a'.repeat(99)], ['toString()']
  ])('%j is none', value => expect(colourOf(value, TEXT_COLOURS)).toBeUndefined());

  it('takes no name that every object has for a token', () => {
    expect(colourOf('__proto__', TEXT_COLOURS)).toBeUndefined();
    // As any word, it is handed to the property, which refuses it.
    expect(colourOf('constructor', TEXT_COLOURS)).toBe('constructor');
  });
});

describe('boxes', () => {
  it.each([
    [{ width: 10, height: '50%' }, { width: '10px', height: '50%' }],
    [{ size: 20 }, { width: '20px', height: '20px' }],
    [{ size: 20, width: 5 }, { width: '5px', height: '20px' }],
    [{ minSize: 1, maxSize: 2 }, { minWidth: '1px', minHeight: '1px', maxWidth: '2px', maxHeight: '2px' }],
    [{ minWidth: 1, minHeight: 2, maxWidth: 3, maxHeight: 4 }, { minWidth: '1px', minHeight: '2px', maxWidth: '3px', maxHeight: '4px' }],
    [{ padding: 2 }, { padding: '8px' }],
    [{ padding: { x: 1, top: '3px' } }, { paddingTop: '3px', paddingRight: '4px', paddingLeft: '4px' }],
    [{ margin: { y: 1, bottom: 2 } }, { marginTop: '4px', marginBottom: '8px' }],
    [{ radius: 'xl' }, { borderRadius: '12px' }],
    [{ radius: '100%' }, { borderRadius: '100%' }],
    [{ radius: '12px' }, {}],
    [{ aspectRatio: '16/9' }, { aspectRatio: '16/9' }],
    [{ aspectRatio: 1.5 }, { aspectRatio: '1.5' }],
    [{ aspectRatio: 'huge' }, {}],
    [{ flex: 1 }, { flex: '1' }],
    [{ flex: '1 0 auto' }, { flex: '1 0 auto' }],
    [{ flex: '1; color: red' }, {}],
    [{ gap: 3, align: 'end', justify: 'between', wrap: 'wrap' }, { gap: '12px', alignItems: 'flex-end', justifyContent: 'space-between', flexWrap: 'wrap' }],
    [{ align: 'constructor', justify: '__proto__', wrap: 'x' }, {}],
    [{ background: 'surface' }, { backgroundColor: 'var(--vk-w-bg)' }],
    [{ border: 2 }, { border: '2px solid var(--vk-w-line)' }]
  ])('%j', (fields, style) => expect(box(fields)).toEqual(style));

  it('have borders on each edge', () => {
    expect(borderOf({ top: 1, x: { size: 2, style: 'dashed', color: 'red' } })).toEqual({
      borderTop: '1px solid var(--vk-w-line)',
      borderRight: '2px dashed red',
      borderLeft: '2px dashed red'
    });
    expect(borderOf({ size: 1, style: 'solid; x', color: 'url(x)' })).toEqual({ border: '1px solid var(--vk-w-line)' });
    expect(borderOf('1px solid red')).toEqual({});
  });
});

describe('texts', () => {
  it.each([
    [{ weight: 'semibold' }, { fontWeight: '600' }],
    [{ weight: '900' }, {}],
    [{ textAlign: 'center' }, { textAlign: 'center' }],
    [{ italic: true, lineThrough: true }, { fontStyle: 'italic', textDecoration: 'line-through' }],
    [{ maxLines: 3, minLines: 2 }, { '--vk-w-lines': '3', minHeight: '2lh' }],
    [{ maxLines: 1e9 }, { '--vk-w-lines': '200' }],
    [{ width: 50, color: 'danger' }, { width: '50px', color: 'var(--vk-w-danger)' }]
  ])('%j', (fields, style) => expect(words(fields)).toEqual(style));
});
