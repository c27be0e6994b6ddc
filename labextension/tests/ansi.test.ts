import { describe, expect, it } from 'vitest';
import { ansiToHtml, carriedBy, highlight, withoutAnsi } from '../src/panel/ansi';

describe('carriedBy', () => {
  it('keeps a colour on over lines, until it is switched off', () => {
    const on = carriedBy('\x1b[1m\x1b[31mError');
    expect(on).toBe('\x1b[1m\x1b[31m');
    expect(ansiToHtml(`${on}and more`)).toContain('ansi-red-fg');
    expect(carriedBy('no colour here', on)).toBe(on);
    expect(carriedBy('end\x1b[0m', on)).toBe('');
    expect(carriedBy('end\x1b[m\x1b[32m', on)).toBe('\x1b[32m');
  });

  it('does not grow without end', () => {
    expect(carriedBy('\x1b[31m\x1b[32m'.repeat(500)).length).toBeLessThan(100);
  });
});

describe('withoutAnsi', () => {
  it('leaves what a person reads', () => {
    expect(withoutAnsi('10%\r\x1b[32m100%\x1b[0m\x1b[K done\x07')).toBe('100% done');
  });
});

describe('highlight', () => {
  it('marks every place, whatever its case', () => {
    expect(highlight('Error, then error', 'ERROR')).toBe('<mark>Error</mark>, then <mark>error</mark>');
  });

  it('marks across colours without breaking their elements', () => {
    const html = ansiToHtml('un\x1b[31mfor\x1b[0mtunate');
    const marked = highlight(html, 'forT');
    expect(marked).toBe('un<span class="ansi-red-fg"><mark>for</mark></span><mark>t</mark>unate');
  });

  it('finds what HTML writes otherwise, and leaves tags alone', () => {
    expect(highlight(ansiToHtml('a < b && c'), '< b &')).toContain('<mark>&lt;</mark>');
    const html = ansiToHtml('\x1b[31mspan\x1b[0m');
    expect(highlight(html, 'class')).toBe(html);
    expect(highlight(html, 'span')).toBe('<span class="ansi-red-fg"><mark>span</mark></span>');
  });

  it('takes the query as text, not as a pattern', () => {
    expect(highlight('a.c abc', 'a.c')).toBe('<mark>a.c</mark> abc');
    expect(highlight('x', '')).toBe('x');
  });
});
