/** One turn on its own, below the cell that started it; Python replaces it by still HTML when it ends. */
import type { Announcement } from '../announce';
import type { Session, Snapshot } from '../store';
import { Approvals } from './Approvals';
import { Turns } from './Feed';
import { Spinner } from './Icon';
import { LiveRegions } from './LiveRegions';
import { Note } from './Note';
import { Sheets } from './Sheets';
import { usePanel } from './context';

/** The turn and those that were started inside it. */
function family(session: Session, turnId: number): number[] {
  const members = new Set([turnId]);
  for (const turn of session.turns.values()) {
    if (turn.parent_id !== null && members.has(turn.parent_id)) {
      members.add(turn.id);
    }
  }
  return [...members].filter(id => session.turns.has(id));
}

export interface CardProps {
  readonly snapshot: Snapshot;
  readonly turnId: number;
  readonly announcement: Announcement | null;
  readonly announced: number;
}

export function Card({ snapshot, turnId, announcement, announced }: CardProps) {
  const { store, trans } = usePanel();
  const { session, ui } = snapshot;
  const turnIds = family(session, turnId);
  const open = [...session.approvals.values()].filter(approval => {
    const task = session.tasks.get(approval.task_id);
    return approval.state === 'open' && task !== undefined && turnIds.includes(task.turn_id);
  });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && !event.defaultPrevented && store.snapshot.ui.sheets.length > 0) {
      event.preventDefault();
      store.close();
    }
  };
  return (
    <section class="vk-card" aria-label={trans.__('Voice command')} tabIndex={-1} onKeyDown={onKeyDown}>
      {ui.connection === 'connecting' && (
        <p class="vk-meta">
          <Spinner /> {trans.__('Connecting')}
        </p>
      )}
      {(ui.connection === 'closed' || ui.connection === 'silent') && (
        <Note
          tone="warning"
          message={trans.__('The kernel of this command is gone or does not answer.')}
          hint={trans.__('Run the cell again.')}
        />
      )}
      {turnIds.length > 0 && <Turns snapshot={snapshot} turnIds={turnIds} />}
      <Sheets snapshot={snapshot} />
      <Approvals approvals={open} />
      <LiveRegions announcement={announcement} announced={announced} />
    </section>
  );
}
