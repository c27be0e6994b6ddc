/** What a server does now, as a mark with a word, and what is worth knowing of it in a line. */
import type { McpServer } from '../../../messages.gen';
import { usePanel, useNow } from '../../shared';
import type { Translator } from '../../translation';
import { clock } from '../../wording';

const TONES: Record<McpServer['state'], string> = {
  stopped: 'quiet',
  asleep: 'quiet',
  starting: 'busy',
  waiting: 'warning',
  running: 'ok',
  failed: 'error'
};

function stateName(server: McpServer, trans: Translator): string {
  switch (server.state) {
    case 'stopped':
      return trans.__('stopped');
    case 'asleep':
      return trans.__('asleep');
    case 'starting':
      return server.sign_in ? trans.__('waiting for you') : trans.__('starting');
    case 'waiting':
      return trans.__('starting again');
    case 'running':
      return trans.__('running');
    case 'failed':
      return trans.__('failed');
  }
}

export function ServerState({ server }: { server: McpServer }) {
  const { trans } = usePanel();
  return (
    <span class={`vk-server-state vk-server-${TONES[server.state]}`} data-state={server.state}>
      <span class="vk-dot" aria-hidden="true" />
      {stateName(server, trans)}
    </span>
  );
}

/** For how long it has been running. */
export function Uptime({ server }: { server: McpServer }) {
  const { trans } = usePanel();
  const now = useNow(server.started_at !== null);
  return server.started_at === null ? null : <span>{trans.__('for %1', clock(Math.max(0, now / 1_000 - server.started_at)))}</span>;
}
