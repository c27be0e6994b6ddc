/**
 * The microphone as the panel uses it: gestures in, a recording and its level out.
 *
 * Responsible for joining gesture, recorder, hold key and the remembered choices. It does not know how the
 * button looks, nor what the kernel makes of the sound.
 */
import type { About, ToKernel } from '../messages.gen';
import { PageEar } from './ear';
import type { Earcon } from './earcons';
import { type GestureAction, HoldGesture, happenedAt } from './gesture';
import { recall, remember } from './preferences';
import { type MicrophonePhase, type MicrophoneProblem, Recorder, listDevices } from './recorder';
import type { Store } from './store';
import type { Translator } from './translation';

export type ListenMode = About['listen'];
const MODES: readonly ListenMode[] = ['push', 'toggle', 'handsfree'];

/** Five seconds of bars at 50 a second. */
const KEPT_LEVELS = 250;

export class Microphone {
  /** Loudness of the newest 20 ms pieces, oldest first, each 0 to 1. */
  readonly levels: number[] = [];
  private readonly gesture: HoldGesture;
  private readonly recorder: Recorder;
  private about: About | null = null;
  /** The browser's own recogniser. */
  readonly ear: PageEar;

  constructor(
    private readonly store: Store,
    send: (message: ToKernel, buffers?: ArrayBuffer[]) => void,
    private readonly trans: Translator,
    private readonly sound: (earcon: Earcon) => void,
    /** Hears along while the microphone stays open. */
    hear: (samples: Float32Array) => void
  ) {
    this.ear = new PageEar(send, trans, () => store.update({}));
    this.gesture = new HoldGesture(this.mode === 'toggle');
    const events = {
      send,
      onPhase: (phase: MicrophonePhase) => this.enter(phase),
      onLevel: (level: number) => {
        this.levels.push(level);
        if (this.levels.length > KEPT_LEVELS) {
          this.levels.shift();
        }
      },
      onProblem: (problem: MicrophoneProblem) => store.update({ microphoneProblem: problem }),
      onSound: (samples: Float32Array) => {
        if (store.snapshot.ui.handsFree) {
          hear(samples);
        }
      },
      onOpen: (utteranceId: string, stream: MediaStream) =>
        this.ear.begin(utteranceId, stream, store.snapshot.session.speech),
      onEnd: () => this.ear.end(),
      onDiscard: () => this.ear.discard()
    };
    this.recorder = new Recorder(events, trans);
  }

  /** Looks what microphones there are, from now on. A card below a cell has no button, and need not. */
  watch(): void {
    window.addEventListener('blur', this.interrupt);
    document.addEventListener('visibilitychange', this.interrupt);
    navigator.mediaDevices?.addEventListener?.('devicechange', this.refreshDevices);
    void this.refreshDevices();
  }

  get device(): string {
    return recall('microphone');
  }

  set device(id: string) {
    remember('microphone', id);
    this.store.update({});
  }

  /** Takes what the kernel's settings say, for what this browser remembers no choice of. */
  introduce(about: About): void {
    this.about = about;
    this.gesture.clickOnly = this.mode === 'toggle';
  }

  get mode(): ListenMode {
    const kept = recall('listen') as ListenMode;
    return MODES.includes(kept) ? kept : (this.about?.listen ?? 'push');
  }

  set mode(mode: ListenMode) {
    if (this.store.snapshot.ui.microphone !== 'idle') {
      this.stop();
    }
    remember('listen', mode);
    this.gesture.clickOnly = mode === 'toggle';
    this.store.update({});
  }

  /** Whether short tones tell what the microphone does. */
  get earcons(): boolean {
    return recall('earcons') === '' ? (this.about?.earcons ?? true) : recall('earcons') === 'yes';
  }

  set earcons(on: boolean) {
    remember('earcons', on ? 'yes' : 'no');
    this.store.update({});
  }

  /** @param atMs when; now, unless something was waited for meanwhile. */
  readonly press = (atMs = happenedAt()): void => {
    if (this.mode !== 'handsfree') {
      this.act(this.gesture.press(atMs));
    } else if (this.store.snapshot.ui.microphone === 'idle') {
      this.act('start');
    } else {
      this.stop(); // and what is being said ends with it
    }
  };

  readonly release = (): void => this.act(this.gesture.release(happenedAt()));

  /** The release will not be seen: window or pointer went elsewhere. */
  readonly interrupt = (): void => this.act(this.gesture.interrupt());

  /** A click without a press, as assistive technology makes it. */
  readonly toggle = (): void => {
    this.press();
    this.act(this.gesture.release(-Infinity));
  };

  readonly discard = (): void => {
    this.gesture.reset();
    this.recorder.discard();
  };

  readonly stop = (): void => {
    this.gesture.reset();
    void this.recorder.stop();
  };

  readonly refreshDevices = async (): Promise<void> => {
    this.store.update({ devices: await listDevices(this.trans).catch(() => []) });
  };

  dispose(): void {
    window.removeEventListener('blur', this.interrupt);
    document.removeEventListener('visibilitychange', this.interrupt);
    navigator.mediaDevices?.removeEventListener?.('devicechange', this.refreshDevices);
    if (this.store.snapshot.ui.microphone !== 'idle') {
      this.recorder.discard();
    }
  }

  private act(action: GestureAction): void {
    if (action === 'start') {
      const handsFree = this.mode === 'handsfree';
      this.store.update({ microphoneProblem: null, handsFree });
      void this.recorder.start(this.device, handsFree).then(() => {
        if (this.store.snapshot.ui.microphone === 'idle') {
          this.gesture.reset();
        }
      });
    } else if (action === 'stop') {
      void this.recorder.stop();
    }
  }

  private enter(phase: MicrophonePhase): void {
    if (phase === 'listening') {
      this.sound('opened');
      this.store.update({ microphone: phase, listeningSince: performance.now() });
      // The names of the devices can be read from now on.
      void this.refreshDevices();
      return;
    }
    if (phase === 'idle') {
      this.levels.length = 0;
      this.gesture.reset();
      if (this.store.snapshot.ui.listeningSince !== null || this.store.snapshot.ui.microphone === 'ending') {
        this.sound('closed');
      }
    }
    this.store.update({ microphone: phase, listeningSince: null, ...(phase === 'idle' ? { handsFree: false } : {}) });
  }
}
