/** The dashboard of MCP servers: each with its state, and the ways to more of them. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { McpServer, ServersChanged } from '../../../messages.gen';
import { Icon, Note, SheetFrame, Spinner, usePanel } from '../../shared';
import type { Snapshot } from '../../store';
import { ServerState, Uptime } from './ServerState';
import { useActing } from './acting';

/** Keeps the kernel telling of the servers while this is in the page; null until it has. */
export function useServers(snapshot: Snapshot): ServersChanged | null {
  const { send } = usePanel();
  const { servers, about } = snapshot.session;
  useEffect(() => {
    send({ type: 'watch_servers', on: true });
    return () => send({ type: 'watch_servers', on: false });
    // A kernel that has come back knows nothing of who watched.
  }, [about]);
  return servers;
}

function ServerRow({ server }: { server: McpServer }) {
  const { store, trans } = usePanel();
  const on = server.tools - server.tools_off;
  return (
    <li class="vk-row vk-server" data-server={server.name}>
      <button type="button" class="vk-row-main" onClick={() => store.open({ name: 'server', server: server.name })}>
        <span class="vk-row-title">{server.name}</span>
        <span class="vk-row-meta">
          <ServerState server={server} />
          {server.missing.length > 0 && <span class="vk-tone-warning">{trans.__('needs a secret')}</span>}
          <Uptime server={server} />
          {server.tools > 0 && <span>{trans._n('%1 tool', '%1 tools', on)}</span>}
          {server.errors > 0 && <span>{trans._n('%1 error', '%1 errors', server.errors)}</span>}
          {server.problem && server.state === 'failed' && <span class="vk-row-detail">{server.problem}</span>}
        </span>
      </button>
      <Icon name="chevron" />
    </li>
  );
}

function Import({ configs, snapshot, onDone }: { configs: readonly string[]; snapshot: Snapshot; onDone: () => void }) {
  const { trans } = usePanel();
  const [path, setPath] = useState(configs[0] ?? '');
  const { act, task, busy } = useActing(snapshot);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <form
      class="vk-server-form"
      onSubmit={event => {
        event.preventDefault();
        if (path.trim() && !busy) {
          act(trans.__('Import MCP servers from %1', path.trim()), 'mcp_import', { path: path.trim() });
        }
      }}
    >
      <label class="vk-server-field">
        <span>{trans.__('Configuration of another client')}</span>
        <input
          ref={box}
          type="text"
          list="vk-configs"
          value={path}
          placeholder={trans.__('e.g. ~/.cursor/mcp.json')}
          autocomplete="off"
          spellcheck={false}
          onInput={event => setPath(event.currentTarget.value)}
        />
      </label>
      <datalist id="vk-configs">
        {configs.map(config => (
          <option key={config} value={config} />
        ))}
      </datalist>
      <p class="vk-hint">
        {trans.__('Claude Desktop, Claude Code, Cursor, Windsurf, VS Code. Each server is asked about; keys among their settings become secrets.')}
      </p>
      {task?.result && <Note tone="info" message={task.result.summary} hint={task.result.text} />}
      {task?.problem && <Note tone="warning" message={task.problem.message} hint={task.problem.hint} />}
      <div class="vk-form-buttons">
        <button type="button" class="vk-button vk-small" onClick={onDone}>
          {task && !busy ? trans.__('Done') : trans.__('Cancel')}
        </button>
        <button type="submit" class="vk-button vk-small vk-primary" aria-disabled={busy || !path.trim()}>
          {busy && <Spinner />} {trans.__('Import')}
        </button>
      </div>
    </form>
  );
}

export function Servers({ snapshot }: { snapshot: Snapshot }) {
  const { store, trans } = usePanel();
  const known = useServers(snapshot);
  const [importing, setImporting] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const servers = known?.servers ?? [];
  return (
    <SheetFrame title={trans.__('MCP servers')} tools={known === null && <Spinner />}>
      <div class="vk-list-tools">
        <div class="vk-server-tools">
          <button type="button" class="vk-button vk-small vk-primary" data-vk-first onClick={() => store.open({ name: 'registry' })}>
            <Icon name="search" /> {trans.__('Find and install')}
          </button>
          <button ref={button} type="button" class="vk-button vk-small" aria-expanded={importing} onClick={() => setImporting(!importing)}>
            <Icon name="plus" /> {trans.__('Import')}
          </button>
        </div>
        {importing && (
          <Import
            configs={known?.configs ?? []}
            snapshot={snapshot}
            onDone={() => {
              setImporting(false);
              button.current?.focus();
            }}
          />
        )}
      </div>
      <div class="vk-scroll" role="group" aria-label={trans.__('MCP servers')} aria-busy={known === null} tabIndex={-1}>
        {known?.problem && <Note tone="warning" message={known.problem.message} hint={known.problem.hint} />}
        {known && !known.problem && servers.length === 0 && (
          <p class="vk-empty">
            {trans.__('No MCP server is here yet.')}
            <span class="vk-hint">{trans.__('Find one in the registry, or say: install the time server.')}</span>
          </p>
        )}
        <ul>
          {servers.map(server => (
            <ServerRow key={server.name} server={server} />
          ))}
        </ul>
      </div>
    </SheetFrame>
  );
}
