/**
 * Keys that reach past the panel: the page-wide hold key, and the front end's own shortcuts.
 *
 * JupyterLab sees every key first, in the capture phase on the document: a bare `d d` on one of our buttons
 * would delete the cell it stands in. Lumino skips elements marked `data-lm-suppress-shortcuts`, so the mark
 * is set, just in time, for keys without Ctrl, Alt or Cmd; Ctrl+S still saves. Ctrl+F is ours while something
 * of ours can be searched (`data-vk-find`).
 */

export const HOLD_KEY = 'Ctrl+Shift+Space';

const MARK = 'data-lm-suppress-shortcuts';

export interface HoldKeyActions {
  /** Returns whether this panel takes the key. */
  press(): boolean;
  release(): void;
  /** Esc while it is held: the focus may be anywhere. */
  discard(): void;
}

export function guardShortcuts(root: HTMLElement): () => void {
  const onKeyDown = (event: KeyboardEvent): void => {
    const inside = event.target instanceof Node && root.contains(event.target);
    const runsTheCell = event.key === 'Enter';
    const bare = !event.ctrlKey && !event.metaKey && !event.altKey;
    const finds = event.key.toLowerCase() === 'f' && inside && root.querySelector('[data-vk-find]') !== null;
    root.toggleAttribute(MARK, inside && (bare || runsTheCell || finds));
  };
  window.addEventListener('keydown', onKeyDown, true);
  return () => window.removeEventListener('keydown', onKeyDown, true);
}

/** Listens for the hold key anywhere on the page; of several panels the first that takes it keeps it. */
export function listenForHoldKey(actions: HoldKeyActions): () => void {
  let held = false;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (held && event.key === 'Escape') {
      held = false;
      event.preventDefault();
      event.stopImmediatePropagation();
      actions.discard();
      return;
    }
    if (event.code !== 'Space' || !event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) {
      return;
    }
    if (held || (!event.repeat && actions.press())) {
      held = true;
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  };
  const onKeyUp = (event: KeyboardEvent): void => {
    // Whichever of the three is let go first ends the hold.
    if (held && (event.code === 'Space' || event.key === 'Control' || event.key === 'Shift')) {
      held = false;
      event.preventDefault();
      event.stopImmediatePropagation();
      actions.release();
    }
  };
  const onBlur = (): void => {
    held = false;
  };
  window.addEventListener('keydown', onKeyDown, true);
  window.addEventListener('keyup', onKeyUp, true);
  window.addEventListener('blur', onBlur);
  return () => {
    window.removeEventListener('keydown', onKeyDown, true);
    window.removeEventListener('keyup', onKeyUp, true);
    window.removeEventListener('blur', onBlur);
  };
}
