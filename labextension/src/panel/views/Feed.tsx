/** The conversation, newest at the bottom, following itself unless the person scrolled up. */
import { useState } from 'preact/hooks';
import type { Task } from '../../messages.gen';
import { type Snapshot, hasEnded } from '../store';
import { HERE, around } from '../translation';
import { Icon } from './Icon';
import { TurnView } from './TurnView';
import { usePanel } from './context';
import { useFollow } from './hooks';

/** Turns drawn at first, and with each "Earlier". */
const DRAWN = 60;
/** With more tasks under way than this, cards open only where a person opens them. */
const CROWD = 12;

/** Tasks by their turn, in the order in which they were made. */
function tasksByTurn(tasks: ReadonlyMap<number, Task>): Map<number, Task[]> {
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
  const { trans } = usePanel();
  const { session, ui } = snapshot;
  const grouped = tasksByTurn(session.tasks);
  const newest = turnIds[turnIds.length - 1];
  const earlier = turnIds.reduce(
    (last, id, index) => (grouped.get(id)?.some(task => task.earlier) ? index : last),
    -1
  );
  let open = 0;
  session.tasks.forEach(task => (open += hasEnded(task) ? 0 : 1));
  return (
    <ol class="vk-turns">
      {turnIds.map((id, index) => {
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
              crowded={open > CROWD}
            />
            {index === earlier && <p class="vk-divider">{trans.__('The kernel was restarted')}</p>}
          </li>
        ) : null;
      })}
    </ol>
  );
}

function FirstRun({ local }: { local: boolean }) {
  const { microphone, store, holdKey, trans } = usePanel();
  const keys = holdKey();
  const holds = microphone.mode === 'push';
  const examples = [
    trans.__('run the tests'),
    trans.__('show variables'),
    trans.__('list files'),
    trans.__('what can I say')
  ];
  const [before, after] = around(
    holds ? trans.__('Hold the button and say %1', HERE) : trans.__('Click the button and say %1', HERE)
  );
  const [hold, held] = around(
    holds ? trans.__('Or hold %1 anywhere on the page.', HERE) : trans.__('Or press %1 anywhere on the page.', HERE)
  );
  const fill = (phrase: string): void =>
    store.update({ draft: phrase, focusDraft: store.snapshot.ui.focusDraft + 1 });
  return (
    <div class="vk-first-run">
      <p class="vk-first-line">
        {before}
        <b>{trans.__('“%1”', examples[0])}</b>
        {after}
      </p>
      <p class="vk-hint">
        {keys && (
          <>
            {hold}
            <kbd>{keys}</kbd>
            {held}{' '}
          </>
        )}
        {trans.__('Or type below. Some things to say:')}
      </p>
      <ul class="vk-examples">
        {examples.map(phrase => (
          <li key={phrase}>
            <button type="button" class="vk-phrase" onClick={() => fill(phrase)}>
              {phrase}
            </button>
          </li>
        ))}
      </ul>
      {local && (
        <p class="vk-hint">
          {trans.__('Your voice becomes text where the kernel runs, and goes nowhere else.')}
        </p>
      )}
    </div>
  );
}

export function Feed({ snapshot }: { snapshot: Snapshot }) {
  const { trans } = usePanel();
  const { session, ui } = snapshot;
  const [drawn, setDrawn] = useState(DRAWN);
  const all = [...session.turns.keys()].sort((a, b) => a - b);
  const turnIds = all.slice(-drawn);
  const { ref, following, follow } = useFollow<HTMLDivElement>(session, '.vk-turns > li:last-child');
  const empty = turnIds.length === 0 && ui.connection === 'open';
  return (
    <div class="vk-feed-box">
      <div class="vk-feed" ref={ref} tabIndex={0} role="group" aria-label={trans.__('Conversation')}>
        <div>
          {empty && <FirstRun local={session.speech.engine === 'local'} />}
          {all.length > turnIds.length && (
            <button type="button" class="vk-link vk-earlier" onClick={() => setDrawn(drawn + DRAWN)}>
              {trans.__('Earlier (%1)', all.length - turnIds.length)}
            </button>
          )}
          {turnIds.length > 0 && <Turns snapshot={snapshot} turnIds={turnIds} />}
        </div>
      </div>
      {!following && (
        <button type="button" class="vk-button vk-newest" onClick={follow}>
          <Icon name="down" /> {trans.__('Newest')}
        </button>
      )}
    </div>
  );
}
