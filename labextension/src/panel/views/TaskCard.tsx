/** One task in the conversation: what it does, how far it is, what it gave back, how to stop or repeat it. */
import type { Task } from '../../messages.gen';
import { queuePlace } from '../wording';
import { TaskBody } from './TaskBody';
import { Elapsed, ProgressBar, QueueMoves, StateMark, StopOrRetry, Title } from './TaskParts';
import { usePanel } from './context';
import { memo } from './memo';

export interface TaskCardProps {
  readonly task: Task;
  readonly skipped: number;
  /** Whether the person, or the task's own state, has it open. */
  readonly open: boolean;
}

export const TaskCard = memo(function TaskCard({ task, skipped, open }: TaskCardProps) {
  const { store, trans } = usePanel();
  const bodyId = `vk-task-${store.id}-${task.id}`;
  const toggle = (): void => {
    store.update({ opened: new Map(store.snapshot.ui.opened).set(task.id, !open) });
  };
  const place = queuePlace(task, trans);
  return (
    <section
      class="vk-task"
      data-state={task.state}
      data-task={task.id}
      aria-label={trans.__('Task %1', task.id)}
    >
      <div class="vk-task-head">
        <button type="button" class="vk-task-toggle" aria-expanded={open} aria-controls={bodyId} onClick={toggle}>
          <StateMark state={task.state} />
          <span class="vk-number" title={trans.__('Say “cancel task %1” or “retry task %1”', task.id)}>
            {task.id}
          </span>
          <span class="vk-task-title" title={task.title}>
            <Title task={task} />
          </span>
          {!open && task.result?.summary && <span class="vk-brief">{task.result.summary}</span>}
        </button>
        {task.earlier && <span class="vk-chip vk-wide">{trans.__('before the restart')}</span>}
        <Elapsed task={task} />
        <StopOrRetry task={task} />
      </div>
      {place && (
        <p class="vk-queue">
          <span>{place}</span>
          <QueueMoves task={task} />
        </p>
      )}
      <ProgressBar task={task} />
      <div id={bodyId} hidden={!open}>
        {open && <TaskBody task={task} skipped={skipped} />}
      </div>
    </section>
  );
});
