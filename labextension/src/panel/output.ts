/** What a task put out, as plain text that can be copied. Pure. */
import type { Task } from '../messages.gen';
import { withoutAnsi } from './ansi';

/** Empty when the task put nothing out, or only pictures. */
export function outputText({ result, tail }: Pick<Task, 'result' | 'tail'>): string {
  const outputs = (result?.outputs ?? []).map(output => output.text || output.data['text/plain'] || '').filter(Boolean);
  return withoutAnsi(result?.text || outputs.join('\n') || tail || result?.summary || '');
}
