/** What a click on a server does: a call through the kernel's one door, as if it had been said. */
import { useState } from 'preact/hooks';
import type { Call, Task } from '../../../messages.gen';
import { usePanel } from '../../shared';
import { type Snapshot, hasEnded } from '../../store';

export interface Acting {
  /** Asks for a call; the text is what the conversation shows. */
  readonly act: (text: string, tool: string, args: Call['arguments']) => void;
  /** The newest task that was asked for here, once the kernel has made it. */
  readonly task: Task | null;
  readonly busy: boolean;
}

export function useActing(snapshot: Snapshot): Acting {
  const { send } = usePanel();
  const tasks = snapshot.session.tasks;
  /** The newest task there was when it was asked for, and the tool. */
  const [asked, setAsked] = useState<{ readonly after: number; readonly tool: string } | null>(null);
  let task: Task | null = null;
  for (const each of asked ? tasks.values() : []) {
    if (each.id > asked!.after && each.tool === asked!.tool) {
      task = each;
    }
  }
  return {
    act: (text, tool, args) => {
      setAsked({ after: Math.max(0, ...tasks.keys()), tool });
      send({ type: 'do', text, calls: [{ tool, arguments: args }] });
    },
    task,
    busy: asked !== null && (task === null || !hasEnded(task))
  };
}
