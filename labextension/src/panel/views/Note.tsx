/** Something a person should know, with what to do next: notices, problems, connection troubles. */
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../messages.gen';
import { Icon, type IconName } from './Icon';

export type Tone = 'info' | 'warning' | 'error';

const ICON: Record<Tone, IconName> = { info: 'info', warning: 'hand', error: 'alert' };

export interface NoteProps {
  readonly tone: Tone;
  readonly message: string;
  readonly hint?: string;
  readonly onDismiss?: (() => void) | undefined;
  readonly children?: ComponentChildren;
}

export function Note({ tone, message, hint = '', onDismiss, children }: NoteProps) {
  return (
    <div class={`vk-note vk-note-${tone}`}>
      <Icon name={ICON[tone]} />
      <div class="vk-note-text">
        <p>{message}</p>
        {hint && <p class="vk-hint">{hint}</p>}
        {children}
      </div>
      {onDismiss && (
        <button type="button" class="vk-icon-button" aria-label="Dismiss" title="Dismiss" onClick={onDismiss}>
          <Icon name="cross" />
        </button>
      )}
    </div>
  );
}

export function ProblemNote({ problem }: { problem: Problem }) {
  return <Note tone="error" message={problem.message} hint={problem.hint} />;
}
