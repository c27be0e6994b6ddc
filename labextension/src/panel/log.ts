/**
 * A full log, of a task or an MCP server, read in pages as it is looked at: 300 MB open as fast as 3 kB.
 *
 * Responsible for which lines are here, for asking for those that are not, and for finding text. What is kept
 * here is bounded; the log is on the kernel's disk. It does not know how lines are drawn.
 */
import type { LogHit, LogPage, Problem } from '../messages.gen';
import { withoutAnsi } from './ansi';
import { type Requests, problemOf } from './requests';

/** One of the three is given: the number in the session, the number in the history, or an MCP server. */
export interface LogSource {
  readonly task_id: number | null;
  readonly past_id: number | null;
  readonly server: string;
}

const ASKED_LINES = 500;
/** Lines asked for beyond those in sight. */
const SPARE_LINES = 100;
const MAX_CHARS = 6_000_000;
const MAX_LINES = 50_000;
const MAX_COPY_CHARS = 2_000_000;

export class LogReader {
  totalLines = 0;
  totalBytes = 0;
  /** Whether the log has got its last line. */
  complete = false;
  /** Whether a first page has come. */
  known = false;
  /** Why reading has stopped; `retry` goes on. */
  problem: Problem | null = null;
  private readonly lines = new Map<number, string>();
  private chars = 0;
  private wanted = { from: 0, to: 0 };
  private tailWanted = 0;
  private asking = false;
  /** The first line that is asked for on its own, since a page around it did not reach it. */
  private exact = -1;
  private disposed = false;

  constructor(
    readonly source: LogSource,
    private readonly requests: Requests,
    private readonly onChange: () => void
  ) {}

  /** A line, from 0; undefined while it is not here. */
  line(number: number): string | undefined {
    return this.lines.get(number);
  }

  /** Asks for lines that are to be seen; the newest wish counts. */
  want(from: number, to: number): void {
    this.wanted = { from: Math.max(0, from), to: Math.min(to, this.totalLines) };
    void this.pump();
  }

  /** Looks how long the log is now, bringing its newest lines along. */
  refresh(lines: number): void {
    this.tailWanted = Math.max(1, Math.min(lines, ASKED_LINES));
    void this.pump();
  }

  retry(): void {
    this.problem = null;
    this.tailWanted ||= 1;
    void this.pump();
  }

  dispose(): void {
    this.disposed = true;
    this.lines.clear();
  }

  /** The whole log as plain text or, of a long one, its newest part. */
  async text(): Promise<{ readonly text: string; readonly lines: number; readonly whole: boolean }> {
    const whole = this.totalBytes <= MAX_COPY_CHARS;
    const average = Math.max(1, this.totalBytes / Math.max(1, this.totalLines));
    const first = whole ? 0 : Math.max(0, this.totalLines - Math.floor(MAX_COPY_CHARS / average));
    const found: string[] = [];
    let chars = 0;
    for (let at = first; at < this.totalLines && chars < 2 * MAX_COPY_CHARS; ) {
      const page = await this.requests.ask('read_log', { ...this.source, first_line: at, lines: 5_000 });
      if (page.lines.length === 0) {
        break;
      }
      for (const line of page.lines) {
        found.push(withoutAnsi(line));
        chars += line.length;
      }
      at = page.first_line + page.lines.length;
    }
    return { text: found.join('\n'), lines: found.length, whole };
  }

  private async pump(): Promise<void> {
    if (this.asking || this.problem || this.disposed) {
      return;
    }
    const question = this.question();
    if (!question) {
      return;
    }
    this.asking = true;
    try {
      const page = await this.requests.ask('read_log', { ...this.source, ...question });
      if (!this.disposed) {
        this.take(page);
        const missing = this.firstMissing();
        this.exact = missing >= question.first_line && question.first_line >= 0 ? missing : -1;
        if (missing === question.first_line && page.lines.length === 0) {
          this.wanted = { from: 0, to: 0 }; // it is not there: asking again would not help
        }
      }
    } catch (error) {
      this.problem = problemOf(error);
    } finally {
      this.asking = false;
    }
    if (!this.disposed) {
      this.onChange();
      void this.pump();
    }
  }

  private question(): { first_line: number; lines: number } | null {
    if (this.tailWanted > 0) {
      const lines = this.tailWanted;
      this.tailWanted = 0;
      return { first_line: -lines, lines };
    }
    const missing = this.firstMissing();
    if (missing < 0) {
      return null;
    }
    if (missing === this.exact) {
      return { first_line: missing, lines: ASKED_LINES };
    }
    // Whoever jumped here, or scrolls up, will want what is above as well.
    const first_line = this.lines.has(missing - 1) ? missing : Math.max(0, missing - SPARE_LINES);
    return { first_line, lines: ASKED_LINES };
  }

  private firstMissing(): number {
    const { from, to } = this.wanted;
    for (let at = from; at < Math.min(to, this.totalLines); at++) {
      if (!this.lines.has(at)) {
        return at;
      }
    }
    return -1;
  }

  private take(page: LogPage): void {
    if (!this.complete || page.total_lines !== this.totalLines) {
      this.drop(this.totalLines - 1); // it may have been read before its end was written
    }
    page.lines.forEach((line, index) => {
      const number = page.first_line + index;
      this.drop(number);
      this.lines.set(number, line);
      this.chars += line.length;
    });
    this.totalLines = page.total_lines;
    this.totalBytes = page.total_bytes;
    this.complete = page.complete;
    this.known = true;
    for (const number of this.lines.keys()) {
      if (this.chars <= MAX_CHARS && this.lines.size <= MAX_LINES) {
        break;
      }
      if (number < this.wanted.from || number >= this.wanted.to) {
        this.drop(number);
      }
    }
  }

  private drop(number: number): void {
    this.chars -= this.lines.get(number)?.length ?? 0;
    this.lines.delete(number);
  }
}

const MAX_HITS = 5_000;

/** Where a text occurs in a log: the first places at once, more as they are asked for. */
export class LogSearch {
  query = '';
  hits: readonly LogHit[] = [];
  /** Index of the hit that a person looks at; -1 while there is none. */
  at = -1;
  searching = false;
  problem: Problem | null = null;
  /** Where to go on; null when the end was reached. */
  private next: number | null = null;
  private generation = 0;

  constructor(
    private readonly source: LogSource,
    private readonly requests: Requests,
    private readonly onChange: () => void
  ) {}

  /** Whether there may be hits beyond those found so far. */
  get more(): boolean {
    return this.next !== null;
  }

  get current(): LogHit | null {
    return this.hits[this.at] ?? null;
  }

  /** Searches from the start of the log, and stands at the first hit. */
  async start(query: string): Promise<void> {
    const generation = ++this.generation;
    Object.assign(this, { query, hits: [], at: -1, next: query ? 0 : null, problem: null, searching: query !== '' });
    this.onChange();
    // The kernel searches for so long at a time; nothing found yet is no end.
    while (generation === this.generation && this.more && this.hits.length === 0) {
      await this.load(generation);
    }
    if (generation === this.generation && this.hits.length > 0) {
      this.at = 0;
      this.onChange();
    }
  }

  /** Goes to the next hit (1) or the one before (-1), round the end once all of it was searched. */
  async step(by: 1 | -1): Promise<void> {
    if (this.hits.length === 0 || this.searching) {
      return;
    }
    const generation = this.generation;
    const known = this.hits.length;
    const atEnd = by > 0 && this.at === known - 1;
    while (generation === this.generation && atEnd && this.more && this.hits.length === known && known < MAX_HITS) {
      await this.load(generation);
    }
    if (generation === this.generation) {
      this.at = (this.at + by + this.hits.length) % this.hits.length;
      this.onChange();
    }
  }

  dispose(): void {
    this.generation++;
  }

  private async load(generation: number): Promise<void> {
    this.searching = true;
    try {
      const found = await this.requests.ask('search_log', {
        ...this.source,
        query: this.query,
        from_line: this.next ?? 0,
        limit: 200
      });
      if (generation === this.generation) {
        this.hits = [...this.hits, ...found.hits];
        this.next = found.next_line;
      }
    } catch (error) {
      if (generation === this.generation) {
        this.problem = problemOf(error);
        this.next = null;
      }
    } finally {
      if (generation === this.generation) {
        this.searching = false;
        this.onChange();
      }
    }
  }
}
