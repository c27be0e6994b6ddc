/** Asks before something goes for good; Escape, and what has the focus first, keep it. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './Icon';
import { usePanel } from './context';

interface SureProps {
  /** What the button says that does it. */
  readonly verb: string;
  readonly onDone: (sure: boolean) => void;
  /** The question. */
  readonly children: ComponentChildren;
}

export function Sure({ verb, onDone, children }: SureProps) {
  const { store, trans } = usePanel();
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  const id = `vk-sure-${store.id}`;
  return (
    <div
      class="vk-thread-delete"
      role="alertdialog"
      aria-labelledby={id}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.preventDefault();
          event.stopPropagation();
          onDone(false);
        }
      }}
    >
      <p id={id}>{children}</p>
      <div class="vk-form-buttons">
        <button ref={keep} type="button" class="vk-button vk-small" onClick={() => onDone(false)}>
          {trans.__('Keep')}
        </button>
        <button type="button" class="vk-button vk-small vk-danger" onClick={() => onDone(true)}>
          <Icon name="bin" /> {verb}
        </button>
      </div>
    </div>
  );
}
