/** The choice to be told when a long task has ended: on the screen, aloud, or not at all. */
import { useState } from 'preact/hooks';
import type { Snapshot } from '../store';
import { span } from '../wording';
import { Note } from './Note';
import { SheetFrame } from './Sheets';
import { usePanel } from './context';

export function Notifications({ snapshot }: { snapshot: Snapshot }) {
  const { notifier, store, trans } = usePanel();
  const [permission, setPermission] = useState(notifier.permission);
  const after = snapshot.session.about?.notify_after_s ?? 20;
  return (
    <SheetFrame title={trans.__('When a long task ends')} shape="menu" side="end">
      <div class="vk-sheet-body vk-form">
        <label class="vk-check">
          <input
            type="checkbox"
            data-vk-first
            checked={notifier.shows}
            disabled={permission === 'unsupported'}
            onChange={event => {
              void notifier.show(event.currentTarget.checked).then(now => {
                setPermission(now);
                store.update({});
              });
            }}
          />
          <span>{trans.__('Show a notification of the browser')}</span>
        </label>
        {permission === 'denied' && (
          <Note
            tone="warning"
            message={trans.__('The browser does not let this page show notifications.')}
            hint={trans.__('Click the icon to the left of the address and allow them, then switch this on again.')}
          />
        )}
        {permission === 'unsupported' && (
          <Note
            tone="info"
            message={trans.__('The browser has no notifications for this page.')}
            hint={trans.__('They need https, or an address on this machine.')}
          />
        )}
        {notifier.canSpeak && (
          <label class="vk-check">
            <input
              type="checkbox"
              checked={notifier.speaks}
              onChange={event => {
                notifier.speaks = event.currentTarget.checked;
                store.update({});
              }}
            />
            <span>{trans.__('Say it aloud')}</span>
          </label>
        )}
        <p class="vk-hint">
          {trans.__(
            'For tasks that take longer than %1. What is shown and said names the kind of task and how it went, never a command, code or output. This browser remembers the choice.',
            span(after, trans)
          )}
        </p>
      </div>
    </SheetFrame>
  );
}
