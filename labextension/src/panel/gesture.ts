/**
 * When a press means "listen while I hold" and when it means "listen until I press again".
 *
 * The gesture is pure: it sees presses, releases and the clock, and answers with what to do. It does not know which key
 * or pointer pressed.
 */

/** A press shorter than this latches: the microphone stays open until the next press. */
const CLICK_MS = 300;

export type GestureAction = 'start' | 'stop' | 'nothing';

export class HoldGesture {
  private pressedAt: number | null = null;
  private latched = false;

  /** @param clickOnly whether every press latches, for those who cannot hold a button. */
  constructor(public clickOnly = false) {}

  get isLatched(): boolean {
    return this.latched;
  }

  press(atMs: number): GestureAction {
    if (this.latched) {
      this.latched = false;
      return 'stop';
    }
    if (this.pressedAt !== null) {
      return 'nothing'; // a key that repeats
    }
    this.pressedAt = atMs;
    return 'start';
  }

  release(atMs: number): GestureAction {
    if (this.pressedAt === null) {
      return 'nothing';
    }
    const heldMs = atMs - this.pressedAt;
    this.pressedAt = null;
    if (this.clickOnly || heldMs < CLICK_MS) {
      this.latched = true;
      return 'nothing';
    }
    return 'stop';
  }

  /** The release will never be seen: focus or pointer went elsewhere. A latched microphone stays open. */
  interrupt(): GestureAction {
    if (this.pressedAt === null) {
      return 'nothing';
    }
    this.pressedAt = null;
    return 'stop';
  }

  /** The recording ended by itself. */
  reset(): void {
    this.pressedAt = null;
    this.latched = false;
  }
}

/**
 * When a person did what is handled now, in milliseconds of `performance.now()`.
 *
 * A page that is busy handles a press and its release late, one right after the other: by the clock, a long hold
 * would be a click, and leave the microphone open.
 */
export function happenedAt(): number {
  // Deprecated for libraries that may sit in a shadow tree; hosts and commands hand no event over.
  return window.event?.timeStamp ?? performance.now();
}
