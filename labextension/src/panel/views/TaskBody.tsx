/** What a task gave back: its problem, its result in the richest safe form, its newest output, its log. */
import type { PastTask, Task } from '../../messages.gen';
import { size } from '../wording';
import { CellLinks } from './CellLinks';
import { CopyButton } from './CopyButton';
import { Icon } from './Icon';
import { ProblemNote, type Tone } from './Note';
import { OutputView } from './Outputs';
import { Tail } from './Tail';
import { Tests } from './Tests';
import { TaskWidgets } from './Widgets';
import { usePanel } from './context';

/** Who was interrupted or cancelled did nothing wrong. */
const PROBLEM_TONE: Partial<Record<Task['state'], Tone>> = { interrupted: 'warning', cancelled: 'info' };

interface OutputNoteProps {
  readonly task: Task;
  readonly past: PastTask | null;
  readonly skipped: number;
  readonly inSheet: boolean;
}

function OutputNote({ task, past, skipped, inSheet }: OutputNoteProps) {
  const { store, trans } = usePanel();
  const notes: string[] = [];
  if (task.output_bytes > 0) {
    notes.push(trans.__('%1 of output', size(task.output_bytes, trans)));
  }
  if (skipped > 0) {
    notes.push(trans.__('%1 went by too fast to show', size(skipped, trans)));
  }
  if (task.log_cut_bytes > 0) {
    notes.push(trans.__("%1 past the log's limit were not kept", size(task.log_cut_bytes, trans)));
  }
  if (!task.log_path && notes.length === 0) {
    return null;
  }
  return (
    <div class="vk-output-note">
      {task.log_path && !inSheet && (
        <button
          type="button"
          class="vk-button vk-small"
          aria-label={trans.__('Open log of task %1', task.id)}
          onClick={() => store.open({ name: 'log', task, past })}
        >
          <Icon name="lines" /> {trans.__('Open log')}
        </button>
      )}
      {notes.length > 0 && <span>{notes.join(' · ')}</span>}
      {task.log_path && (
        <span class="vk-log">
          <span class="vk-log-path" title={task.log_path}>
            {/* Cut at its start, where paths are alike; the mark keeps the slashes in order. */}
            <bdi>{task.log_path}</bdi>
          </span>
          <CopyButton text={task.log_path} label={trans.__('Copy path of the log')} />
        </span>
      )}
    </div>
  );
}

function Code({ code }: { code: string }) {
  const { trans } = usePanel();
  return (
    <div class="vk-code">
      <pre class="vk-pre" tabIndex={0} role="group" aria-label={trans.__('Code')}>
        <code>{code}</code>
      </pre>
      <CopyButton text={code} label={trans.__('Copy code')} />
    </div>
  );
}

export interface TaskBodyProps {
  readonly task: Task;
  /** Set when the task is one of the history's. */
  readonly past?: PastTask | null;
  /** Bytes of output that were not shown. */
  readonly skipped?: number;
  /** Whether it stands below the task's buttons, which open the log already. */
  readonly inSheet?: boolean;
}

export function TaskBody({ task, past = null, skipped = 0, inSheet = false }: TaskBodyProps) {
  const { hasComposer, trans } = usePanel();
  const { result, problem } = task;
  const shown = result !== null && (result.tests !== null || result.outputs.length > 0 || result.text !== '');
  // A card in a cell stands right beside what the code put out there.
  const inCell = !hasComposer && (task.origin === 'magic' || task.origin === 'script') && task.area !== 'tasks';
  // The text of outputs is for programs; people have the real thing.
  const text = shown && result.outputs.length === 0 && result.widgets.length === 0 ? result.text : '';
  const tail = task.tail ? <Tail text={task.tail} label={trans.__('Output of task %1', task.id)} /> : null;
  return (
    <div class="vk-task-body">
      {problem && !(task.state === 'cancelled' && problem.kind === 'Cancelled') && (
        <ProblemNote problem={problem} tone={PROBLEM_TONE[task.state] ?? 'error'} />
      )}
      {result?.summary && !result.tests && result.summary !== problem?.message && (
        <p class="vk-summary">{result.summary}</p>
      )}
      {result && <CellLinks result={result} />}
      {result?.tests && <Tests report={result.tests} />}
      <TaskWidgets task={task} past={past} />
      {result?.code && <Code code={result.code} />}
      {!inCell && result?.outputs.map((output, index) => <OutputView key={index} output={output} />)}
      {text && (
        <pre class="vk-pre" tabIndex={0} role="group" aria-label={trans.__('Result of task %1', task.id)}>
          {text}
        </pre>
      )}
      {tail &&
        (shown ? (
          <details class="vk-fold">
            <summary>
              <Icon name="chevron" /> {trans.__('Output')}
            </summary>
            {tail}
          </details>
        ) : (
          tail
        ))}
      {result && !result.tests && result.exit_code !== null && result.exit_code !== 0 && (
        <p class="vk-exit">{trans.__('Exit code %1', result.exit_code)}</p>
      )}
      <OutputNote task={task} past={past} skipped={skipped} inSheet={inSheet} />
    </div>
  );
}
