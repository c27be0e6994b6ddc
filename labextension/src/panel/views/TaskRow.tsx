/** One task as a row of a list, of the session or of the history. Its height is `rowHeight`'s. */
import type { Task } from '../../messages.gen';
import { lastLine, progressText, queuePlace } from '../wording';
import { Icon } from './Icon';
import { Bar, Elapsed, QueueMoves, StateMark, StopOrRetry, Title } from './TaskParts';
import { usePanel } from './context';
import { memo } from './memo';

export interface TaskRowProps {
  readonly task: Task;
  /** What else tells tasks of the history apart: when, and in which words it was asked for. */
  readonly when?: string;
  readonly said?: string;
  /** Whether an earlier kernel ran it, in the conversation that is open. */
  readonly earlier?: boolean;
  /** Its id in the list. */
  readonly id: number;
  readonly tabbable: boolean;
  readonly place: number;
  readonly places: number;
  readonly onOpen: () => void;
  readonly onLog: (() => void) | null;
  /** Replaces cancel and retry, which only this session's tasks have. */
  readonly onAgain?: (() => void) | undefined;
}

export const TaskRow = memo(
  function TaskRow({ task, when = '', said = '', earlier = false, id, tabbable, place, places, onOpen, onLog, onAgain }: TaskRowProps) {
    const { trans } = usePanel();
    const tabIndex = tabbable ? 0 : -1;
    const running = task.state === 'running';
    const detail = running
      ? task.progress && progressText(task.progress, trans)
      : (task.problem?.message ?? task.result?.summary);
    const words = [when, said && trans.__('“%1”', said), earlier && trans.__('before the restart')];
    const line = running ? lastLine(task.tail) : words.filter(Boolean).join(' · ');
    const queue = queuePlace(task, trans);
    const log = trans.__('Open log of task %1', task.id);
    const again = trans.__('Run task %1 again', task.id);
    return (
      <li
        class="vk-row"
        data-state={task.state}
        data-row={task.id}
        data-id={id}
        aria-posinset={place}
        aria-setsize={places}
      >
        <button type="button" class="vk-row-main" tabIndex={tabIndex} aria-haspopup="dialog" onClick={onOpen}>
          <span class="vk-row-title" title={task.title}>
            <Title task={task} />
          </span>
          <span class="vk-row-meta">
            <StateMark state={task.state} />
            <span class="vk-number">{task.id}</span>
            <Elapsed task={task} />
            {detail && <span class="vk-row-detail">{detail}</span>}
          </span>
        </button>
        <span class="vk-row-actions">
          {onLog && task.log_path && (
            <button type="button" class="vk-icon-button" tabIndex={tabIndex} aria-label={log} title={trans.__('Open log')} onClick={onLog}>
              <Icon name="lines" />
            </button>
          )}
          {onAgain ? (
            <button type="button" class="vk-icon-button" tabIndex={tabIndex} aria-label={again} title={trans.__('Run again')} onClick={onAgain}>
              <Icon name="retry" />
            </button>
          ) : (
            <StopOrRetry task={task} tabIndex={tabIndex} short />
          )}
        </span>
        {running && task.progress && (
          <span class="vk-row-bar">
            <Bar task={task} />
          </span>
        )}
        {line && <span class={running ? 'vk-row-line vk-row-output' : 'vk-row-line'}>{line}</span>}
        {queue && (
          <span class="vk-queue">
            <span>{queue}</span>
            <QueueMoves task={task} tabIndex={tabIndex} />
          </span>
        )}
      </li>
    );
  },
  ['onOpen', 'onLog', 'onAgain']
);
