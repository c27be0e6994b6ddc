/**
 * Talking by a shortcut that a person can rebind: the key that starts it, let go, ends it.
 *
 * Lumino runs a command when keys go down and says nothing of their way up; that is watched here.
 */
import { happenedAt } from './panel/gesture';
import type { Microphone } from './panel/microphone';
import type { Sidebar } from './sidebar';

/** How long a connection that is being made is waited for. */
const CONNECT_MS = 5_000;

export class Talk {
  /** Whether the keys are down that began this; else they only repeat. */
  private down = false;
  private microphone: Microphone | null = null;

  constructor(private readonly sidebar: Sidebar) {}

  /** Starts listening, or ends it, as a click on the button does. */
  async toggle(): Promise<void> {
    (await usable(this.sidebar))?.toggle();
  }

  /** Listens until a key is let go. */
  async hold(): Promise<void> {
    if (this.down) {
      return;
    }
    this.down = true;
    const pressedAt = happenedAt();
    window.addEventListener('keyup', this.release, true);
    window.addEventListener('keydown', this.discard, true);
    window.addEventListener('blur', this.end);
    const microphone = await usable(this.sidebar);
    if (microphone && this.down) {
      this.microphone = microphone;
      microphone.press(pressedAt);
    }
  }

  private readonly release = (): void => this.end()?.release();

  private readonly discard = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.preventDefault();
      event.stopImmediatePropagation();
      this.end()?.discard();
    }
  };

  /** The microphone watches the window for itself: it ends when the window loses the focus. */
  private readonly end = (): Microphone | null => {
    const { microphone } = this;
    this.down = false;
    this.microphone = null;
    window.removeEventListener('keyup', this.release, true);
    window.removeEventListener('keydown', this.discard, true);
    window.removeEventListener('blur', this.end);
    return microphone;
  };
}

/** The active notebook's microphone, as soon as its kernel answers. */
function usable(sidebar: Sidebar): Promise<Microphone | null> {
  const look = (): Microphone | null => {
    const voice = sidebar.current;
    const { session, ui } = voice?.snapshot ?? {};
    const ready = ui?.connection === 'open' && session?.speech.state !== 'unavailable';
    return ready ? (voice?.controls?.microphone ?? null) : null;
  };
  const now = look();
  if (now) {
    return Promise.resolve(now);
  }
  return new Promise(resolve => {
    const done = (found: Microphone | null): void => {
      clearTimeout(timer);
      sidebar.changed.disconnect(onChange);
      resolve(found);
    };
    const onChange = (): void => {
      const found = look();
      if (found) {
        done(found);
      }
    };
    const timer = setTimeout(() => done(null), CONNECT_MS);
    sidebar.changed.connect(onChange);
  });
}
