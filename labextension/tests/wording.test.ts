import { describe, expect, it } from 'vitest';
import { ENGLISH } from '../src/panel/translation';
import { commandText, day, lastLine, progressText, queuePlace, span } from '../src/panel/wording';
import { aTask } from './entities';

const PROGRESS = { fraction: null, label: '', done: null, total: null, unit: '' };

describe('progressText', () => {
  it('says what is known, in the units of the work', () => {
    expect(progressText({ ...PROGRESS, done: 22, total: 48, unit: 'tests', label: '1 failed' }, ENGLISH)).toBe('22 of 48 tests · 1 failed');
    expect(progressText({ ...PROGRESS, fraction: 0.461 }, ENGLISH)).toBe('46 %');
    expect(progressText({ ...PROGRESS, fraction: 0.4, label: 'loading' }, ENGLISH)).toBe('loading');
    expect(progressText({ ...PROGRESS, done: 3.5, unit: 'MB' }, ENGLISH)).toBe('3.5 MB');
    expect(progressText(PROGRESS, ENGLISH)).toBe('');
  });
});

describe('lastLine', () => {
  it('is the newest that says something, without colours, of a bar what was written last', () => {
    expect(lastLine('one\n\x1b[32mtwo\x1b[0m\n\n')).toBe('two');
    expect(lastLine('10%\r58%\r 99%|####| 3/4')).toBe('99%|####| 3/4');
    expect(lastLine('')).toBe('');
  });
});

describe('queuePlace', () => {
  it('names the place of a task that waits for others', () => {
    expect(queuePlace(aTask({ state: 'queued', queue_position: 1 }), ENGLISH)).toBe('Next in line');
    expect(queuePlace(aTask({ state: 'queued', queue_position: 3 }), ENGLISH)).toBe('Number 3 in line');
    expect(queuePlace(aTask({ state: 'queued' }), ENGLISH)).toBe('');
    expect(queuePlace(aTask({ queue_position: 3 }), ENGLISH)).toBe('');
  });
});

describe('commandText', () => {
  it('is what could be typed elsewhere, else the call', () => {
    expect(commandText({ tool: 'run_shell', arguments: { command: 'make docs', timeout: null } })).toBe('make docs');
    expect(commandText({ tool: 'run_tests', arguments: { path: 'tests', keyword: '' } })).toBe('run_tests(path="tests")');
  });
});

describe('times', () => {
  it('reads as it is said', () => {
    expect([42, 192, 3_750].map(seconds => span(seconds, ENGLISH))).toEqual(['42 s', '3 min 12 s', '1 h 2 min']);
    const noon = new Date(2026, 10, 22, 12).getTime();
    expect(day(noon / 1_000 - 60, ENGLISH, noon)).toBe('Today');
    expect(day(noon / 1_000 - 13 * 3_600, ENGLISH, noon)).toBe('Yesterday');
    expect(day(noon / 1_000 - 400 * 86_400, ENGLISH, noon)).toMatch(/2025/);
  });
});
