import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadChunk } from '../src/chunks';
import type { FindTasks, ListThreads, McpOffer, McpServer, PastTask, Question, Task, Thread, ToKernel, ToSurface } from '../src/messages.gen';
import type { Channel } from '../src/panel/channel';
import { type Controls, mount } from '../src/panel/mount';
import { ENGLISH, HERE, type Translator, Words, around } from '../src/panel/translation';
import { duration, number, size } from '../src/panel/wording';
import { aState, aTask, aTurn } from './entities';
import { soon } from './soon';

/** A language in other letters: what stands in Latin ones did not go through the host's translations. */
const greek = (text: string): string =>
  text.replace(/[a-z]/gi, letter => String.fromCodePoint(0x3b1 + (letter.toLowerCase().charCodeAt(0) % 24)));
const FOREIGN: Translator = {
  __: (text, ...values) => ENGLISH.__(greek(text), ...values),
  _n: (one, many, number, ...values) => ENGLISH._n(greek(one), greek(many), number, ...values)
};

describe('ENGLISH', () => {
  it('puts values where they belong, and chooses the form for a number', () => {
    expect(ENGLISH.__('%2 before %1, 100 %%', 'a', 'b')).toBe('b before a, 100 %');
    expect(ENGLISH.__('Run %voice again')).toBe('Run %voice again');
    expect([1, 2].map(count => ENGLISH._n('%1 line', '%1 lines', count))).toEqual(['1 line', '2 lines']);
  });

  it('parts a text where an element belongs', () => {
    expect(around(ENGLISH.__('Hold %1 to talk', HERE))).toEqual(['Hold ', ' to talk']);
    expect(around('no place')).toEqual(['no place', '']);
  });
});

describe('Words', () => {
  const GERMAN = { 'Cell %1': 'Zelle %1', '%1 line': ['%1 Zeile', '%1 Zeilen'], Yes: 'Ja' };

  it('speak the language of the session, with its numbers, and English where it has no word', () => {
    const words = new Words();
    expect(words.__('Cell %1', 3)).toBe('Cell 3');
    words.speak('de', GERMAN);
    expect([words.__('Cell %1', 3), words.__('No')]).toEqual(['Zelle 3', 'No']);
    expect([1, 2].map(count => words._n('%1 line', '%1 lines', count))).toEqual(['1 Zeile', '2 Zeilen']);
    expect([size(1_500, words), number(1_234.5, words), duration(4.25, words)]).toEqual(['1,5 kB', '1.234,5', '4,3 s']);
    words.speak('en', {});
    expect([words.__('Cell %1', 3), size(1_500, words)]).toEqual(['Cell 3', '1.5 kB']);
  });

  it("use the host's where the host speaks that language, and for languages that are not ours", () => {
    const host: Translator = { ...ENGLISH, __: (text, ...values) => ENGLISH.__({ Yes: 'Jawohl', No: 'Nein' }[text] ?? text, ...values) };
    const german = new Words(host, 'de');
    german.speak('de', GERMAN);
    expect(['Yes', 'No', 'Cell %1'].map(text => german.__(text, 1))).toEqual(['Jawohl', 'Nein', 'Zelle 1']);
    german.speak('en', {});
    expect(german.__('Yes')).toBe('Yes');
    german.speak('fr', {});
    expect(german.__('Yes')).toBe('Jawohl');
  });
});

/** Data that the panel shows as it is: it stands in `§`, names of tools and arguments are words of code. */
const THREAD: Thread = { id: 't1', title: '§thread§', workspace: '', created_at: 1, updated_at: 1, turns: 3 };
const PROGRESS = { fraction: null, label: '§label§', done: null, total: null, unit: '' };
const RESULT = { summary: '§summary§', text: '', code: '', outputs: [], tests: null, exit_code: 3, data: {}, widgets: [] };
const data = { tool: '§tool§', title: '§title§', log_path: '§path§', output_bytes: 5_000 };
const TASKS: Task[] = [
  aTask({ ...data, id: 1, progress: PROGRESS, tail: '§tail§', deadline_at: 9e9 }),
  aTask({ ...data, id: 2, state: 'queued', queue_position: 1, started_at: null }),
  aTask({ ...data, id: 3, state: 'queued', queue_position: 2, started_at: null }),
  aTask({ ...data, id: 4, state: 'awaiting_approval', started_at: null }),
  aTask({ ...data, id: 5, state: 'interrupted', ended_at: 2, earlier: true, log_cut_bytes: 9 }),
  aTask({ ...data, id: 6, state: 'failed', ended_at: 2, result: RESULT }),
  aTask({
    ...data, id: 7, state: 'failed', ended_at: 2, arguments: { '§list§': ['§a§'], '§none§': null, '§number§': 5 },
    result: { ...RESULT, tests: { passed: 2, failed: 1, errors: 1, skipped: 1, duration_s: 1, cases: [] } }
  })
];
const PAST: PastTask[] = TASKS.slice(4).map((task, index) => ({
  id: 90 - index, task: { ...task, created_at: 50, earlier: true }, utterance: '§said§', session_id: 's',
  thread_id: 't1', thread_title: '§thread§'
}));

function answer(message: ToKernel, language = 'en'): ToSurface | null {
  const { id } = message as ListThreads | FindTasks;
  const problem = null;
  switch (message.type) {
    case 'hello':
      return aState({
        about: { ...aState().about, language },
        keeping: { state: 'memory', message: '§why§', hint: '§hint§', thread: THREAD },
        turns: [1, 2, 3].map(id => aTurn({
          id, text: '§said§', route: (['intents', 'model', 'none'] as const)[id - 1]!, closest: ['§near§'],
          parent_id: id === 3 ? 1 : null, latency_s: 0.2
        })),
        tasks: TASKS.map(task => ({ ...task, turn_id: (task.id % 3) + 1 })),
        approvals: [{
          id: 1, task_id: 4, tool: '§tool§', arguments: {}, target: '§target§', reason: '§reason§', state: 'open',
          created_at: 1, shown_at: null, diff: null, fields: []
        }]
      });
    case 'list_threads':
      return { type: 'threads', id, threads: [THREAD, { ...THREAD, id: 't2' }], more: true, problem };
    case 'find_tasks':
      return { type: 'past_tasks', id, tasks: PAST, more: true, problem };
    case 'read_log':
      return {
        type: 'log_page', id, first_line: 0, lines: ['§line§'], total_lines: 1, total_bytes: 9, complete: true, problem
      };
    case 'watch_servers':
      return message.on ? { type: 'servers', servers: SERVERS, registry: '§registry§', secrets_place: '§place§', configs: ['§file§'], problem } : null;
    case 'read_server':
      return {
        type: 'server_details', id, problem,
        tools: (['reads', 'destroys', ''] as const).map(hint => ({ name: `§${hint}§`, description: '§about§', arguments: ['§a§'], on: true, hint })),
        prompts: [{ name: '§prompt§', title: '', description: '§about§', arguments: ['§a§'] }],
        resources: [{ name: '§uri§', title: '§memo§', description: '', arguments: [] }]
      };
    case 'search_registry':
      return { type: 'offers', id, offers: [OFFER], problem };
    default:
      return null;
  }
}

const SERVER: McpServer = {
  name: '§server§', state: 'running', problem: '§problem§', what: '§command§', transport: 'stdio', version: '§1§', registry_name: '§name§',
  autostart: false, pid: 7, started_at: 1, tools: 2, tools_off: 1, calls: 3, errors: 1, log_lines: 4, secrets: ['§KEY§'], missing: ['§KEY§'],
  sign_in: 'http://127.0.0.1/'
};
const SERVERS: McpServer[] = (['running', 'stopped', 'asleep', 'starting', 'waiting', 'failed'] as const).map((state, index) => ({
  ...SERVER, state, name: `§server ${index}§`, transport: index === 1 ? 'http' : 'stdio'
}));
const QUESTION: Question = { name: '§key§', description: '§about§', secret: false, required: false, default: '' };
const OFFER: McpOffer = {
  name: '§name§', short: '§short§', publisher: '§publisher§', version: '§1§', description: '§about§', repository: 'https://example.org', runs: '§runs§',
  questions: [QUESTION, { ...QUESTION, name: '§secret§', secret: true }], missing: '§program§', hint: '§hint§', installed: false
};

function mounted(language = 'en', trans = new Words(FOREIGN)) {
  const host = document.createElement('div');
  document.body.append(host);
  let tell: (message: ToSurface) => void = () => undefined;
  let controls: Controls | undefined;
  const channel: Channel = {
    send: message => queueMicrotask(() => {
      const reply = answer(message, language);
      if (reply) {
        tell(reply);
      }
    }),
    onMessage: callback => {
      tell = callback;
      return () => undefined;
    },
    onClose: () => () => undefined
  };
  const unmount = mount(host, {
    channel, loadPart: loadChunk, view: 'panel', turnId: 0, kind: 'sidebar', cells: true, trans, holdKey: () => '§keys§',
    onReady: ready => (controls = ready)
  });
  return { host, unmount, controls };
}

async function drawn(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) {
    await new Promise(done => setTimeout(done, 5));
  }
}

/** Words of the panel that no translation has seen. */
function untranslated(host: HTMLElement): string[] {
  const found: string[] = [];
  const look = (text: string | null, where: Element): void => {
    const words = (text ?? '')
      .replace(/§[^§]*§/g, '')
      // Units, and the name of a key.
      .replace(/\d\s?(ms|s|B|kB|MB|GB)(?=\W|$)|\bEsc\b/g, '');
    if (/[a-z]/i.test(words)) {
      found.push(`${text} in ${where.className || where.tagName}`);
    }
  };
  const nodes = document.createTreeWalker(host, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    if (node instanceof Element) {
      for (const name of ['aria-label', 'title', 'placeholder', 'alt']) {
        look(node.getAttribute(name), node);
      }
    } else {
      look(node.textContent, node.parentElement!);
    }
  }
  return [...new Set(found)];
}

describe('a panel in another language', () => {
  // What is loaded when it is first needed is there: how long that takes is not looked at here.
  beforeAll(async () => {
    await Promise.all((['markup', 'servers', 'diff', 'widgets', 'charts'] as const).map(name => loadChunk(name)));
  });
  beforeEach(() => {
    vi.stubGlobal('ResizeObserver', class { observe() {} disconnect() {} });
    vi.stubGlobal('IntersectionObserver', class { observe() {} disconnect() {} });
    // Room for every row of a list.
    vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(2_000);
    // Dates are the locale's own words.
    vi.spyOn(Date.prototype, 'toLocaleDateString').mockReturnValue('1.1.');
    vi.spyOn(Date.prototype, 'toLocaleTimeString').mockReturnValue('10:00');
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    document.body.replaceChildren();
  });

  async function press(host: HTMLElement, selector: string): Promise<void> {
    await soon(() => expect(host.querySelector(selector), selector).not.toBeNull());
    host.querySelector<HTMLElement>(selector)!.click();
  }

  it('has not a word of its own', async () => {
    const { host, unmount } = mounted();
    await soon(() => expect(host.querySelectorAll('.vk-turn')).toHaveLength(3));
    await drawn();
    const words: string[] = [...untranslated(host)];
    const look = async (...selectors: string[]): Promise<void> => {
      for (const selector of selectors) {
        await press(host, selector);
        await drawn();
      }
      words.push(...untranslated(host));
    };
    const close = '.vk-sheet-head .vk-icon-button';
    await look('.vk-settings-toggle');
    await look('.vk-title');
    await look('.vk-thread:nth-child(2) .vk-icon-button');
    await look(close, '.vk-title', '.vk-thread:nth-child(2) .vk-icon-button:last-child');
    await look(close, '.vk-header-buttons .vk-icon-button:nth-child(2)');
    await look(close, '[data-tab="tasks"]');
    for (const id of [1, 2, 5, 7]) {
      await look(`[data-row="${id}"] .vk-row-main`);
      if (id === 7) {
        await look('.vk-actions .vk-button:nth-child(3)'); // with changes
        await look(close);
      }
      await look(close);
    }
    await look('[data-row="5"] .vk-row-actions .vk-icon-button'); // the log
    await look(close, '[data-tab="history"]', '[data-place="history"] .vk-row-main');
    expect(words).toEqual([]);
    unmount();
  });

  it('is German where the session is, from the first to the last word that is shown', async () => {
    const { host, unmount } = mounted('de', new Words());
    await soon(() => expect(host.querySelector('[data-tab="tasks"]')?.textContent).toContain('Aufgaben'));
    await drawn();
    expect(host.querySelector<HTMLElement>('.vk-root')?.lang).toBe('de');
    const shown = host.textContent ?? '';
    // Views that were drawn before the words came are drawn again, those too that remember.
    expect(shown).not.toMatch(/\b(Task|Retry|Running|Failed|Approve|Waiting|Conversation|Exit code \d)\b/);
    expect(shown).toMatch(/Ablehnen.*Genehmigen/);
    unmount();
  });

  it('has none in the dashboard of servers either', async () => {
    const { host, unmount } = mounted();
    await drawn();
    const words: string[] = [];
    const look = async (...selectors: string[]): Promise<void> => {
      for (const selector of selectors) {
        await press(host, selector);
        await soon(() => expect(host.querySelector('.vk-sheet')).not.toBeNull());
        await drawn();
      }
      words.push(...[...host.querySelectorAll<HTMLElement>('.vk-sheet')].flatMap(untranslated));
    };
    const close = '.vk-sheet-head .vk-icon-button';
    await press(host, '.vk-header-buttons .vk-icon-button');
    await soon(() => expect(host.querySelectorAll('.vk-server')).toHaveLength(6));
    await look('.vk-server-tools .vk-button:nth-child(2)'); // import
    for (const row of [1, 2, 5]) {
      await look(`.vk-server:nth-child(${row}) .vk-row-main`);
      await look('.vk-actions .vk-button:last-child', close); // remove
    }
    await look('.vk-server-tools .vk-button:first-child');
    const search = host.querySelector<HTMLInputElement>('.vk-search input')!;
    search.value = '§words§';
    search.dispatchEvent(new Event('input', { bubbles: true }));
    await soon(() => expect(host.querySelectorAll('.vk-offer')).toHaveLength(1));
    await look('.vk-offer .vk-row-main');
    expect([...new Set(words)]).toEqual([]);
    unmount();
  });
});
