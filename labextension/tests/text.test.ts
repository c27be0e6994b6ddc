import { describe, expect, it } from 'vitest';
import { ansiToHtml, collapseReturns } from '../src/panel/ansi';
import { luminance } from '../src/panel/theme';
import { callText, clock, duration, size } from '../src/panel/wording';

describe('ansiToHtml', () => {
  it('turns colours into classes and escapes the rest', () => {
    expect(ansiToHtml('\x1b[31m<b>&\x1b[0m ok')).toBe('<span class="ansi-red-fg">&lt;b&gt;&amp;</span> ok');
  });

  it('shows of a progress bar what was written last', () => {
    expect(collapseReturns('10%\r 58%\r100%\r\nnext\r')).toBe('100%\nnext');
  });

  it('drops cursor moves, titles and sequences that were cut off, and keeps the text of links', () => {
    const text = 'a\x1b[2K\x1b[1A\x1b]0;title\x07b\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x00c\x1b[3';
    expect(ansiToHtml(text)).toBe('ablinkc');
  });

  it('takes no more than in proportion for hostile text', () => {
    const before = performance.now();
    ansiToHtml('\x1b['.repeat(400_000));
    ansiToHtml('\x1b]8;;'.repeat(160_000));
    ansiToHtml('\x1b[31m'.repeat(160_000));
    // About a second; what looks from every sequence to the end again takes many minutes.
    expect(performance.now() - before).toBeLessThan(30_000);
  });
});

// What the sanitiser lets through is tested in a real browser (tests/browser/test_panel.py): happy-dom's tree
// walking is not exact enough for DOMPurify.

describe('wording', () => {
  it('says durations, sizes and calls', () => {
    expect([0.18, 4.25, 42, 725, 3_725].map(seconds => duration(seconds))).toEqual(['180 ms', '4.3 s', '0:42', '12:05', '1:02:05']);
    expect(clock(4.9)).toBe('0:04');
    expect([12, 1_200, 902_000, 2_500_000, 3e9].map(bytes => size(bytes))).toEqual(['12 B', '1.2 kB', '902 kB', '2.5 MB', '3.0 GB']);
    expect(callText({ tool: 'plot', arguments: { x: 'city', y: null, frame: '' } })).toBe('plot(x="city")');
  });
});

describe('luminance', () => {
  it('tells light from dark, and knows when it can not', () => {
    expect(luminance('rgb(255, 255, 255)')).toBeCloseTo(1);
    expect(luminance('rgb(17, 17, 17)')).toBeLessThan(0.01);
    expect(luminance('rgba(0, 0, 0, 0)')).toBeNull();
    expect(luminance('color(srgb 1 1 1)')).toBeNull();
  });
});
