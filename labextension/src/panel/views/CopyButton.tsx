/** Copies a text and says so. */
import { useState } from 'preact/hooks';
import { Icon } from './Icon';

async function copy(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Plain http has no clipboard API.
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  const onClick = (): void => {
    copy(text).then(
      () => {
        setCopied(true);
        setTimeout(() => setCopied(false), 1_500);
      },
      () => setCopied(false)
    );
  };
  const label = copied ? 'Copied' : `Copy ${what}`;
  return (
    <button type="button" class="vk-icon-button vk-copy" aria-label={label} title={label} onClick={onClick}>
      <Icon name={copied ? 'check' : 'copy'} />
    </button>
  );
}
