/**
 * Plays spoken answers: the kernel's sound by Web Audio, or words by a voice of the browser.
 *
 * Responsible for one answer at a time, for stopping it at once, and for holding it as soon as somebody seems to
 * talk into it. It does not know what is spoken nor when, nor whether it was a person who talked: the kernel
 * decides.
 */
import type {
  About,
  HoldSpeaking,
  SpeakAnswer,
  SpeakChanged,
  SpeakingState,
  ToKernel
} from '../messages.gen';
import type { Buffers } from './channel';
import { Interjection, decibels } from './interjection';
import { SpeakerChoices, synthesis } from './speakerchoices';
import type { Store } from './store';

/** Between the sentences of the kernel's voice, which ends each without a pause, and between clauses. */
const PAUSE_S = 0.22;
const BREATH_S = 0.1;
/** Sound is scheduled this far ahead, so that its beginning is not cut. */
const LEAD_S = 0.01;
const RESUME_MS = 700;
/** An answer fades out and in so fast when it is held: no click, and no syllable lost. */
const FADE_S = 0.003;
const FADED_MS = 30;
/** Where the kernel does not say for so long what an answer is held for, it goes on. */
const HELD_MS = 4_000;
/** The loudness of what is played is taken over so many samples (43 ms at 48 kHz). */
const METER_SAMPLES = 2_048;
/** Sound that is not heard for so long lets the device go. */
const REST_MS = 15_000;
/** Keys that only move what is seen, or belong to another one. Control alone silences, as it does screen readers. */
const LEAVE_ALONE = new Set(['Shift', 'Alt', 'Meta', 'AltGraph', 'CapsLock', 'PageUp', 'PageDown']);

export interface SpeakerPorts {
  readonly send: (message: ToKernel) => void;
  /** Whether the microphone is open only while a person holds or clicks it: then nothing is spoken into it. */
  readonly isBusy: () => boolean;
  /** Tells screen readers what could not be heard. */
  readonly tell: (text: string) => void;
}

/** What is heard of one answer. */
interface Playing {
  readonly id: number;
  readonly sources: Set<AudioBufferSourceNode>;
  /** When the next piece begins, in the context's time. */
  next: number;
  complete: boolean;
  started: boolean;
  /** Set while it is held: when it goes on by itself. */
  held: ReturnType<typeof setTimeout> | null;
}

export class Speaker {
  private context: AudioContext | null = null;
  private gain: GainNode | null = null;
  private meter: AnalyserNode | null = null;
  private readonly interjection = new Interjection();
  /** How loud it was when somebody seemed to talk. */
  private interjectedDb = -Infinity;
  private readonly metered = new Float32Array(METER_SAMPLES);
  private playing: Playing | null = null;
  private rest: ReturnType<typeof setTimeout> | undefined;
  /** Messages that wait for the device. */
  private opening: Promise<boolean> | null = null;
  private newest = 0;

  readonly choices: SpeakerChoices;

  constructor(
    private readonly store: Store,
    private readonly ports: SpeakerPorts
  ) {
    this.choices = new SpeakerChoices({
      chosen: () => this.choose(),
      wake: () => this.wake(),
      redraw: () => this.store.update({})
    });
  }

  /** Ends with any key on the page, and with a click in the panel. Returns how to stop watching. */
  watch(root: HTMLElement): () => void {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (this.sounding && !event.repeat && !LEAVE_ALONE.has(event.key)) {
        this.stop();
      }
    };
    const onPointerDown = (): void => {
      if (this.sounding) {
        this.stop();
      }
    };
    const onVoices = (): void => this.choose();
    const onStorage = (event: StorageEvent): void => {
      if (event.key?.startsWith('voice_kernel.speak')) {
        this.choose();
      }
    };
    window.addEventListener('keydown', onKeyDown, true);
    window.addEventListener('storage', onStorage);
    root.addEventListener('pointerdown', onPointerDown, true);
    synthesis()?.addEventListener?.('voiceschanged', onVoices);
    return () => {
      window.removeEventListener('keydown', onKeyDown, true);
      window.removeEventListener('storage', onStorage);
      root.removeEventListener('pointerdown', onPointerDown, true);
      synthesis()?.removeEventListener?.('voiceschanged', onVoices);
      this.dispose();
    };
  }

  /** Tells the kernel how this page is to be answered. */
  choose(): void {
    const choice = this.choices.message;
    if (choice) {
      this.ports.send(choice);
      if (choice.speak === 'off') {
        this.silence();
      }
    }
    this.store.update({});
  }

  /** The kernel is there, or there again. */
  introduce(about: About): void {
    this.choices.about = about;
    this.newest = this.playing?.id ?? 0; // a kernel that was restarted counts from the beginning
    this.choose();
  }

  /** A person said it. */
  changed(message: SpeakChanged): void {
    this.choices.keep(message);
    if (message.speak === 'off') {
      this.silence();
    }
    this.store.update({});
  }

  get speaking(): boolean {
    return this.playing !== null;
  }

  /** Whether something is heard now; a model may pause within its answer. */
  private get sounding(): boolean {
    return (this.playing?.sources.size ?? 0) > 0 || (this.playing !== null && (synthesis()?.speaking ?? false));
  }

  /** Opens the device, so that the first sound need not wait for it. */
  wake(): void {
    if (this.choices.on) {
      void this.open();
    }
  }

  receive(answer: SpeakAnswer, buffers: Buffers = []): void {
    if (answer.id < this.newest) {
      return; // of an answer that was stopped meanwhile
    }
    if (answer.id > this.newest) {
      this.silence();
      this.newest = answer.id;
      if (this.ports.isBusy()) {
        this.report(answer.id, 'stopped');
        return;
      }
      this.playing = { id: answer.id, sources: new Set(), next: 0, complete: false, started: false, held: null };
    }
    if (this.playing?.id !== answer.id) {
      return; // stopped
    }
    if (answer.by === 'browser') {
      this.speak(answer);
    } else if (answer.seq === 0 && answer.last) {
      this.ports.tell(answer.text); // there is no sound to it
      this.finish('failed');
    } else {
      this.play(answer, buffers);
    }
  }

  /** A person stops it: at once, here and in the kernel. */
  readonly stop = (): void => {
    const id = this.playing?.id;
    if (id !== undefined) {
      this.silence();
      this.report(id, 'stopped');
    }
  };

  /** Hears along with an open microphone: what is said is held at once when somebody talks into it. */
  hear(samples: Float32Array): void {
    if (this.interjection.push(samples, this.playedDb) && this.sounding && !this.playing?.held) {
      this.interjectedDb = this.interjection.loudest;
      this.hold();
    }
  }

  /** The kernel holds it, or lets it go on. */
  held({ id, hold }: HoldSpeaking): void {
    if (this.playing?.id !== id) {
      return;
    }
    if (hold) {
      this.interjectedDb = -Infinity;
      this.hold();
    } else {
      this.interjection.refuse(this.interjectedDb);
      this.goOn();
    }
  }

  /** The kernel stops it. */
  hush(id?: number): void {
    if (id === undefined || this.playing?.id === id) {
      this.silence();
    }
  }

  dispose(): void {
    this.silence();
    clearTimeout(this.rest);
    void this.context?.close().catch(() => undefined);
    this.context = null;
  }

  private play(answer: SpeakAnswer, buffers: Buffers): void {
    const playing = this.playing!;
    const samples = answer.rate_hz > 0 ? samplesOf(buffers) : null;
    const begin = (): void => {
      if (this.playing !== playing) {
        return;
      }
      if (samples?.length && this.context && this.gain) {
        this.schedule(playing, samples, answer);
      }
      if (answer.last) {
        playing.complete = true;
      }
      this.look(playing);
    };
    if ((playing.held || this.context?.state === 'running') && !this.opening) {
      begin();
      return;
    }
    void this.open().then(open => {
      if (open) {
        begin();
      } else if (this.playing === playing) {
        this.ports.tell(answer.text);
        this.store.update({ speakingBlocked: true });
        this.finish('failed');
      }
    });
  }

  private schedule(playing: Playing, samples: Float32Array<ArrayBuffer>, answer: SpeakAnswer): void {
    const { context, gain } = this;
    if (!context || !gain) {
      return;
    }
    const buffer = context.createBuffer(1, samples.length, answer.rate_hz);
    buffer.copyToChannel(samples, 0);
    const source = context.createBufferSource();
    source.buffer = buffer;
    source.connect(gain);
    const joined = playing.next > 0 && this.caption.endsWith(answer.text);
    const pause = joined || playing.next === 0 ? 0 : /[.!?…]$/.test(this.caption) ? PAUSE_S : BREATH_S;
    const at = Math.max(context.currentTime + LEAD_S, playing.next + pause);
    source.start(at);
    playing.next = at + buffer.duration;
    playing.sources.add(source);
    source.onended = () => {
      playing.sources.delete(source);
      this.look(playing);
    };
    if (!joined) {
      this.store.update({ speaking: `${this.caption} ${answer.text}`.trim(), speakingBlocked: false });
    }
    if (!playing.started) {
      playing.started = true;
      this.report(playing.id, 'started');
    }
  }

  private get caption(): string {
    return this.store.snapshot.ui.speaking;
  }

  /** Ends the answer when all of it was heard. */
  private look(playing: Playing): void {
    if (this.playing === playing && playing.complete && playing.sources.size === 0) {
      this.finish('ended');
    }
  }

  private speak(answer: SpeakAnswer): void {
    const voice = synthesis();
    const playing = this.playing!;
    // Without a voice of its own a browser says nothing, and not even that.
    if (!voice || voice.getVoices().length === 0) {
      this.ports.tell(answer.text);
      this.finish('failed');
      return;
    }
    const chosen = this.choices.voices.find(one => one.name === this.choices.voiceName) ?? this.choices.voices.find(one => one.localService);
    // Sentence by sentence: some browsers cut off what takes longer than 15 s.
    const parts = answer.text.match(/[^.!?…]+[.!?…]*\s*/g) ?? [answer.text];
    parts.forEach((part, index) => {
      const utterance = new SpeechSynthesisUtterance(part);
      utterance.lang = chosen?.lang ?? answer.language;
      utterance.voice = chosen ?? null;
      utterance.rate = answer.rate;
      utterance.onstart = () => {
        if (this.playing === playing && !playing.started) {
          playing.started = true;
          this.report(playing.id, 'started');
        }
      };
      utterance.onerror = () => {
        if (this.playing === playing) {
          this.ports.tell(answer.text);
          this.finish('failed');
        }
      };
      utterance.onend = () => {
        if (this.playing === playing && index === parts.length - 1) {
          this.finish('ended');
        }
      };
      voice.speak(utterance);
    });
    this.store.update({ speaking: answer.text, speakingBlocked: false });
  }

  private finish(state: SpeakingState['state']): void {
    const id = this.playing?.id;
    this.silence();
    if (id !== undefined) {
      this.report(id, state);
    }
  }

  /** No sound until the kernel knows whether somebody talks; nothing of the answer is lost. */
  private hold(): void {
    const { playing, context, gain } = this;
    if (!playing || playing.held) {
      return;
    }
    playing.held = setTimeout(() => {
      this.goOn();
      this.report(playing.id, 'started');
    }, HELD_MS);
    synthesis()?.pause();
    if (context && gain) {
      gain.gain.setTargetAtTime(0, context.currentTime, FADE_S);
      setTimeout(() => {
        if (playing.held) {
          void context.suspend().catch(() => undefined);
        }
      }, FADED_MS);
    }
    this.report(playing.id, 'held');
  }

  private goOn(): void {
    const { playing, context } = this;
    if (playing?.held) {
      this.release(playing);
      void context?.resume().catch(() => undefined);
    }
  }

  /** Lets the device sound again. */
  private release(playing: Playing): void {
    clearTimeout(playing.held ?? undefined);
    playing.held = null;
    synthesis()?.resume();
    const { context, gain } = this;
    if (context && gain) {
      gain.gain.cancelScheduledValues(0);
      gain.gain.setTargetAtTime(1, context.currentTime, FADE_S);
    }
  }

  /** How loud what is played is at this moment. */
  private get playedDb(): number {
    if (!this.meter || !this.playing || this.playing.held) {
      return -Infinity;
    }
    this.meter.getFloatTimeDomainData(this.metered);
    return decibels(this.metered);
  }

  /** No sound from this moment on. */
  private silence(): void {
    const playing = this.playing;
    this.playing = null;
    if (!playing) {
      return;
    }
    const wasHeld = playing.held !== null;
    playing.sources.forEach(source => {
      source.onended = null;
      source.stop();
      source.disconnect();
    });
    synthesis()?.cancel();
    if (wasHeld) {
      this.release(playing);
    }
    this.store.update({ speaking: '' });
    this.restLater();
  }

  private report(id: number, state: SpeakingState['state']): void {
    this.ports.send({ type: 'speaking_state', id, state });
  }

  /** Returns whether the page may sound; browsers forbid it until a person has clicked or typed. */
  private open(): Promise<boolean> {
    clearTimeout(this.rest);
    this.restLater();
    if (this.playing?.held || this.context?.state === 'running') {
      return Promise.resolve(true);
    }
    this.opening ??= this.resume().finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async resume(): Promise<boolean> {
    if (typeof AudioContext !== 'function') {
      return false;
    }
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: 'interactive' });
      this.gain = this.context.createGain();
      this.gain.connect(this.context.destination);
      this.meter = this.context.createAnalyser();
      this.meter.fftSize = METER_SAMPLES;
      this.gain.connect(this.meter);
    }
    const { context } = this;
    await Promise.race([
      context.resume().catch(() => undefined),
      new Promise(resolve => setTimeout(resolve, RESUME_MS))
    ]);
    return context.state === 'running';
  }

  /** A page that sounds keeps the device awake, and says so in its tab: not for longer than it must. */
  private restLater(): void {
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      if (this.playing) {
        this.restLater();
      } else {
        void this.context?.suspend().catch(() => undefined);
      }
    }, REST_MS);
  }
}

/** 16-bit little-endian samples as Web Audio wants them. */
export function samplesOf(buffers: Buffers): Float32Array<ArrayBuffer> | null {
  const first = buffers[0];
  if (!first) {
    return null;
  }
  const view = ArrayBuffer.isView(first)
    ? new DataView(first.buffer, first.byteOffset, first.byteLength)
    : new DataView(first);
  const samples = new Float32Array(view.byteLength >> 1);
  for (let at = 0; at < samples.length; at++) {
    samples[at] = view.getInt16(at * 2, true) / 32_768;
  }
  return samples;
}
