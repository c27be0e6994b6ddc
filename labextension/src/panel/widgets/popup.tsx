/**
 * What opens beside a control: a list, a calendar. Above the page, so that nothing around it cuts it off.
 *
 * Responsible for its place, for the focus, and for closing it by Escape, by a click elsewhere and when the focus leaves. It
 * does not know what is in it. Only a person opens one; a widget cannot.
 */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

export const SIDES = ['top', 'bottom', 'left', 'right'] as const;
export const ALIGNMENTS = ['start', 'center', 'end'] as const;
export type Side = (typeof SIDES)[number];
export type Alignment = (typeof ALIGNMENTS)[number];

interface Extent {
  readonly width: number;
  readonly height: number;
}

interface Place {
  readonly left: number;
  readonly top: number;
}

const OPPOSITE = { top: 'bottom', bottom: 'top', left: 'right', right: 'left' } as const;
const GAP_PX = 4;
/** Kept free at the edges of the page. */
const EDGE_PX = 8;

/** Where a popup stands: on the side that is asked for, on the opposite one if it fits only there. */
export function placeOf(
  anchor: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number },
  popup: Extent,
  page: Extent,
  side: Side,
  align: Alignment
): Place {
  const room = { top: anchor.top, bottom: page.height - anchor.bottom, left: anchor.left, right: page.width - anchor.right };
  const fits = (at: Side): boolean =>
    room[at] >= (at === 'top' || at === 'bottom' ? popup.height : popup.width) + GAP_PX + EDGE_PX;
  const chosen = [side, OPPOSITE[side], 'bottom' as const, 'top' as const].find(fits) ?? side;
  const along = (from: number, to: number, size: number): number =>
    align === 'start' ? from : align === 'end' ? to - size : (from + to - size) / 2;
  const beside = chosen === 'left' || chosen === 'right';
  const left = beside
    ? chosen === 'left' ? anchor.left - popup.width - GAP_PX : anchor.right + GAP_PX
    : along(anchor.left, anchor.right, popup.width);
  const top = beside
    ? along(anchor.top, anchor.bottom, popup.height)
    : chosen === 'top' ? anchor.top - popup.height - GAP_PX : anchor.bottom + GAP_PX;
  const within = (value: number, size: number, most: number): number =>
    Math.max(EDGE_PX, Math.min(value, most - size - EDGE_PX));
  return { left: within(left, popup.width, page.width), top: within(top, popup.height, page.height) };
}

interface PopupProps {
  readonly id: string;
  /** The control it belongs to. */
  readonly anchor: { readonly current: HTMLElement | null };
  readonly side?: Side | undefined;
  readonly align?: Alignment | undefined;
  readonly label: string;
  /** Whether it is at least as wide as the control. */
  readonly wide?: boolean;
  /** @param byKey whether the focus is to go back to the control. */
  readonly onClose: (byKey: boolean) => void;
  readonly children: ComponentChildren;
}

export function Popup({ id, anchor, side = 'bottom', align = 'start', label, wide = false, onClose, children }: PopupProps) {
  const ref = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useLayoutEffect(() => {
    const [popup, control] = [ref.current, anchor.current];
    if (!popup || !control) {
      return;
    }
    // In the top layer; where a browser has none, it is fixed in the page.
    popup.showPopover?.();
    const put = (): void => {
      const box = control.getBoundingClientRect();
      popup.style.minWidth = wide ? `${box.width}px` : '';
      const { clientWidth: width, clientHeight: height } = document.documentElement;
      const place = placeOf(box, { width: popup.offsetWidth, height: popup.offsetHeight }, { width, height }, side, align);
      popup.style.left = `${place.left}px`;
      popup.style.top = `${place.top}px`;
    };
    const outside = (event: Event): void => {
      const path = event.composedPath();
      if (!path.includes(popup) && !path.includes(control)) {
        close.current(false);
      }
    };
    put();
    popup.querySelector<HTMLElement>('input, [tabindex="0"]')?.focus({ preventScroll: true });
    window.addEventListener('resize', put);
    window.addEventListener('scroll', put, true);
    document.addEventListener('pointerdown', outside, true);
    document.addEventListener('focusin', outside, true);
    return () => {
      window.removeEventListener('resize', put);
      window.removeEventListener('scroll', put, true);
      document.removeEventListener('pointerdown', outside, true);
      document.removeEventListener('focusin', outside, true);
    };
  }, [side, align, wide]);
  return (
    <div
      ref={ref}
      id={id}
      popover="manual"
      class="vk-w-popup"
      role="dialog"
      tabIndex={-1}
      aria-label={label}
      onKeyDown={event => {
        // None of it is for the form or the notebook around.
        event.stopPropagation();
        if (event.key === 'Escape') {
          event.preventDefault();
          close.current(true);
        }
      }}
    >
      {children}
    </div>
  );
}
