/** Behaviour that views share: following the newest line, and a clock that ticks only while needed. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Pixels from the bottom within which a box still counts as being at its end. */
const NEAR = 32;
const HEAD_ROOM = 8;

export interface Following<T> {
  readonly ref: RefObject<T | null>;
  /** False once the person scrolled up. */
  readonly following: boolean;
  readonly follow: () => void;
}

/** Where a followed box rests: at its end, or at the head of its newest part if that is taller than the box. */
function restOf(box: HTMLElement, newest: string | undefined): number {
  const end = box.scrollHeight - box.clientHeight;
  const part = newest === undefined ? null : box.querySelector(newest);
  if (!part) {
    return end;
  }
  const head = part.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
  return Math.max(0, Math.min(end, head - HEAD_ROOM));
}

/**
 * Keeps a scrolling box at its end while it grows, unless the person scrolled away from it.
 * With `newest`, a selector, the head of that part is never pushed out of sight.
 */
export function useFollow<T extends HTMLElement>(dependency: unknown, newest?: string): Following<T> {
  const ref = useRef<T>(null);
  const pinned = useRef(true);
  const [following, setFollowing] = useState(true);
  const follow = (): void => {
    const box = ref.current;
    if (box) {
      pinned.current = true;
      box.scrollTop = restOf(box, newest);
    }
  };
  // Only ever down: whoever reads on below the head of a tall part is left there.
  const settle = (): void => {
    const box = ref.current;
    if (box && pinned.current) {
      box.scrollTop = Math.max(box.scrollTop, restOf(box, newest));
    }
  };
  useEffect(() => {
    const box = ref.current;
    if (!box) {
      return undefined;
    }
    const onScroll = (): void => {
      pinned.current = restOf(box, newest) - box.scrollTop < NEAR;
      setFollowing(pinned.current);
    };
    box.addEventListener('scroll', onScroll, { passive: true });
    // Images load and cards open after the render that brought them.
    const observer = new ResizeObserver(() => {
      settle();
    });
    observer.observe(box);
    if (box.firstElementChild) {
      observer.observe(box.firstElementChild);
    }
    return () => {
      box.removeEventListener('scroll', onScroll);
      observer.disconnect();
    };
  }, []);
  useLayoutEffect(settle, [dependency]);
  return { ref, following, follow };
}

/** Returns `Date.now()`, renewed every `everyMs` while `running`. */
export function useNow(running: boolean, everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!running) {
      return undefined;
    }
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [running, everyMs]);
  return now;
}
