/** What every view may use without being handed it: the way to the kernel, the store, the microphone. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ToKernel } from '../../messages.gen';
import type { Microphone } from '../microphone';
import type { Notifier } from '../notify';
import type { PartShelf } from '../parts';
import type { Speaker } from '../speaker';
import type { Requests } from '../requests';
import type { Store } from '../store';
import type { Translator } from '../translation';

export interface PanelActions {
  readonly send: (message: ToKernel, buffers?: ArrayBuffer[]) => void;
  /** What has one answer: conversations, the history, logs. */
  readonly requests: Requests;
  /** What is loaded when it is first needed. */
  readonly parts: PartShelf;
  readonly store: Store;
  readonly notifier: Notifier;
  readonly trans: Translator;
  readonly microphone: Microphone;
  readonly speaker: Speaker;
  /** Tells screen readers, and nobody else. */
  readonly say: (text: string) => void;
  /** Whether there is a text box to put words into. */
  readonly hasComposer: boolean;
  /** Whether the host can lead to a cell. */
  readonly showsCells: boolean;
  /** Names the shortcut that listens while it is held; empty when there is none. */
  readonly holdKey: () => string;
}

export const PanelContext = createContext<PanelActions | null>(null);

export function usePanel(): PanelActions {
  const actions = useContext(PanelContext);
  if (!actions) {
    throw new Error('a view was drawn outside of mount()');
  }
  return actions;
}
