/** Something a person should know, with what to do next: notices, problems, connection troubles. */
import type { ComponentChildren } from 'preact';
import type { Problem } from '../../messages.gen';
import { Icon, type IconName } from './Icon';
import { usePanel } from './context';

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
  const { trans } = usePanel();
  return (
    <div class={`vk-note vk-note-${tone}`}>
      <Icon name={ICON[tone]} />
      <div class="vk-note-text">
        <p>{message}</p>
        {hint && <p class="vk-hint">{hint}</p>}
        {children}
      </div>
      {onDismiss && (
        <button
          type="button"
          class="vk-icon-button"
          aria-label={trans.__('Dismiss')}
          title={trans.__('Dismiss')}
          onClick={onDismiss}
        >
          <Icon name="cross" />
        </button>
      )}
    </div>
  );
}

/** A problem; one of a task that was interrupted is nobody's mistake. */
export function ProblemNote({ problem, tone = 'error' }: { problem: Problem; tone?: Tone }) {
  return <Note tone={tone} message={problem.message} hint={problem.hint} />;
}
