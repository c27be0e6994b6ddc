/** Copies a text and says so. */
import { useState } from 'preact/hooks';
import { copyText } from '../clipboard';
import { Icon } from './Icon';
import { usePanel } from './context';

export interface CopyButtonProps {
  readonly text: string | (() => string);
  /** What it copies, for its name: `Copy the command`. */
  readonly label: string;
  /** Whether the label is written on it. */
  readonly wordy?: boolean;
}

export function CopyButton({ text, label, wordy = false }: CopyButtonProps) {
  const { say, trans } = usePanel();
  const [copied, setCopied] = useState(false);
  const onClick = (): void => {
    copyText(typeof text === 'string' ? text : text()).then(
      () => {
        setCopied(true);
        say(trans.__('Copied'));
        setTimeout(() => setCopied(false), 1_500);
      },
      () => setCopied(false)
    );
  };
  const name = copied ? trans.__('Copied') : label;
  return wordy ? (
    <button type="button" class="vk-button vk-small" onClick={onClick}>
      <Icon name={copied ? 'check' : 'copy'} /> {name}
    </button>
  ) : (
    <button type="button" class="vk-icon-button vk-copy" aria-label={name} title={name} onClick={onClick}>
      <Icon name={copied ? 'check' : 'copy'} />
    </button>
  );
}
