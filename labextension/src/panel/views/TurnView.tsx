/** One utterance: what was heard, how it was understood, and what came of it. */
import type { Task, Turn } from '../../messages.gen';
import { hasEnded, turnHasEnded } from '../store';
import { ROUTE, callText, duration } from '../wording';
import { Icon, type IconName, Spinner } from './Icon';
import { ProblemNote } from './Note';
import { Markdown } from './Outputs';
import { TaskCard } from './TaskCard';
import { usePanel } from './context';
import { memo } from './memo';

const ORIGIN: Record<Turn['origin'], { icon: IconName; name: string }> = {
  voice: { icon: 'microphone', name: 'Spoken' },
  text: { icon: 'keyboard', name: 'Typed' },
  magic: { icon: 'cell', name: 'From a cell' },
  script: { icon: 'cell', name: 'From a script' },
  model: { icon: 'spark', name: 'From the model' },
  retry: { icon: 'retry', name: 'Tried again' }
};

function Meta({ turn }: { turn: Turn }) {
  const parts = [];
  if (turn.state === 'understanding') {
    parts.push(
      <span class="vk-busy">
        <Spinner /> {turn.partial || !turn.text ? 'Transcribing' : 'Understanding'}
      </span>
    );
  }
  if (turn.route) {
    parts.push(
      <span class={`vk-chip vk-route-${turn.route}`} title={ROUTE[turn.route].title} data-route={turn.route}>
        {ROUTE[turn.route].name}
      </span>
    );
  }
  if (turn.latency_s !== null) {
    parts.push(<span title="From the end of speech to its text">{duration(turn.latency_s)}</span>);
  }
  if (turn.state === 'cancelled') {
    parts.push(<span>cancelled</span>);
  }
  if (turn.parent_id !== null) {
    parts.push(<span>started by another command</span>);
  }
  if (turn.calls.length > 0) {
    const text = turn.calls.map(callText).join(', then ');
    parts.push(
      <code class="vk-calls" title={text}>
        {text}
      </code>
    );
  }
  return parts.length > 0 ? <p class="vk-meta">{parts}</p> : null;
}

function Transcript({ turn }: { turn: Turn }) {
  if (!turn.text) {
    const waiting = turn.state === 'listening' ? 'Listening…' : turn.state === 'understanding' ? '…' : 'Nothing was heard.';
    return <h3 class="vk-transcript vk-partial">{waiting}</h3>;
  }
  return <h3 class={turn.partial ? 'vk-transcript vk-partial' : 'vk-transcript'}>{turn.text}</h3>;
}

function TurnActions({ turn }: { turn: Turn }) {
  const { send, store, hasComposer } = usePanel();
  if (!hasComposer || !turn.text || turn.partial) {
    return null;
  }
  const edit = (): void =>
    store.update({ draft: turn.text, correcting: turn.id, focusDraft: store.snapshot.ui.focusDraft + 1 });
  return (
    <span class="vk-turn-actions">
      {!turnHasEnded(turn) && (
        <button
          type="button"
          class="vk-icon-button"
          aria-label={`Stop “${turn.text}”`}
          title="Stop this command"
          onClick={() => send({ type: 'cancel_turn', turn_id: turn.id })}
        >
          <Icon name="stop" />
        </button>
      )}
      <button
        type="button"
        class="vk-icon-button"
        aria-label={`Edit “${turn.text}”`}
        title="Edit the transcript and run it"
        onClick={edit}
      >
        <Icon name="edit" />
      </button>
      <button
        type="button"
        class="vk-icon-button"
        aria-label={`Run “${turn.text}” again`}
        title="Run again"
        onClick={() => send({ type: 'say', text: turn.text, corrects_turn_id: null })}
      >
        <Icon name="retry" />
      </button>
    </span>
  );
}

function Closest({ phrases }: { phrases: readonly string[] }) {
  const { store, hasComposer } = usePanel();
  const fill = (phrase: string): void =>
    store.update({ draft: phrase, correcting: null, focusDraft: store.snapshot.ui.focusDraft + 1 });
  return (
    <div class="vk-closest">
      <p class="vk-hint">Did you mean</p>
      <ul>
        {phrases.map(phrase => (
          <li key={phrase}>
            {hasComposer ? (
              <button type="button" class="vk-phrase" onClick={() => fill(phrase)}>
                {phrase}
              </button>
            ) : (
              <span class="vk-phrase">{phrase}</span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

export interface TurnViewProps {
  readonly turn: Turn;
  readonly tasks: readonly Task[];
  /** Of each task in `tasks`: bytes that were not shown. */
  readonly skipped: readonly number[];
  /** Of each task in `tasks`: whether the person opened or closed it. */
  readonly opened: readonly (boolean | undefined)[];
  readonly newest: boolean;
}

/** A task is open while it matters: as it runs, when it failed, when it drew something, in the newest turn. */
function isOpen(task: Task, newest: boolean, chosen: boolean | undefined): boolean {
  const drew = task.result?.outputs.some(output => output.kind === 'display' || output.kind === 'result');
  return chosen ?? (newest || !hasEnded(task) || task.state === 'failed' || drew === true);
}

export const TurnView = memo(function TurnView({ turn, tasks, skipped, opened, newest }: TurnViewProps) {
  const origin = ORIGIN[turn.origin];
  // What a task's card says already is not said twice.
  const told = tasks.some(task => task.problem?.message === turn.problem?.message);
  return (
    <article class="vk-turn" data-state={turn.state} data-turn={turn.id}>
      <div class="vk-turn-head">
        <span class="vk-origin" title={origin.name}>
          <Icon name={origin.icon} />
          <span class="vk-hidden">{origin.name}: </span>
        </span>
        <Transcript turn={turn} />
        <TurnActions turn={turn} />
      </div>
      <div class="vk-turn-body">
        <Meta turn={turn} />
        {tasks.map((task, index) => (
          <TaskCard
            key={task.id}
            task={task}
            skipped={skipped[index] ?? 0}
            open={isOpen(task, newest, opened[index])}
          />
        ))}
        {turn.answer &&
          (turn.route === 'model' ? (
            <Markdown text={turn.answer} />
          ) : (
            <p class="vk-answer">{turn.answer}</p>
          ))}
        {turn.problem && !told && <ProblemNote problem={turn.problem} />}
        {turn.closest.length > 0 && <Closest phrases={turn.closest} />}
      </div>
    </article>
  );
});
