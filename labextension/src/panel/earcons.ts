/**
 * Short tones that tell what the microphone does, for whoever does not look at the panel.
 *
 * Generated, never louder than speech, and no file. They know when to sound from what changes; not who changes it.
 */
import type { ToSurface, Turn } from '../messages.gen';
import type { Session } from './store';

export type Earcon = 'opened' | 'closed' | 'woken' | 'heard' | 'asks';

const PEAK = 0.07;
const TONE_S = 0.07;
/** Hertz, one after the other: up where it opens, down where it closes. */
const TONES: Record<Earcon, readonly number[]> = {
  opened: [587, 880],
  closed: [880, 587],
  woken: [659, 988],
  heard: [988],
  asks: [740, 740]
};

/** What a message is worth a tone for, to a page that listens hands-free. */
export function earconOf(before: Session, message: ToSurface, surfaceId: string): Earcon | null {
  if (message.type === 'speech') {
    return message.speech.hands_free && before.speech.waiting_for && !message.speech.waiting_for ? 'woken' : null;
  }
  if (message.type !== 'turn' || message.turn.origin !== 'voice' || message.turn.surface_id !== surfaceId) {
    return null;
  }
  const { turn } = message;
  const known = before.turns.get(turn.id);
  if (turn.asks && !known?.asks) {
    return 'asks';
  }
  return isTaken(turn) && !(known && isTaken(known)) ? 'heard' : null;
}

/** Whether a turn's words are complete and mean something. */
function isTaken(turn: Turn): boolean {
  return turn.calls.length > 0 || turn.route === 'model';
}

export class Earcons {
  private context: AudioContext | null = null;

  constructor(private readonly wanted: () => boolean) {}

  play(earcon: Earcon): void {
    if (!this.wanted() || typeof AudioContext === 'undefined') {
      return;
    }
    try {
      const context = (this.context ??= new AudioContext());
      void context.resume();
      TONES[earcon].forEach((hertz, index) => tone(context, hertz, context.currentTime + 0.01 + index * TONE_S));
    } catch {
      // No sound device: what is heard is shown as well.
    }
  }

  dispose(): void {
    void this.context?.close();
    this.context = null;
  }
}

function tone(context: AudioContext, hertz: number, at: number): void {
  const oscillator = new OscillatorNode(context, { frequency: hertz });
  const gain = new GainNode(context, { gain: 0 });
  oscillator.connect(gain).connect(context.destination);
  // Without a slope at both ends it clicks.
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(PEAK, at + 0.012);
  gain.gain.linearRampToValueAtTime(0, at + TONE_S);
  oscillator.start(at);
  oscillator.stop(at + TONE_S);
}
