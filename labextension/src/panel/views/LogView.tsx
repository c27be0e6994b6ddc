/** A full log: any line at once, following its end while it grows, searched, in colours. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PastTask, Task } from '../../messages.gen';
import { ansiToHtml, carriedBy, highlight } from '../ansi';
import { copyText } from '../clipboard';
import { LogReader, LogSearch, type LogSource } from '../log';
import { recall, remember } from '../preferences';
import { physicalOf, physicalRange, virtualOf } from '../scroll';
import { type Snapshot, hasEnded } from '../store';
import { number, size } from '../wording';
import { Icon, Spinner } from './Icon';
import { Note } from './Note';
import { SearchBox } from './SearchBox';
import { SheetFrame } from './Sheets';
import { liveTask } from './TaskSheet';
import { usePanel } from './context';
import { useSettled } from './hooks';
import { memo } from './memo';

/** Pixels; the style sheet says the same. */
const LINE_PX = 18;
/** Lines drawn above and below those in sight. */
const SPARE = 20;
/** Lines above those drawn that are looked through for colours that are still on. */
const CARRY_FROM = 100;
const REFRESH_MS = 400;
const IDLE_MS = 150;
const TYPING_MS = 300;
/** A line as wide as this is drawn without its colours: each may be an element of its own. */
const MAX_HTML = 40_000;

/** What stands at the top of the view, or that its end is in sight. */
type Anchor = 'end' | { readonly line: number; readonly offset: number };

interface LineProps {
  readonly line: number;
  readonly text: string | undefined;
  readonly carried: string;
  readonly query: string;
  readonly current: boolean;
}

const LogLine = memo(function LogLine({ line, text, carried, query, current }: LineProps) {
  const html = useMemo(() => {
    const coloured = ansiToHtml(carried + (text ?? ''));
    return { __html: highlight(coloured.length > MAX_HTML ? ansiToHtml(text!.replace(/\x1b\[[\d;]*m/g, '')) : coloured, query) };
  }, [text, carried, query]);
  return (
    <div class="vk-log-line" data-line={line + 1} data-current={current} data-here={text !== undefined}>
      <span class="vk-log-number" data-number={line + 1} />
      <span class="vk-log-text" dangerouslySetInnerHTML={html} />
    </div>
  );
});

interface LinesProps {
  readonly reader: LogReader;
  readonly from: number;
  readonly to: number;
  readonly query: string;
  readonly current: number;
}

function Lines({ reader, from, to, query, current }: LinesProps) {
  let carried = '';
  for (let line = Math.max(0, from - CARRY_FROM); line < from; line++) {
    carried = carriedBy(reader.line(line) ?? '', carried);
  }
  const lines = [];
  for (let line = from; line < to; line++) {
    const text = reader.line(line);
    lines.push(<LogLine key={line} line={line} text={text} carried={carried} query={query} current={line === current} />);
    carried = carriedBy(text ?? '', carried);
  }
  return <>{lines}</>;
}

/** How the lines are scrolled: which are drawn, and where. */
interface Scrolling {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly block: RefObject<HTMLDivElement | null>;
  readonly from: number;
  readonly to: number;
  /** The first and the last line in sight, from 0. */
  readonly seen: readonly [first: number, last: number];
  readonly atEnd: boolean;
  readonly lengthPx: number;
  readonly goTo: (line: number) => void;
  readonly goToEnd: () => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

/**
 * Scrolls lines that may be more than a browser can lay out, and that may be wrapped to unknown heights.
 *
 * The truth is the line at the top (`Anchor`). Small steps of the scroll bar move it by pixels of what is
 * drawn; large ones, and those of a person who drags the bar, by share of the whole. When it rests the scroll
 * bar is put where the truth is.
 */
function useLogScroll(reader: LogReader, wrapped: boolean): Scrolling {
  const box = useRef<HTMLDivElement>(null);
  const block = useRef<HTMLDivElement>(null);
  /** The truth. Several events may come between two drawings: each goes on from where the last one left off. */
  const newest = useRef<Anchor>('end');
  const [, draw] = useState<Anchor>('end');
  const setAnchor = (next: Anchor): void => {
    newest.current = next;
    draw(next);
  };
  const anchor = newest.current;
  const [view, setView] = useState({ height: 400, width: 0 });
  const [averagePx, setAveragePx] = useState(LINE_PX);
  /** Where the scroll bar stood when it was looked at last. */
  const lastTop = useRef(0);
  const idle = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const total = reader.totalLines;
  const seenLines = Math.ceil(view.height / LINE_PX);
  const top = anchor === 'end' ? Math.max(0, total - seenLines) : Math.min(anchor.line, Math.max(0, total - 1));
  const from = Math.max(0, top - SPARE);
  const to = Math.min(total, top + seenLines + SPARE);
  const lineHeight = wrapped ? averagePx : LINE_PX;
  const range = Math.max(0, total * lineHeight - view.height);

  useEffect(() => {
    const element = box.current;
    if (!element) {
      return undefined;
    }
    const look = (): void => setView({ height: element.clientHeight, width: element.clientWidth });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      observer.disconnect();
      clearTimeout(idle.current);
    };
  }, []);

  /** Pixels from the top of what is drawn to a line. */
  const offsetOf = (line: number): number => {
    if (!wrapped) {
      return (line - from) * LINE_PX;
    }
    const element = block.current?.children[line - from];
    return element instanceof HTMLElement ? element.offsetTop : (block.current?.offsetHeight ?? 0);
  };
  const drawnPx = (): number => (wrapped ? (block.current?.offsetHeight ?? 0) : (to - from) * LINE_PX);
  /** Pixels from the top of what is drawn to the top of the view. */
  const viewTop = (): number => {
    const at = newest.current;
    return at === 'end' ? drawnPx() - view.height : offsetOf(Math.min(at.line, total - 1)) + at.offset;
  };
  const lineAt = (px: number): number => {
    if (!wrapped) {
      return from + Math.floor(px / LINE_PX);
    }
    let line = from;
    while (line + 1 < to && offsetOf(line + 1) <= px) {
      line++;
    }
    return line;
  };

  const moveBy = (px: number): void => {
    const next = viewTop() + px;
    if (to === total && next + view.height >= drawnPx() - 1) {
      setAnchor('end');
    } else if (next < 0) {
      const line = Math.max(0, from + Math.floor(next / lineHeight));
      setAnchor({ line, offset: 0 });
    } else {
      const line = Math.max(0, Math.min(total - 1, lineAt(next)));
      setAnchor({ line, offset: Math.max(0, next - offsetOf(line)) });
    }
  };
  const moveTo = (virtual: number): void => {
    if (virtual >= range - 1) {
      setAnchor('end');
    } else {
      setAnchor({ line: Math.floor(virtual / lineHeight), offset: wrapped ? 0 : virtual % lineHeight });
    }
  };
  const idealTop = (): number => {
    const at = newest.current;
    return at === 'end' ? physicalRange(range) : physicalOf(Math.min(range, at.line * lineHeight + at.offset), range);
  };
  const rest = (): void => {
    const element = box.current;
    if (element) {
      const ideal = idealTop();
      // Setting it, even to what it is, would end a smooth scroll that is under way.
      if (Math.abs(ideal - element.scrollTop) >= 1) {
        element.scrollTop = ideal;
        lastTop.current = element.scrollTop;
      }
      place();
    }
  };
  /** Puts what is drawn where the view is. */
  const place = (): void => {
    const element = box.current;
    if (element && block.current) {
      const short = total * LINE_PX < view.height && drawnPx() <= view.height;
      const y = short ? 0 : element.scrollTop - viewTop();
      block.current.style.transform = `translateY(${y}px)`;
    }
  };
  // Always the newest: the timer was set by an earlier drawing.
  const resting = useRef(rest);
  resting.current = rest;

  useEffect(() => {
    const element = box.current;
    const onScroll = (): void => {
      const delta = element!.scrollTop - lastTop.current;
      lastTop.current = element!.scrollTop;
      if (delta === 0) {
        return;
      }
      if (Math.abs(delta) < view.height * 1.5) {
        moveBy(delta);
      } else {
        moveTo(virtualOf(element!.scrollTop, range));
      }
      clearTimeout(idle.current);
      idle.current = setTimeout(() => resting.current(), IDLE_MS);
    };
    element?.addEventListener('scroll', onScroll, { passive: true });
    return () => element?.removeEventListener('scroll', onScroll);
  });
  useLayoutEffect(() => {
    if (wrapped && to > from) {
      const average = drawnPx() / (to - from);
      // Once all of it is drawn the length is known; else an estimate that need not follow every line.
      if (Math.abs(average - averagePx) > averagePx * (from === 0 && to === total ? 0 : 0.3)) {
        setAveragePx(average);
      }
    }
    if (anchor === 'end') {
      rest();
    } else {
      place();
    }
  });
  useEffect(() => reader.want(from, to), [from, to, total]);

  const jump = (next: Anchor): void => {
    setAnchor(next);
    clearTimeout(idle.current);
    idle.current = setTimeout(() => resting.current(), 0);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== box.current || event.altKey || event.metaKey) {
      return;
    }
    const page = Math.max(LINE_PX, view.height - 2 * LINE_PX);
    const px = { ArrowDown: 2 * LINE_PX, ArrowUp: -2 * LINE_PX, PageDown: page, PageUp: -page, ' ': event.shiftKey ? -page : page }[
      event.key
    ];
    if (px !== undefined) {
      moveBy(px);
      clearTimeout(idle.current);
      idle.current = setTimeout(() => resting.current(), 0);
    } else if (event.key === 'Home') {
      jump({ line: 0, offset: 0 });
    } else if (event.key === 'End') {
      jump('end');
    } else {
      return;
    }
    event.preventDefault();
  };
  const last = anchor === 'end' ? total - 1 : Math.min(total - 1, top + seenLines - 1);
  return {
    box,
    block,
    from,
    to,
    seen: [top, last],
    atEnd: anchor === 'end',
    lengthPx: physicalRange(range) + view.height,
    goTo: line => jump({ line: Math.max(0, Math.min(total - 1, line) - Math.floor(seenLines / 3)), offset: 0 }),
    goToEnd: () => jump('end'),
    onKeyDown
  };
}

/** Makes an object that tells of its changes, draws again with each, and ends with the view. */
function useWatched<T extends { dispose(): void }>(make: (onChange: () => void) => T): T {
  const [, redraw] = useState(0);
  const made = useMemo(() => make(() => redraw(count => count + 1)), []);
  useEffect(() => () => made.dispose(), []);
  return made;
}

function CopyLog({ reader }: { reader: LogReader }) {
  const { say, trans } = usePanel();
  const [state, setState] = useState('');
  const copy = async (): Promise<void> => {
    setState(trans.__('Copying…'));
    try {
      const { text, lines, whole } = await reader.text();
      await copyText(text);
      const done = whole
        ? trans._n('Copied %2 line', 'Copied %2 lines', lines, number(lines, trans))
        : trans._n('Copied the newest line', 'Copied the newest %2 lines', lines, number(lines, trans));
      setState(done);
      say(done);
    } catch {
      // Neither the kernel's answer nor the clipboard is certain; both read the same to who wanted the text.
      setState(trans.__('Could not be copied'));
    }
    setTimeout(() => setState(''), 3_000);
  };
  return (
    <button type="button" class="vk-icon-button" aria-label={state || trans.__('Copy the log')} title={state || trans.__('Copy the log')} onClick={() => void copy()}>
      <Icon name={state ? 'check' : 'copy'} />
      {state && <span class="vk-log-copied">{state}</span>}
    </button>
  );
}

export interface LogViewProps {
  readonly snapshot: Snapshot;
  readonly task: Task;
  readonly past: PastTask | null;
}

/** The log of a task. */
export function LogView({ snapshot, task: opened, past }: LogViewProps) {
  const { trans } = usePanel();
  const task = liveTask(snapshot, opened) ?? opened;
  return (
    <Log
      snapshot={snapshot}
      source={past ? { task_id: null, past_id: past.id, server: '' } : { task_id: task.id, past_id: null, server: '' }}
      title={trans.__('Log of task %1', task.id)}
      of={task.title}
      grown={task.output_bytes}
      ended={hasEnded(task)}
      cutBytes={task.log_cut_bytes}
    />
  );
}

export interface LogProps {
  readonly snapshot: Snapshot;
  readonly source: LogSource;
  readonly title: string;
  /** What wrote it. */
  readonly of: string;
  /** Another number once the log has grown. */
  readonly grown: number;
  readonly ended: boolean;
  readonly cutBytes: number;
}

export function Log({ snapshot, source, title, of, grown, ended, cutBytes }: LogProps) {
  const { requests, store, say, hasComposer, trans } = usePanel();
  const reader = useWatched(onChange => new LogReader(source, requests, onChange));
  const search = useWatched(onChange => new LogSearch(source, requests, onChange));
  const [query, setQuery] = useState('');
  const [wrapped, setWrapped] = useState(() => recall('wrap_log') === 'yes');
  const [enlarging, setEnlarging] = useState(!hasComposer);
  const scrolling = useLogScroll(reader, wrapped);
  const searchBox = useRef<HTMLDivElement>(null);
  // An approval is never covered by what was enlarged.
  const asked = [...snapshot.session.approvals.values()].some(approval => approval.state === 'open');
  const enlarged = enlarging && !(asked && hasComposer);

  // Output that arrives says that the log has grown; its end is read again, not more often than is seen.
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const lines = Math.max(60, scrolling.to - scrolling.from);
  useEffect(() => {
    if (!reader.known) {
      reader.refresh(lines);
    } else {
      timer.current ??= setTimeout(() => {
        timer.current = undefined;
        reader.refresh(scrolling.atEnd ? lines : 1);
      }, REFRESH_MS);
    }
  }, [grown, ended]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const wanted = useSettled(query, TYPING_MS);
  useEffect(() => {
    if (wanted !== search.query) {
      void search.start(wanted);
    }
  }, [wanted]);
  const hit = search.current;
  useEffect(() => {
    if (hit) {
      scrolling.goTo(hit.line);
      say(trans.__('%1 of %2, line %3: %4', search.at + 1, search.hits.length, number(hit.line + 1, trans), hit.text));
    }
  }, [hit]);

  const count = !wanted
    ? ''
    : search.searching && search.hits.length === 0
      ? trans.__('Searching…')
      : search.hits.length === 0
        ? trans.__('Not found')
        : trans.__('%1 of %2', search.at + 1, `${search.hits.length}${search.more ? '+' : ''}`);
  const onSearchKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter') {
      event.preventDefault();
      if (query !== search.query) {
        void search.start(query);
      } else {
        void search.step(event.shiftKey ? -1 : 1);
      }
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'f') {
      event.preventDefault();
      event.stopPropagation();
      searchBox.current?.querySelector('input')?.select();
    } else if (event.key === 'F3') {
      event.preventDefault();
      void search.step(event.shiftKey ? -1 : 1);
    }
  };
  const toggleWrap = (): void => {
    remember('wrap_log', wrapped ? '' : 'yes');
    setWrapped(!wrapped);
  };
  const [first, last] = scrolling.seen;
  const digits = Math.max(2, String(reader.totalLines).length);
  const facts = [
    trans._n('%2 line', '%2 lines', reader.totalLines, number(reader.totalLines, trans)),
    size(reader.totalBytes, trans)
  ];
  const tool = (icon: Parameters<typeof Icon>[0]['name'], label: string, onClick: () => void, pressed?: boolean, off = false) => (
    <button
      type="button"
      class="vk-icon-button"
      aria-label={label}
      title={label}
      aria-disabled={off}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      onClick={() => off || onClick()}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <SheetFrame
      title={
        <>
          {title} <span class="vk-log-of">{of}</span>
        </>
      }
      enlarged={enlarged}
      onKeyDown={onKeyDown}
      tools={tool(
        enlarged ? 'shrink' : 'expand',
        enlarged ? trans.__('Back to its place') : trans.__('Enlarge'),
        () => (hasComposer ? setEnlarging(!enlarging) : store.close()),
        enlarged
      )}
    >
      <div class="vk-log-tools" data-vk-find ref={searchBox}>
        <SearchBox value={query} label={trans.__('Find in the log')} onChange={setQuery} onKeyDown={onSearchKey} first>
          <span class="vk-log-hits" role="status">
            {count}
          </span>
        </SearchBox>
        <span class="vk-log-steps">
          {tool('up', trans.__('Previous hit'), () => void search.step(-1), undefined, search.hits.length === 0)}
          {tool('down', trans.__('Next hit'), () => void search.step(1), undefined, search.hits.length === 0)}
        </span>
        <input
          class="vk-log-jump"
          type="text"
          inputMode="numeric"
          aria-label={trans.__('Go to line')}
          placeholder={trans.__('Line')}
          style={{ width: `calc(${digits}ch + 34px)` }}
          autocomplete="off"
          onKeyDown={event => {
            const line = Number(event.currentTarget.value.replace(/\D/g, ''));
            if (event.key === 'Enter' && line > 0) {
              event.preventDefault();
              scrolling.goTo(line - 1);
              scrolling.box.current?.focus({ preventScroll: true });
            }
          }}
        />
        {tool('wrap', trans.__('Wrap long lines'), toggleWrap, wrapped)}
        <CopyLog reader={reader} />
      </div>
      {reader.problem && (
        <Note tone="warning" message={reader.problem.message} hint={reader.problem.hint}>
          <button type="button" class="vk-link" onClick={() => reader.retry()}>
            {trans.__('Try again')}
          </button>
        </Note>
      )}
      {search.problem && <Note tone="warning" message={search.problem.message} hint={search.problem.hint} />}
      <div class="vk-log-frame">
        <div
          ref={scrolling.box}
          class="vk-log-box"
          data-wrapped={wrapped}
          tabIndex={0}
          role="group"
          aria-label={trans.__('Log, lines %1 to %2 of %3', number(first + 1, trans), number(last + 1, trans), number(reader.totalLines, trans))}
          onKeyDown={scrolling.onKeyDown}
          style={{ '--vk-digits': String(digits) }}
        >
          <div class="vk-log-length" style={{ height: `${scrolling.lengthPx}px` }}>
            <div class="vk-log-block" ref={scrolling.block}>
              <Lines
                reader={reader}
                from={scrolling.from}
                to={scrolling.to}
                query={search.query}
                current={hit?.line ?? -1}
              />
            </div>
          </div>
        </div>
        {!reader.known && !reader.problem && (
          <p class="vk-log-wait">
            <Spinner /> {trans.__('Reading the log')}
          </p>
        )}
        {reader.known && reader.totalLines === 0 && <p class="vk-log-wait">{trans.__('The log is empty.')}</p>}
        {!scrolling.atEnd && (
          <button type="button" class="vk-button vk-newest" onClick={scrolling.goToEnd}>
            <Icon name="end" /> {ended ? trans.__('End') : trans.__('Follow')}
          </button>
        )}
      </div>
      <p class="vk-log-facts">
        <span>{facts.join(' · ')}</span>
        {!ended && (
          <span class="vk-busy">
            <Spinner /> {scrolling.atEnd ? trans.__('following') : trans.__('still growing')}
          </span>
        )}
        {cutBytes > 0 && (
          <span class="vk-tone-warning">
            {trans.__("Cut at the log's limit: %1 more were not kept.", size(cutBytes, trans))}
          </span>
        )}
      </p>
    </SheetFrame>
  );
}
