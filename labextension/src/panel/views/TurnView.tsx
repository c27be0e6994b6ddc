/** One utterance: what was heard, how it was understood, and what came of it. */
import type { Task, Turn } from '../../messages.gen';
import { hasEnded, turnHasEnded } from '../store';
import type { Translator } from '../translation';
import { callText, duration, routeName, routeTitle, usageText } from '../wording';
import { Icon, type IconName, Spinner } from './Icon';
import { ProblemNote } from './Note';
import { Markdown } from './Outputs';
import { TaskCard } from './TaskCard';
import { usePanel } from './context';
import { memo } from './memo';

const ORIGIN_ICON: Record<Turn['origin'], IconName> = {
  voice: 'microphone',
  text: 'keyboard',
  magic: 'cell',
  script: 'cell',
  model: 'spark',
  retry: 'retry'
};

export function originName(origin: Turn['origin'], trans: Translator): string {
  switch (origin) {
    case 'voice':
      return trans.__('Spoken');
    case 'text':
      return trans.__('Typed');
    case 'magic':
      return trans.__('From a cell');
    case 'script':
      return trans.__('From a script');
    case 'model':
      return trans.__('From the model');
    case 'retry':
      return trans.__('Tried again');
  }
}

/** So many tasks of one turn are drawn here; the others are in the list of tasks. */
const MAX_CARDS = 8;

function Meta({ turn }: { turn: Turn }) {
  const { trans } = usePanel();
  const parts = [];
  if (turn.state === 'understanding') {
    parts.push(
      <span class="vk-busy">
        <Spinner /> {turn.partial || !turn.text ? trans.__('Transcribing') : trans.__('Understanding')}
      </span>
    );
  }
  if (turn.route) {
    parts.push(
      <span class={`vk-chip vk-route-${turn.route}`} title={routeTitle(turn.route, trans)} data-route={turn.route}>
        {routeName(turn.route, trans)}
      </span>
    );
  }
  if (turn.model) {
    parts.push(
      <span class="vk-turn-model" title={usageText(turn.usage, trans)} data-model={turn.model}>
        {turn.model}
      </span>
    );
  }
  if (turn.engine && turn.engine !== 'local') {
    parts.push(
      <span class="vk-turn-engine" title={trans.__('The speech engine that heard this')}>
        {turn.engine}
      </span>
    );
  }
  if (turn.latency_s !== null) {
    parts.push(<span title={trans.__('From the end of speech to its text')}>{duration(turn.latency_s, trans)}</span>);
  }
  if (turn.state === 'cancelled') {
    parts.push(<span>{trans.__('cancelled')}</span>);
  }
  if (turn.parent_id !== null) {
    parts.push(<span>{trans.__('started by another command')}</span>);
  }
  if (turn.calls.length > 0) {
    const text = turn.calls.map(callText).join(trans.__(', then '));
    parts.push(
      <code class="vk-calls" title={text}>
        {text}
      </code>
    );
  }
  return parts.length > 0 ? <p class="vk-meta">{parts}</p> : null;
}

function Transcript({ turn }: { turn: Turn }) {
  const { trans } = usePanel();
  if (!turn.text) {
    const waiting = turn.state === 'listening'
        ? trans.__('Listening…')
        : turn.state === 'understanding'
          ? '…'
          : trans.__('Nothing was heard.');
    return <h3 class="vk-transcript vk-partial">{waiting}</h3>;
  }
  if (!turn.partial) {
    return <h3 class="vk-transcript">{turn.text}</h3>;
  }
  return (
    <h3 class="vk-transcript vk-partial">
      {turn.settled > 0 && <span class="vk-settled">{turn.text.slice(0, turn.settled)}</span>}
      {turn.text.slice(turn.settled)}
    </h3>
  );
}

/** A turn that is not sure of what it heard: nothing is done before the answer. */
function Question({ turn }: { turn: Turn }) {
  const { send, trans } = usePanel();
  const answer = (yes: boolean): void => send({ type: 'answer_question', turn_id: turn.id, yes });
  return (
    <div class="vk-question" role="group" aria-label={turn.asks}>
      <p>{turn.asks}</p>
      <button type="button" class="vk-button vk-small vk-primary" onClick={() => answer(true)}>
        {trans.__('Yes')}
      </button>
      <button type="button" class="vk-button vk-small" onClick={() => answer(false)}>
        {trans.__('No')}
      </button>
    </div>
  );
}

function TurnActions({ turn }: { turn: Turn }) {
  const { send, store, hasComposer, trans } = usePanel();
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
          aria-label={trans.__('Stop “%1”', turn.text)}
          title={trans.__('Stop this command')}
          onClick={() => send({ type: 'cancel_turn', turn_id: turn.id })}
        >
          <Icon name="stop" />
        </button>
      )}
      <button
        type="button"
        class="vk-icon-button"
        aria-label={trans.__('Edit “%1”', turn.text)}
        title={trans.__('Edit the transcript and run it')}
        onClick={edit}
      >
        <Icon name="edit" />
      </button>
      <button
        type="button"
        class="vk-icon-button"
        aria-label={trans.__('Run “%1” again', turn.text)}
        title={trans.__('Run again')}
        onClick={() => send({ type: 'say', text: turn.text, corrects_turn_id: null })}
      >
        <Icon name="retry" />
      </button>
    </span>
  );
}

function Closest({ phrases }: { phrases: readonly string[] }) {
  const { store, hasComposer, trans } = usePanel();
  const fill = (phrase: string): void =>
    store.update({ draft: phrase, correcting: null, focusDraft: store.snapshot.ui.focusDraft + 1 });
  return (
    <div class="vk-closest">
      <p class="vk-hint">{trans.__('Did you mean')}</p>
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
  /** Whether so much goes on that cards open only where a person opens them. */
  readonly crowded: boolean;
}

/** A task is open while it matters: as it runs, when it failed, when it drew something, in the newest turn. */
function isOpen(task: Task, newest: boolean, crowded: boolean, chosen: boolean | undefined): boolean {
  const drew = task.result?.outputs.some(output => output.kind === 'display' || output.kind === 'result');
  return chosen ?? (newest || (!crowded && !hasEnded(task)) || task.state === 'failed' || drew === true || showsWidgets(task));
}

function showsWidgets(task: Task): boolean {
  return (task.result?.widgets.length ?? 0) > 0;
}

/** Of many tasks those that need a person, then those that go on, then the newest; in their order. */
function chosenCards(tasks: readonly Task[]): readonly Task[] {
  if (tasks.length <= MAX_CARDS) {
    return tasks;
  }
  const weight = (task: Task): number =>
    task.state === 'awaiting_approval' ? 3 : task.state === 'running' ? 2 : task.state === 'failed' ? 1 : 0;
  const chosen = [...tasks].sort((a, b) => weight(b) - weight(a) || b.id - a.id).slice(0, MAX_CARDS);
  return tasks.filter(task => chosen.includes(task));
}

export const TurnView = memo(function TurnView({ turn, tasks, skipped, opened, newest, crowded }: TurnViewProps) {
  const { send, store, hasComposer, trans } = usePanel();
  const origin = originName(turn.origin, trans);
  const cards = chosenCards(tasks);
  const left = tasks.length - cards.length;
  // What a task's card says already is not said twice.
  const told = tasks.some(task => task.problem?.message === turn.problem?.message);
  return (
    <article class="vk-turn" data-state={turn.state} data-turn={turn.id}>
      <div class="vk-turn-head">
        <span class="vk-origin" title={origin}>
          <Icon name={ORIGIN_ICON[turn.origin]} />
          <span class="vk-hidden">{origin}: </span>
        </span>
        <Transcript turn={turn} />
        <TurnActions turn={turn} />
      </div>
      <div class="vk-turn-body">
        <Meta turn={turn} />
        {turn.asks && !turnHasEnded(turn) && <Question turn={turn} />}
        {turn.kept_audio && hasComposer && (
          <button
            type="button"
            class="vk-button vk-small vk-hear-again"
            onClick={() => send({ type: 'hear_again', turn_id: turn.id })}
          >
            <Icon name="retry" />
            {trans.__('Recognise it again')}
          </button>
        )}
        {tasks.map(
          (task, index) =>
            cards.includes(task) && (
              <TaskCard
                key={task.id}
                task={task}
                skipped={skipped[index] ?? 0}
                open={isOpen(task, newest && tasks.length <= MAX_CARDS, crowded, opened[index])}
              />
            )
        )}
        {left > 0 &&
          (hasComposer ? (
            <button type="button" class="vk-link" onClick={() => store.update({ place: 'tasks' })}>
              {trans._n('%1 more task', '%1 more tasks', left)}
            </button>
          ) : (
            <p class="vk-hint">{trans._n('%1 more task', '%1 more tasks', left)}</p>
          ))}
        {turn.answer &&
          (turn.route === 'model' ? (
            <Markdown text={turn.answer} />
          ) : (
            <p class="vk-answer">{turn.answer}</p>
          ))}
        {turn.problem && !told && <ProblemNote problem={turn.problem} />}
        {turn.route === 'model' && turn.problem?.retryable && hasComposer && (
          <p>
            <button
              type="button"
              class="vk-button"
              onClick={() => send({ type: 'say', text: turn.text, corrects_turn_id: null })}
            >
              {trans.__('Try again')}
            </button>
          </p>
        )}
        {turn.closest.length > 0 && <Closest phrases={turn.closest} />}
      </div>
    </article>
  );
});
