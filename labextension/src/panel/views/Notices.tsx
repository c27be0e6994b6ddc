/** What belongs to no turn: connection troubles, warnings of the configuration, notices of the kernel. */
import type { Snapshot } from '../store';
import { Note } from './Note';
import { usePanel } from './context';

function ConnectionNote({ snapshot }: { snapshot: Snapshot }) {
  const { trans } = usePanel();
  switch (snapshot.ui.connection) {
    case 'silent':
      return (
        <Note
          tone="warning"
          message={trans.__('The kernel does not answer.')}
          hint={trans.__(
            'If a cell has been running since before the panel opened, wait for it. Else restart the kernel and run %voice again.'
          )}
        />
      );
    case 'closed':
      return (
        <Note
          tone="warning"
          message={trans.__('The kernel of this panel is gone.')}
          hint={trans.__('It was restarted or shut down. Run the %voice cell again to open a new panel.')}
        />
      );
    case 'outdated':
      return (
        <Note
          tone="warning"
          message={trans.__('The kernel speaks a newer version than this page.')}
          hint={trans.__('Reload the page, then run %voice again.')}
        />
      );
    default:
      return null;
  }
}

export function Notices({ snapshot }: { snapshot: Snapshot }) {
  const { store, trans } = usePanel();
  const { session, ui } = snapshot;
  const warnings = (session.about?.warnings ?? []).filter(warning => !ui.dismissed.has(warning));
  const speech = session.speech;
  const speechKey = `speech:${speech.message}`;
  return (
    <div class="vk-notices">
      <ConnectionNote snapshot={snapshot} />
      {speech.state === 'unavailable' && !ui.dismissed.has(speechKey) && (
        <Note
          tone="warning"
          message={speech.message || trans.__('Speech recognition is not available.')}
          hint={speech.hint}
          onDismiss={() => store.update({ dismissed: new Set(ui.dismissed).add(speechKey) })}
        />
      )}
      {warnings.map(warning => (
        <Note
          key={warning}
          tone="warning"
          message={warning}
          onDismiss={() => store.update({ dismissed: new Set(ui.dismissed).add(warning) })}
        />
      ))}
      {session.notices.map(notice => (
        <Note
          key={notice.key}
          tone={notice.level}
          message={notice.message}
          hint={notice.hint}
          onDismiss={() => store.dismiss(notice.key)}
        />
      ))}
    </div>
  );
}
