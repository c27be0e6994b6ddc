import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Heard, Speech } from '../src/messages.gen';
import { PageEar, problemOfEar } from '../src/panel/ear';
import { localeOf } from '../src/panel/translation';
import { ENGLISH } from '../src/panel/translation';
import { EMPTY_SESSION } from '../src/panel/store';

/** The browser's recogniser as the test plays it. */
class Fake {
  static newest: Fake;
  static made = 0;
  static place = 'available';
  static installs = vi.fn(async () => true);
  static available = vi.fn(async () => Fake.place);
  static install = (): Promise<boolean> => Fake.installs();
  lang = '';
  continuous = false;
  interimResults = false;
  processLocally = false;
  phrases: unknown = [];
  onresult: ((event: unknown) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onend: (() => void) | null = null;
  started: unknown;
  stopped = false;
  aborted = false;

  constructor() {
    Fake.newest = this;
    Fake.made++;
  }

  start(track: unknown): void {
    this.started = track;
  }

  stop(): void {
    this.stopped = true;
  }

  abort(): void {
    this.aborted = true;
  }

  says(...results: string[]): void {
    this.onresult?.({ results: results.map(transcript => [{ transcript }]) });
  }
}

const page = window as unknown as Record<string, unknown>;
let heard: Heard[];
let ear: PageEar;
let clone: { stop: ReturnType<typeof vi.fn> };
let stream: MediaStream;
const speech: Speech = { ...EMPTY_SESSION.speech, engine: 'browser', language: 'en', phrases: ['revenue_df'] };

function make(): void {
  ear = new PageEar(message => void heard.push(message as Heard), ENGLISH, () => undefined);
}

beforeEach(() => {
  vi.useFakeTimers();
  heard = [];
  Fake.made = 0;
  Fake.place = 'available';
  page['SpeechRecognition'] = Fake;
  clone = { stop: vi.fn() };
  stream = { getAudioTracks: () => [{ clone: () => clone }] } as unknown as MediaStream;
  make();
});

afterEach(() => {
  delete page['SpeechRecognition'];
  delete page['SpeechRecognitionPhrase'];
  vi.useRealTimers();
});

test('words are handed on as they come, and the last ones as final', () => {
  ear.begin('u', stream, speech);
  expect(heard).toEqual([{ type: 'heard', utterance_id: 'u', text: '', final: false, problem: '' }]);
  expect(Fake.newest.started).toBe(clone);
  Fake.newest.says('run the');
  Fake.newest.says('run the', 'tests');
  ear.end();
  expect(Fake.newest.stopped).toBe(true);
  Fake.newest.onend?.();
  expect(heard.slice(1).map(({ text, final }) => [text, final])).toEqual([
    ['run the', false],
    ['run the tests', false],
    ['run the tests', true]
  ]);
  expect(clone.stop).toHaveBeenCalled();
});

test('another engine leaves the browser out of it', () => {
  ear.begin('u', stream, { ...speech, engine: 'local' });
  expect([heard, Fake.made]).toEqual([[], 0]);
});

test('a browser without a recogniser says so', () => {
  delete page['SpeechRecognition'];
  make();
  expect(ear.place).toBe('none');
  ear.begin('u', stream, speech);
  expect(heard).toEqual([
    { type: 'heard', utterance_id: 'u', text: '', final: true, problem: 'This browser has no speech recognition.' }
  ]);
});

test('sound stays on the device where the browser offers it, and that is known beforehand', async () => {
  expect(ear.place).toBe('server');
  await ear.look('en');
  expect(ear.place).toBe('device');
  ear.begin('u', stream, speech);
  expect(Fake.newest.processLocally).toBe(true);
});

test('what the browser can download for the device is fetched', async () => {
  Fake.place = 'downloadable';
  await ear.look('de');
  expect([Fake.installs.mock.calls.length > 0, ear.place]).toEqual([true, 'device']);
});

test('where the device cannot, the browser is known to send sound away', async () => {
  Fake.place = 'unavailable';
  await ear.look('en');
  ear.begin('u', stream, speech);
  expect([ear.place, Fake.newest.processLocally]).toEqual(['server', false]);
});

test('names of the notebook are hints, as they are spoken', () => {
  page['SpeechRecognitionPhrase'] = class {
    constructor(readonly phrase: string) {}
  };
  ear.begin('u', stream, speech);
  expect(Fake.newest.phrases).toEqual([{ phrase: 'revenue df' }]);
  // A recogniser that takes none is begun again without them.
  Fake.newest.onerror?.({ error: 'phrases-not-supported' });
  Fake.newest.onend?.();
  expect([Fake.made, Fake.newest.phrases]).toEqual([2, []]);
});

test('a recogniser that ends in a pause is begun again and nothing is lost', () => {
  ear.begin('u', stream, speech);
  Fake.newest.says('run the tests');
  Fake.newest.onend?.();
  Fake.newest.says('in unit');
  expect(heard.at(-1)?.text).toBe('run the tests in unit');
  ear.end();
  Fake.newest.onend?.();
  expect(heard.at(-1)).toMatchObject({ text: 'run the tests in unit', final: true });
});

test('what goes wrong is told in words, once', () => {
  ear.begin('u', stream, speech);
  Fake.newest.onerror?.({ error: 'network' });
  Fake.newest.onend?.();
  ear.end();
  expect(heard.slice(1)).toEqual([
    { type: 'heard', utterance_id: 'u', text: '', final: true, problem: 'The browser cannot reach its speech service.' }
  ]);
  expect(clone.stop).toHaveBeenCalled();
});

test('silence is no error', () => {
  ear.begin('u', stream, speech);
  Fake.newest.onerror?.({ error: 'no-speech' });
  ear.end();
  Fake.newest.onend?.();
  expect(heard.at(-1)).toMatchObject({ text: '', final: true, problem: '' });
});

test('a recogniser that never ends lets the microphone go all the same', () => {
  ear.begin('u', stream, speech);
  ear.end();
  vi.advanceTimersByTime(10_000);
  expect(clone.stop).toHaveBeenCalled();
});

test('a recording thrown away is thrown away here too', () => {
  ear.begin('u', stream, speech);
  ear.discard();
  Fake.newest.onend?.();
  expect([Fake.newest.aborted, heard.length]).toEqual([true, 1]);
});

test('every error has words, and a language its own variety', () => {
  for (const error of ['not-allowed', 'language-not-supported', 'audio-capture', 'something-new']) {
    expect(problemOfEar(error, 'de-DE', ENGLISH)).toMatch(/browser/i);
  }
  expect(localeOf('en')).toMatch(/^en-/);
  expect(localeOf('de')).toMatch(/^de-/);
});
