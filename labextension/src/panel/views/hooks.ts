/** Behaviour that views share: following the newest line, drawing a part of a long list, ticking, waiting. */
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../../messages.gen';
import type { PartName, Parts } from '../parts';
import { problemOf } from '../requests';
import { type Window, windowOf } from '../tasklist';
import { usePanel } from './context';

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
  /** Where it was put last: a scroll to there is ours, and comes after what has grown meanwhile. */
  const placed = useRef(0);
  const [following, setFollowing] = useState(true);
  const follow = (): void => {
    const box = ref.current;
    if (box) {
      pinned.current = true;
      box.scrollTop = restOf(box, newest);
      placed.current = box.scrollTop;
    }
  };
  // Only ever down: whoever reads on below the head of a tall part is left there.
  const settle = (): void => {
    const box = ref.current;
    if (box && pinned.current) {
      box.scrollTop = Math.max(box.scrollTop, restOf(box, newest));
      placed.current = box.scrollTop;
    }
  };
  useEffect(() => {
    const box = ref.current;
    if (!box) {
      return undefined;
    }
    const onScroll = (): void => {
      const ours = pinned.current && box.scrollTop === placed.current;
      pinned.current = ours || restOf(box, newest) - box.scrollTop < NEAR;
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

/** Draws only while `shown`; else what was drawn last stays, as it was. */
export function useFrozen(shown: boolean, draw: () => ComponentChildren): ComponentChildren {
  const drawn = useRef<ComponentChildren>(null);
  if (shown) {
    drawn.current = draw();
  }
  return drawn.current;
}

/** A value, once it has not changed for so long: a search that waits for the typing to pause. */
export function useSettled<T>(value: T, afterMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    if (value === settled) {
      return undefined;
    }
    const timer = setTimeout(() => setSettled(value), afterMs);
    return () => clearTimeout(timer);
  }, [value, settled]);
  return settled;
}

export interface Pages<T> {
  readonly items: readonly T[];
  /** Whether there are more than these. */
  readonly more: boolean;
  readonly problem: Problem | null;
  readonly loading: boolean;
  /** Asks anew or, with the last item, for those after it. The newest question counts. */
  readonly load: (last: T | null) => void;
  /** Changes the items where the kernel has been told to. */
  readonly change: (next: (items: readonly T[]) => readonly T[]) => void;
}

/** A list that the kernel answers in pages. */
export function usePages<T>(ask: (last: T | null) => Promise<{ items: readonly T[]; more: boolean }>): Pages<T> {
  const [found, setFound] = useState<Omit<Pages<T>, 'load' | 'change'>>({
    items: [],
    more: false,
    problem: null,
    loading: true
  });
  const asked = useRef(0);
  useEffect(() => () => void asked.current++, []);
  const load = async (last: T | null): Promise<void> => {
    const asking = ++asked.current;
    setFound(now => ({ ...now, loading: true }));
    let next: Partial<Pages<T>>;
    try {
      const { items, more } = await ask(last);
      next = { items, more, problem: null };
    } catch (error) {
      next = { problem: problemOf(error) };
    }
    if (asking === asked.current) {
      setFound(now => ({
        ...now,
        ...next,
        items: last !== null && next.items ? [...now.items, ...next.items] : (next.items ?? now.items),
        loading: false
      }));
    }
  };
  return {
    ...found,
    load: last => void load(last),
    change: next => setFound(now => ({ ...now, items: next(now.items) }))
  };
}

/** Pixels to scroll before the part of the list that is drawn is thought over. */
const STEP_PX = 60;

/** Which rows of a long list in a box that scrolls to draw, given the height of each. */
export function useWindow(ref: RefObject<HTMLElement | null>, heights: readonly number[]): Window {
  const [view, setView] = useState({ top: 0, height: 600 });
  useEffect(() => {
    const box = ref.current;
    if (!box) {
      return undefined;
    }
    const look = (): void =>
      setView(now => {
        const next = { top: box.scrollTop, height: box.clientHeight };
        const moved = Math.abs(next.top - now.top) >= STEP_PX || Math.abs(next.height - now.height) >= STEP_PX;
        return moved || (next.top === 0 && now.top !== 0) ? next : now;
      });
    look();
    box.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(box);
    return () => {
      box.removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, []);
  return windowOf(heights, view.top, view.height);
}

/** A part of the panel, loaded when it is first wanted; null until it is there, or when it cannot be had. */
export function usePart<N extends PartName>(name: N, wanted = true): Parts[N] | null {
  const { parts } = usePanel();
  const part = parts.get(name);
  const [, redraw] = useState(0);
  const missing = wanted && !part;
  useEffect(() => {
    if (!missing) {
      return undefined;
    }
    let here = true;
    const done = (): void => {
      if (here) {
        redraw(count => count + 1);
      }
    };
    // Without it there is still the plain text; whoever wants it next tries again.
    parts.fetch(name).then(done, (error: unknown) => console.warn(`Voice: ${name} could not be loaded.`, error));
    return () => {
      here = false;
    };
  }, [parts, name, missing]);
  return part ?? null;
}
