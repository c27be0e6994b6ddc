/** Behaviour that views share: following the newest line, and a clock that ticks only while needed. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Pixels from the bottom within which a box still counts as being at its end. */
const NEAR = 32;

export interface Following<T> {
  readonly ref: RefObject<T | null>;
  /** False once the person scrolled up. */
  readonly following: boolean;
  readonly follow: () => void;
}

/** Keeps a scrolling box at its end while it grows, unless the person scrolled away from it. */
export function useFollow<T extends HTMLElement>(dependency: unknown): Following<T> {
  const ref = useRef<T>(null);
  const pinned = useRef(true);
  const [following, setFollowing] = useState(true);
  const follow = (): void => {
    const box = ref.current;
    if (box) {
      pinned.current = true;
      box.scrollTop = box.scrollHeight;
    }
  };
  useEffect(() => {
    const box = ref.current;
    if (!box) {
      return undefined;
    }
    const onScroll = (): void => {
      pinned.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
      setFollowing(pinned.current);
    };
    box.addEventListener('scroll', onScroll, { passive: true });
    // Images load and cards open after the render that brought them.
    const observer = new ResizeObserver(() => {
      if (pinned.current) {
        box.scrollTop = box.scrollHeight;
      }
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
  useLayoutEffect(() => {
    if (pinned.current) {
      follow();
    }
  }, [dependency]);
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
