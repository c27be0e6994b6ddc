/**
 * How this browser wants to be answered aloud: how much, by whose voice, at which pace.
 *
 * Responsible for remembering it in the browser; where nothing was chosen, the kernel's settings count. It does
 * not know what is spoken, nor how it sounds.
 */
import type { About, SpeakChanged, SpeakChoice } from '../messages.gen';
import { recall, remember } from './preferences';

export type Verbosity = SpeakChoice['speak'];

const LEVELS: readonly Verbosity[] = ['off', 'errors', 'short', 'full'];
const ENGINES: readonly SpeakChoice['voice'][] = ['auto', 'local', 'browser', 'openai'];

export interface ChoicePorts {
  /** Something else was chosen that the kernel must know. */
  readonly chosen: () => void;
  /** A click has allowed the page to sound. */
  readonly wake: () => void;
  readonly redraw: () => void;
}

export class SpeakerChoices {
  /** What the kernel has told of its settings; null before it did. */
  about: About | null = null;

  constructor(private readonly ports: ChoicePorts) {}

  get verbosity(): Verbosity {
    const kept = recall('speak') as Verbosity;
    return LEVELS.includes(kept) ? kept : (this.about?.speak ?? 'off');
  }

  set verbosity(value: Verbosity) {
    remember('speak', value);
    this.ports.chosen();
    if (value !== 'off') {
      this.ports.wake(); // the click that switched it on allows the page to sound
    }
  }

  get engine(): SpeakChoice['voice'] {
    const kept = recall('speak_voice') as SpeakChoice['voice'];
    return ENGINES.includes(kept) ? kept : (this.about?.voice ?? 'auto');
  }

  set engine(value: SpeakChoice['voice']) {
    remember('speak_voice', value);
    this.ports.chosen();
  }

  get rate(): number {
    const kept = Number.parseFloat(recall('speak_rate'));
    return kept >= 0.5 && kept <= 2 ? kept : (this.about?.speech_rate ?? 1);
  }

  set rate(value: number) {
    remember('speak_rate', String(value));
    this.ports.chosen();
  }

  get voiceName(): string {
    return recall('speak_voice_name');
  }

  set voiceName(name: string) {
    remember('speak_voice_name', name);
    this.ports.redraw();
  }

  /** The browser's voices for the session's language. */
  get voices(): SpeechSynthesisVoice[] {
    const language = this.language;
    return (synthesis()?.getVoices() ?? []).filter(voice => voice.lang.toLowerCase().startsWith(language));
  }

  get on(): boolean {
    return this.verbosity !== 'off';
  }

  /** Switches speaking on or off; on is as much as it was before. */
  readonly toggle = (): void => {
    const before = recall('speak_before') as Verbosity;
    if (this.on) {
      remember('speak_before', this.verbosity);
      this.verbosity = 'off';
    } else {
      this.verbosity = LEVELS.includes(before) && before !== 'off' ? before : 'short';
    }
  };

  /** Whether a screen reader need not say what is spoken anyway. */
  says(urgent: boolean): boolean {
    return this.verbosity === 'short' || this.verbosity === 'full' || (this.verbosity === 'errors' && urgent);
  }

  private get language(): string {
    return (this.about?.language ?? 'en').toLowerCase();
  }

  /** What the kernel is told; null before it is there. */
  get message(): SpeakChoice | null {
    if (!this.about) {
      return null;
    }
    const browser_voice = this.voices.some(voice => voice.localService);
    return { type: 'speak_choice', speak: this.verbosity, voice: this.engine, rate: this.rate, browser_voice };
  }

  /** Keeps what a person said. */
  keep({ speak, rate }: SpeakChanged): void {
    remember('speak', speak);
    remember('speak_rate', String(rate));
  }
}

export function synthesis(): SpeechSynthesis | null {
  return 'speechSynthesis' in window && typeof SpeechSynthesisUtterance === 'function' ? window.speechSynthesis : null;
}
