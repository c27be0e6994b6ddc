/**
 * Talking by a shortcut that a person can rebind: the key that starts it, let go, ends it.
 *
 * Lumino runs a command when keys go down and says nothing of their way up; that is watched here.
 */
import type { Microphone } from './panel/microphone';
import type { Sidebar } from './sidebar';

/** How long a connection that is being made is waited for. */
const CONNECT_MS = 5_000;

let holding: Microphone | null = null;

export async function talk(sidebar: Sidebar, held: boolean): Promise<void> {
  if (holding) {
    return; // the key repeats
  }
  let down = held;
  const onKeyUp = (): void => {
    down = false;
    stopWatching();
    holding?.release();
    holding = null;
  };
  const onBlur = (): void => {
    down = false;
    stopWatching();
    holding = null; // the microphone watches for this itself
  };
  const stopWatching = (): void => {
    window.removeEventListener('keyup', onKeyUp, true);
    window.removeEventListener('blur', onBlur);
  };
  if (held) {
    window.addEventListener('keyup', onKeyUp, true);
    window.addEventListener('blur', onBlur);
  }
  const microphone = await usable(sidebar);
  if (!microphone) {
    stopWatching();
  } else if (!held) {
    microphone.toggle();
  } else if (down) {
    holding = microphone;
    microphone.press();
  }
}

/** The active notebook's microphone, as soon as its kernel answers. */
function usable(sidebar: Sidebar): Promise<Microphone | null> {
  const look = (): Microphone | null => {
    const voice = sidebar.current;
    const ready = voice?.snapshot?.ui.connection === 'open' && voice.snapshot.session.speech.state !== 'unavailable';
    return ready ? (voice.controls?.microphone ?? null) : null;
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
