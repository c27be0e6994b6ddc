/**
 * The browser's own speech recognition (Web Speech API), beside the recording of one utterance.
 *
 * Responsible for saying where a browser would recognise, for running its recogniser while the microphone is
 * open and the kernel wants that, and for telling the kernel what it hears or why it cannot. The sound goes to
 * the kernel all the same, which listens itself where the browser fails. It does not know gestures or drawing.
 */
import type { Heard, Speech, ToKernel } from '../messages.gen';
import { type Translator, localeOf } from './translation';

/** `device`: sound stays on this computer; `server`: the browser sends it away; `none`: it has no recogniser. */
export type EarPlace = 'none' | 'device' | 'server';

interface ResultEvent extends Event {
  readonly results: ArrayLike<ArrayLike<{ readonly transcript: string }>>;
}

interface Recogniser {
  lang: string;
  continuous: boolean;
  interimResults: boolean;
  processLocally?: boolean;
  phrases?: unknown;
  onresult: ((event: ResultEvent) => void) | null;
  onerror: ((event: Event & { readonly error: string }) => void) | null;
  onend: (() => void) | null;
  start(track?: MediaStreamTrack): void;
  stop(): void;
  abort(): void;
}

interface RecogniserClass {
  new (): Recogniser;
  /** Whether a language is recognised on the device; not in every browser. */
  available?(options: { langs: string[]; processLocally: boolean }): Promise<string>;
  install?(options: { langs: string[]; processLocally: boolean }): Promise<boolean>;
}

interface SpeechWindow {
  SpeechRecognition?: RecogniserClass;
  webkitSpeechRecognition?: RecogniserClass;
  SpeechRecognitionPhrase?: new (phrase: string, boost: number) => unknown;
}

/** How much likelier a name is than the recogniser thinks; the API allows 0 to 10. */
const BOOST = 4;
/** Recognisers end by themselves after a pause; more often in one utterance than this, and something is wrong. */
const MAX_RUNS = 30;
/** The kernel waits no longer for last words. */
const PATIENCE_MS = 5_000;

function recogniserClass(): RecogniserClass | undefined {
  const page = window as SpeechWindow;
  return page.SpeechRecognition ?? page.webkitSpeechRecognition;
}

/** Says what an error of the recogniser means; empty where nobody spoke. */
export function problemOfEar(error: string, language: string, trans: Translator): string {
  switch (error) {
    case 'no-speech':
    case 'aborted':
      return '';
    case 'network':
      return trans.__('The browser cannot reach its speech service.');
    case 'not-allowed':
    case 'service-not-allowed':
      return trans.__('The browser does not let this page recognise speech.');
    case 'language-not-supported':
      return trans.__('The browser does not recognise this language (%1).', language);
    case 'audio-capture':
      return trans.__('The recogniser of the browser got no sound.');
    default:
      return trans.__('The recogniser of the browser failed (%1).', error);
  }
}

/** One utterance in the browser's recogniser. */
class Listening {
  private recogniser: Recogniser | null = null;
  private runs = 0;
  /** Words of earlier runs: a recogniser that was begun again knows nothing of them. */
  private before = '';
  private words = '';
  private ending = false;
  private over = false;
  private withPhrases = true;

  constructor(
    private readonly make: RecogniserClass,
    private readonly track: MediaStreamTrack,
    private readonly speech: Speech,
    private readonly onDevice: boolean,
    private readonly tell: (heard: Pick<Heard, 'text' | 'final' | 'problem'>) => void,
    private readonly trans: Translator
  ) {}

  run(): void {
    const { make, speech } = this;
    this.before = `${this.before} ${this.words}`.trim();
    this.words = '';
    this.runs++;
    const recogniser = new make();
    this.recogniser = recogniser;
    recogniser.lang = localeOf(speech.language);
    recogniser.continuous = true;
    recogniser.interimResults = true;
    if (this.onDevice) {
      recogniser.processLocally = true;
    }
    this.expect(recogniser);
    recogniser.onresult = event => {
      this.words = Array.from(event.results, result => result[0]?.transcript.trim() ?? '').join(' ');
      this.tell({ text: this.text, final: false, problem: '' });
    };
    recogniser.onerror = event => this.failed(event.error);
    recogniser.onend = () => this.ended();
    try {
      recogniser.start(this.track);
    } catch (error) {
      this.give(problemOfEar(error instanceof Error ? error.name : '', recogniser.lang, this.trans));
    }
  }

  /** Nothing more is said: the last words are wanted. */
  end(): void {
    this.ending = true;
    this.recogniser?.stop();
    setTimeout(() => this.discard(), PATIENCE_MS);
  }

  discard(): void {
    if (!this.over) {
      this.finish();
      this.recogniser?.abort();
    }
  }

  /** The browser's sign that the microphone is open goes out with the last track. */
  private finish(): void {
    this.over = true;
    this.track.stop();
  }

  private get text(): string {
    return `${this.before} ${this.words}`.replace(/\s+/g, ' ').trim();
  }

  /** Names the words of the notebook, where the browser takes hints. */
  private expect(recogniser: Recogniser): void {
    const { SpeechRecognitionPhrase: Phrase } = window as SpeechWindow;
    if (!Phrase || !this.withPhrases || !('phrases' in recogniser) || this.speech.phrases.length === 0) {
      return;
    }
    try {
      recogniser.phrases = this.speech.phrases.map(name => new Phrase(name.replace(/_/g, ' '), BOOST));
    } catch {
      this.withPhrases = false; // a browser that changed its mind about the format hears without them
    }
  }

  private failed(error: string): void {
    if (error === 'phrases-not-supported' && this.withPhrases) {
      this.withPhrases = false; // it ends now, and is begun again
      return;
    }
    const problem = problemOfEar(error, localeOf(this.speech.language), this.trans);
    if (problem) {
      this.give(problem);
    }
  }

  private ended(): void {
    if (this.over) {
      return;
    }
    if (!this.ending && this.runs < MAX_RUNS) {
      this.run();
      return;
    }
    this.finish();
    this.tell({ text: this.text, final: true, problem: '' });
  }

  private give(problem: string): void {
    if (!this.over) {
      this.finish();
      this.tell({ text: '', final: true, problem });
    }
  }
}

export class PageEar {
  /** Where this browser would recognise; as far as is known, until `look` has looked. */
  place: EarPlace = recogniserClass() ? 'server' : 'none';
  private listening: Listening | null = null;
  private looked = '';

  constructor(
    private readonly send: (message: ToKernel) => void,
    private readonly trans: Translator,
    private readonly onPlace: () => void
  ) {}

  /** Asks the browser whether it can recognise a language on this device. */
  async look(language: string): Promise<void> {
    const make = recogniserClass();
    if (!make?.available || this.looked === language) {
      return;
    }
    this.looked = language;
    const wanted = { langs: [localeOf(language)], processLocally: true };
    try {
      const found = await make.available(wanted);
      this.place = found === 'available' ? 'device' : 'server';
      if (found === 'downloadable' && make.install) {
        this.place = (await make.install(wanted)) ? 'device' : 'server';
      }
    } catch {
      this.place = 'server'; // it asked for something it does not have after all
    }
    this.onPlace();
  }

  /** Listens to a recording that begins, where the kernel wants the browser to. */
  begin(utteranceId: string, stream: MediaStream, speech: Speech): void {
    this.discard();
    if (speech.engine !== 'browser') {
      return;
    }
    const tell = (heard: Pick<Heard, 'text' | 'final' | 'problem'>): void =>
      this.send({ type: 'heard', utterance_id: utteranceId, ...heard });
    const make = recogniserClass();
    const track = stream.getAudioTracks()[0];
    if (!make || !track) {
      tell({ text: '', final: true, problem: this.trans.__('This browser has no speech recognition.') });
      return;
    }
    tell({ text: '', final: false, problem: '' });
    this.listening = new Listening(make, track.clone(), speech, this.place === 'device', tell, this.trans);
    this.listening.run();
  }

  end(): void {
    this.listening?.end();
    this.listening = null;
  }

  discard(): void {
    this.listening?.discard();
    this.listening = null;
  }
}
