/** What every view may use without being handed it: the way to the kernel, the store, the microphone. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ToKernel } from '../../messages.gen';
import type { Microphone } from '../microphone';
import type { Store } from '../store';

export interface PanelActions {
  readonly send: (message: ToKernel) => void;
  readonly store: Store;
  readonly microphone: Microphone;
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
