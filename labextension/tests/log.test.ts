import { describe, expect, it } from 'vitest';
import type { LogHits, LogPage, ReadLog, SearchLog, ToKernel } from '../src/messages.gen';
import { LogReader, LogSearch } from '../src/panel/log';
import { Requests } from '../src/panel/requests';

const SOURCE = { task_id: 7, past_id: null, server: '' };
const PAGE_CHARS = 200_000;

/** A kernel with one log, that answers as the real one: at most 200 KB a page. */
class Kernel {
  readonly asked: (ReadLog | SearchLog)[] = [];
  complete = true;
  broken = false;
  readonly requests: Requests = new Requests(message => {
    queueMicrotask(() => this.answer(message));
    return true;
  });

  bytes: number;

  constructor(public lines: string[]) {
    this.bytes = lines.join('\n').length;
  }

  private answer(message: ToKernel): void {
    if (message.type === 'read_log') {
      this.asked.push(message);
      this.requests.receive(this.page(message));
    } else if (message.type === 'search_log') {
      this.asked.push(message);
      this.requests.receive(this.hits(message));
    }
  }

  private page({ id, first_line, lines }: ReadLog): LogPage {
    const first = Math.max(0, first_line < 0 ? this.lines.length + first_line : first_line);
    const found: string[] = [];
    for (let at = first, chars = 0; at < Math.min(this.lines.length, first + lines) && chars < PAGE_CHARS; at++) {
      found.push(this.lines[at]!);
      chars += this.lines[at]!.length;
    }
    const problem = this.broken ? { kind: 'NoLog', message: 'The log is gone.', hint: '', retryable: false } : null;
    return {
      type: 'log_page', id, first_line: first, lines: found, total_lines: this.lines.length,
      total_bytes: this.bytes, complete: this.complete, problem
    };
  }

  /** Looks through 100 lines at a time. */
  private hits({ id, from_line, query, limit }: SearchLog): LogHits {
    const end = Math.min(this.lines.length, from_line + 100);
    const hits = this.lines
      .slice(from_line, end)
      .map((text, index) => ({ line: from_line + index, text }))
      .filter(hit => hit.text.includes(query))
      .slice(0, limit);
    return { type: 'log_hits', id, hits, next_line: end < this.lines.length ? end : null, problem: null };
  }
}

/** Lets answers come in until something holds. */
async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !holds(); turn++) {
    await Promise.resolve();
  }
  expect(holds()).toBe(true);
}

function numbered(count: number, width = 0): string[] {
  return Array.from({ length: count }, (_, line) => `line ${line} ${'x'.repeat(width)}`);
}

async function opened(kernel: Kernel) {
  const reader = new LogReader(SOURCE, kernel.requests, () => undefined);
  reader.refresh(60);
  await until(() => reader.known === true);
  return reader;
}

describe('LogReader', () => {
  it('opens a long log at its end with one small question', async () => {
    const kernel = new Kernel(numbered(100_000));
    const reader = await opened(kernel);
    expect(reader.totalLines).toBe(100_000);
    expect(reader.line(99_999)).toBe('line 99999 ');
    expect(kernel.asked).toHaveLength(1);
    expect(kernel.asked[0]).toMatchObject({ first_line: -60, lines: 60 });
  });

  it('asks for what is looked at and is not here, once', async () => {
    const kernel = new Kernel(numbered(100_000));
    const reader = await opened(kernel);
    reader.want(50_000, 50_060);
    await until(() => reader.line(50_059) === 'line 50059 ');
    const asked = kernel.asked.length;
    reader.want(50_000, 50_060);
    await Promise.resolve();
    expect(kernel.asked).toHaveLength(asked);
  });

  it('reaches lines so wide that a page holds fewer than were asked for', async () => {
    const kernel = new Kernel(numbered(2_000, 4_000));
    const reader = await opened(kernel);
    reader.want(1_000, 1_120);
    await until(() => [1_000, 1_060, 1_119].every(line => reader.line(line) !== undefined));
  });

  it('brings the new lines of a log that grows, and the end of a line that was half written', async () => {
    const kernel = new Kernel(['one', 'tw']);
    kernel.complete = false;
    const reader = await opened(kernel);
    expect(reader.line(1)).toBe('tw');
    kernel.lines = ['one', 'two', 'three'];
    kernel.complete = true;
    reader.refresh(60);
    await until(() => reader.complete === true);
    expect([0, 1, 2].map(line => reader.line(line))).toEqual(['one', 'two', 'three']);
  });

  it('keeps a bounded part of what was looked at', async () => {
    const kernel = new Kernel(numbered(10_000, 4_000));
    const reader = await opened(kernel);
    for (let top = 0; top + 60 <= 10_000; top += 60) {
      reader.want(top, top + 60);
      await until(() => reader.line(top + 59) !== undefined);
    }
    let kept = 0;
    for (let line = 0; line < 10_000; line++) {
      kept += reader.line(line) === undefined ? 0 : 1;
    }
    expect(kept * 4_000).toBeLessThan(7_000_000);
  });

  it('stops at a problem instead of asking again and again, and goes on when told', async () => {
    const kernel = new Kernel(numbered(10));
    kernel.broken = true;
    const reader = new LogReader(SOURCE, kernel.requests, () => undefined);
    reader.refresh(60);
    await until(() => reader.problem?.message === 'The log is gone.');
    reader.want(0, 10);
    reader.refresh(60);
    await Promise.resolve();
    expect(kernel.asked).toHaveLength(1);
    kernel.broken = false;
    reader.retry();
    await until(() => reader.line(9) === 'line 9 ');
  });

  it('does not ask for ever for lines that are gone', async () => {
    const kernel = new Kernel(numbered(100));
    const reader = await opened(kernel);
    kernel.lines = numbered(20);
    reader.want(0, 40);
    await until(() => reader.totalLines === 20);
    const asked = kernel.asked.length;
    reader.want(0, 40);
    await Promise.resolve();
    expect(kernel.asked.length - asked).toBeLessThanOrEqual(1);
  });

  it('gives the whole of a short log as plain text, of a long one the newest part', async () => {
    const short = await opened(new Kernel(['\x1b[31mred\x1b[0m', 'plain']));
    expect(await short.text()).toEqual({ text: 'red\nplain', lines: 2, whole: true });
    const long = await opened(new Kernel(numbered(50_000, 100)));
    const { text, lines, whole } = await long.text();
    expect(whole).toBe(false);
    expect(lines).toBeLessThan(50_000);
    expect(text.endsWith(`line 49999 ${'x'.repeat(100)}`)).toBe(true);
  });
});

describe('LogSearch', () => {
  function searched(lines: string[]) {
    const kernel = new Kernel(lines);
    return { kernel, search: new LogSearch(SOURCE, kernel.requests, () => undefined) };
  }

  it('goes on where the kernel stopped until something is found', async () => {
    const lines = numbered(950);
    lines[730] = 'here it is';
    const { kernel, search } = searched(lines);
    await search.start('here');
    expect(search.current).toEqual({ line: 730, text: 'here it is' });
    expect(kernel.asked.length).toBe(8);
    expect(search.more).toBe(true);
  });

  it('steps through the hits, asking for more, and round the end', async () => {
    const { search } = searched(numbered(300).map((line, index) => (index % 100 === 50 ? 'hit' : line)));
    await search.start('hit');
    const seen = [search.current?.line];
    for (let step = 0; step < 4; step++) {
      await search.step(1);
      seen.push(search.current?.line);
    }
    expect(seen).toEqual([50, 150, 250, 50, 150]);
    await search.step(-1);
    expect(search.current?.line).toBe(50);
    await search.step(-1);
    expect(search.current?.line).toBe(250);
  });

  it('says that there is nothing, and forgets an older search', async () => {
    const { search } = searched(numbered(150));
    const older = search.start('line 3 ');
    const newer = search.start('nowhere');
    await Promise.all([older, newer]);
    expect(search.query).toBe('nowhere');
    expect(search.hits).toEqual([]);
    expect(search.searching).toBe(false);
    expect(search.more).toBe(false);
  });
});
