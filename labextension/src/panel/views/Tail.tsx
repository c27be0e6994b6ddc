/** The newest output of a task. One element, whatever its length: it may be redrawn ten times a second. */
import { memo } from './memo';
import { useMemo } from 'preact/hooks';
import { ansiToHtml } from '../ansi';
import { useFollow } from './hooks';

export interface TailProps {
  readonly text: string;
  readonly label: string;
}

export const Tail = memo(function Tail({ text, label }: TailProps) {
  const html = useMemo(() => ({ __html: ansiToHtml(text) }), [text]);
  const { ref } = useFollow<HTMLPreElement>(text);
  return (
    <pre ref={ref} class="vk-tail" tabIndex={0} role="group" aria-label={label} dangerouslySetInnerHTML={html} />
  );
});
