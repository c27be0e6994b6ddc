/** The conversation, newest at the bottom, following itself unless the person scrolled up. */
import type { Task } from '../../messages.gen';
import type { Snapshot } from '../store';
import { Icon } from './Icon';
import { TurnView } from './TurnView';
import { usePanel } from './context';
import { useFollow } from './hooks';

const EXAMPLES = ['run the tests', 'show variables', 'list files', 'what can I say'];

/** Tasks by their turn, in the order in which they were made. */
export function tasksByTurn(tasks: ReadonlyMap<number, Task>): Map<number, Task[]> {
  const grouped = new Map<number, Task[]>();
  for (const task of tasks.values()) {
    const group = grouped.get(task.turn_id);
    if (group) {
      group.push(task);
    } else {
      grouped.set(task.turn_id, [task]);
    }
  }
  return grouped;
}

export function Turns({ snapshot, turnIds }: { snapshot: Snapshot; turnIds: readonly number[] }) {
  const { session, ui } = snapshot;
  const grouped = tasksByTurn(session.tasks);
  const newest = turnIds[turnIds.length - 1];
  return (
    <ol class="vk-turns">
      {turnIds.map(id => {
        const turn = session.turns.get(id);
        const tasks = grouped.get(id) ?? [];
        return turn ? (
          <li key={id}>
            <TurnView
              turn={turn}
              tasks={tasks}
              skipped={tasks.map(task => session.skipped.get(task.id) ?? 0)}
              opened={tasks.map(task => ui.opened.get(task.id))}
              newest={id === newest}
            />
          </li>
        ) : null;
      })}
    </ol>
  );
}

function FirstRun({ local }: { local: boolean }) {
  const { store, holdKey } = usePanel();
  const keys = holdKey();
  const fill = (phrase: string): void =>
    store.update({ draft: phrase, focusDraft: store.snapshot.ui.focusDraft + 1 });
  return (
    <div class="vk-first-run">
      <p class="vk-first-line">
        Hold the button and say <b>“run the tests”</b>
      </p>
      <p class="vk-hint">
        {keys && (
          <>
            Or hold <kbd>{keys}</kbd> anywhere on the page.{' '}
          </>
        )}
        Or type below. Some things to say:
      </p>
      <ul class="vk-examples">
        {EXAMPLES.map(phrase => (
          <li key={phrase}>
            <button type="button" class="vk-phrase" onClick={() => fill(phrase)}>
              {phrase}
            </button>
          </li>
        ))}
      </ul>
      {local && <p class="vk-hint">Your voice becomes text where the kernel runs, and goes nowhere else.</p>}
    </div>
  );
}

export function Feed({ snapshot }: { snapshot: Snapshot }) {
  const { session, ui } = snapshot;
  const turnIds = [...session.turns.keys()].sort((a, b) => a - b);
  const { ref, following, follow } = useFollow<HTMLDivElement>(session, '.vk-turns > li:last-child');
  const empty = turnIds.length === 0 && ui.connection === 'open';
  return (
    <div class="vk-feed-box">
      <div class="vk-feed" ref={ref} tabIndex={0} role="group" aria-label="Conversation">
        <div>
          {empty && <FirstRun local={session.speech.engine === 'local'} />}
          {turnIds.length > 0 && <Turns snapshot={snapshot} turnIds={turnIds} />}
        </div>
      </div>
      {!following && (
        <button type="button" class="vk-button vk-newest" onClick={follow}>
          <Icon name="down" /> Newest
        </button>
      )}
    </div>
  );
}
