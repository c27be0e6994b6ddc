/** One task: what it does, how far it is, what it gave back, and how to stop or repeat it. */
import type { Task } from '../../messages.gen';
import { hasEnded } from '../store';
import { TASK_STATE, clock, duration, size } from '../wording';
import { CellLinks } from './CellLinks';
import { CopyButton } from './CopyButton';
import { Icon, type IconName, Spinner } from './Icon';
import { ProblemNote } from './Note';
import { OutputView } from './Outputs';
import { Tail } from './Tail';
import { Tests } from './Tests';
import { usePanel } from './context';
import { useNow } from './hooks';
import { memo } from './memo';

const STATE_ICON: Record<Exclude<Task['state'], 'running'>, IconName> = {
  queued: 'clock',
  awaiting_approval: 'hand',
  succeeded: 'check',
  failed: 'cross',
  cancelled: 'minus',
  interrupted: 'stop'
};

function StateMark({ state }: { state: Task['state'] }) {
  return (
    <span class={`vk-state vk-state-${state}`}>
      {state === 'running' ? <Spinner /> : <Icon name={STATE_ICON[state]} />}
      <span class="vk-state-word">{TASK_STATE[state]}</span>
    </span>
  );
}

function Elapsed({ task }: { task: Task }) {
  const running = task.state === 'running' && task.started_at !== null;
  const now = useNow(running);
  if (task.started_at === null) {
    return null;
  }
  const seconds = (task.ended_at ?? now / 1_000) - task.started_at;
  return <span class="vk-elapsed">{running ? clock(seconds) : duration(seconds)}</span>;
}

function ProgressBar({ task }: { task: Task }) {
  if (task.state !== 'running' || !task.progress) {
    return null;
  }
  const { fraction, label } = task.progress;
  return (
    <div class="vk-progress">
      <progress aria-label={`Progress of task ${task.id}`} {...(fraction === null ? {} : { value: fraction })} max={1} />
      <span class="vk-progress-label">
        {label || (fraction === null ? '' : `${Math.round(fraction * 100)} %`)}
      </span>
    </div>
  );
}

function OutputNote({ task, skipped }: { task: Task; skipped: number }) {
  const notes: string[] = [];
  if (task.output_bytes > 0) {
    notes.push(`${size(task.output_bytes)} of output`);
  }
  if (skipped > 0) {
    notes.push(`${size(skipped)} went by too fast to show`);
  }
  if (task.log_cut_bytes > 0) {
    notes.push(`${size(task.log_cut_bytes)} past the log's limit were not kept`);
  }
  if (!task.log_path && notes.length === 0) {
    return null;
  }
  return (
    <div class="vk-output-note">
      {notes.length > 0 && <span>{notes.join(' · ')}</span>}
      {task.log_path && (
        <span class="vk-log">
          <span class="vk-log-path" title={task.log_path}>
            {/* Cut at its start, where paths are alike; the mark keeps the slashes in order. */}
            <bdi>{task.log_path}</bdi>
          </span>
          <CopyButton text={task.log_path} what="path of the log" />
        </span>
      )}
    </div>
  );
}

function Code({ code }: { code: string }) {
  return (
    <div class="vk-code">
      <pre class="vk-pre" tabIndex={0} role="group" aria-label="Code">
        <code>{code}</code>
      </pre>
      <CopyButton text={code} what="code" />
    </div>
  );
}

function Body({ task, skipped }: { task: Task; skipped: number }) {
  const { hasComposer } = usePanel();
  const { result, problem } = task;
  const shown = result !== null && (result.tests !== null || result.outputs.length > 0 || result.text !== '');
  // A card in a cell stands right beside what the code put out there.
  const inCell = !hasComposer && (task.origin === 'magic' || task.origin === 'script');
  // The text of outputs and of a test report is for programs; people have the real thing.
  const text = shown && result.outputs.length === 0 && result.tests === null ? result.text : '';
  const tail = task.tail ? <Tail text={task.tail} label={`Output of task ${task.id}`} /> : null;
  return (
    <div class="vk-task-body">
      {problem && <ProblemNote problem={problem} />}
      {result?.summary && !result.tests && result.summary !== problem?.message && (
        <p class="vk-summary">{result.summary}</p>
      )}
      {result && <CellLinks result={result} />}
      {result?.tests && <Tests report={result.tests} />}
      {result?.code && <Code code={result.code} />}
      {!inCell && result?.outputs.map((output, index) => <OutputView key={index} output={output} />)}
      {text && (
        <pre class="vk-pre" tabIndex={0} role="group" aria-label={`Result of task ${task.id}`}>
          {text}
        </pre>
      )}
      {tail &&
        (shown ? (
          <details class="vk-fold">
            <summary>
              <Icon name="chevron" /> Output
            </summary>
            {tail}
          </details>
        ) : (
          tail
        ))}
      {result && !result.tests && result.exit_code !== null && result.exit_code !== 0 && (
        <p class="vk-exit">
          Exit code <b>{result.exit_code}</b>
        </p>
      )}
      <OutputNote task={task} skipped={skipped} />
    </div>
  );
}

export interface TaskCardProps {
  readonly task: Task;
  readonly skipped: number;
  /** Whether the person, or the task's own state, has it open. */
  readonly open: boolean;
}

export const TaskCard = memo(function TaskCard({ task, skipped, open }: TaskCardProps) {
  const { send, store, hasComposer } = usePanel();
  const ended = hasEnded(task);
  const bodyId = `vk-task-${store.id}-${task.id}`;
  const toggle = (): void => {
    store.update({ opened: new Map(store.snapshot.ui.opened).set(task.id, !open) });
  };
  return (
    <section class="vk-task" data-state={task.state} data-task={task.id} aria-label={`Task ${task.id}`}>
      <div class="vk-task-head">
        <button type="button" class="vk-task-toggle" aria-expanded={open} aria-controls={bodyId} onClick={toggle}>
          <StateMark state={task.state} />
          <span class="vk-number" title={`Say “cancel task ${task.id}” or “retry task ${task.id}”`}>
            {task.id}
          </span>
          <span class="vk-task-title" title={task.title}>
            {task.title}
          </span>
          {!open && task.result?.summary && <span class="vk-brief">{task.result.summary}</span>}
        </button>
        <Elapsed task={task} />
        {!ended && (
          <button
            type="button"
            class="vk-button vk-small"
            aria-label={`Cancel task ${task.id}`}
            onClick={() => send({ type: 'cancel_task', task_id: task.id })}
          >
            Cancel
          </button>
        )}
        {ended && hasComposer && (
          <button
            type="button"
            class="vk-icon-button"
            aria-label={`Retry task ${task.id}`}
            title="Retry"
            onClick={() => send({ type: 'retry_task', task_id: task.id })}
          >
            <Icon name="retry" />
          </button>
        )}
      </div>
      <ProgressBar task={task} />
      <div id={bodyId} hidden={!open}>
        {open && <Body task={task} skipped={skipped} />}
      </div>
    </section>
  );
});
