/** One MCP server: what it does, what it offers, and everything that can be done with it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { McpEntry, McpServer, McpTool, Problem, ServerDetails } from '../../../messages.gen';
import { Icon, Note, SheetFrame, Spinner, Sure, problemOf, usePanel } from '../../shared';
import type { Snapshot } from '../../store';
import { moment } from '../../wording';
import { ServerState, Uptime } from './ServerState';
import { useServers } from './Servers';
import { type Acting, useActing } from './acting';

/** Asks for what a server offers, anew whenever that may have changed. */
function useDetails(server: McpServer | null): { details: ServerDetails | null; problem: Problem | null } {
  const { requests } = usePanel();
  const [found, setFound] = useState<{ details: ServerDetails | null; problem: Problem | null }>({ details: null, problem: null });
  const name = server?.name;
  useEffect(() => {
    if (name === undefined) {
      return undefined;
    }
    let wanted = true;
    requests.ask('read_server', { server: name }).then(
      details => wanted && setFound({ details, problem: null }),
      (error: unknown) => wanted && setFound(now => ({ ...now, problem: problemOf(error) }))
    );
    return () => void (wanted = false);
  }, [name, server?.state, server?.tools, server?.tools_off]);
  return found;
}

function ToolRow({ tool, server, act }: { tool: McpTool; server: string; act: Acting['act'] }) {
  const { trans } = usePanel();
  const [on, setOn] = useState(tool.on);
  useEffect(() => setOn(tool.on), [tool]);
  const toggle = (): void => {
    setOn(!on);
    const text = on ? trans.__('Switch off the tool %1 of %2', tool.name, server) : trans.__('Switch on the tool %1 of %2', tool.name, server);
    act(text, 'mcp_toggle_tool', { name: server, tool: tool.name, on: !on });
  };
  return (
    <li class="vk-server-tool" data-tool={tool.name}>
      <label class="vk-check">
        <input type="checkbox" role="switch" checked={on} onChange={toggle} />
        <span>
          <code>{tool.name}</code>
          {tool.arguments.length > 0 && <span class="vk-server-arguments"> ({tool.arguments.join(', ')})</span>}
          {tool.hint === 'reads' && <span class="vk-server-mark">{trans.__('only reads')}</span>}
          {tool.hint === 'destroys' && <span class="vk-server-mark vk-tone-warning">{trans.__('destroys, so it asks')}</span>}
          {tool.description && <span class="vk-hint">{tool.description}</span>}
        </span>
      </label>
    </li>
  );
}

function Secret({ server, name, place, missing }: { server: string; name: string; place: string; missing: boolean }) {
  const { requests, say, trans } = usePanel();
  const box = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [kept, setKept] = useState(false);
  const keep = async (): Promise<void> => {
    const value = box.current?.value ?? '';
    if (!value) {
      return;
    }
    try {
      await requests.ask('keep_secret', { server, name, value });
      setProblem(null);
      setKept(true);
      say(trans.__('%1 is kept.', name));
    } catch (error) {
      setProblem(problemOf(error));
    }
    // It is nowhere in the page once it is kept.
    if (box.current) {
      box.current.value = '';
    }
  };
  return (
    <form
      class="vk-server-secret"
      onSubmit={event => {
        event.preventDefault();
        void keep();
      }}
    >
      <label class="vk-server-field">
        <span>
          <code>{name}</code> {missing && !kept ? <span class="vk-tone-warning">{trans.__('has no value yet')}</span> : trans.__('is set')}
        </span>
        <span class="vk-server-pair">
          <input ref={box} type="password" autocomplete="off" spellcheck={false} title={trans.__('Kept in %1', place)} />
          <button type="submit" class="vk-button vk-small" aria-label={trans.__('Keep %1', name)}>
            {trans.__('Keep')}
          </button>
        </span>
      </label>
      {problem && <Note tone="warning" message={problem.message} hint={problem.hint} />}
    </form>
  );
}

/** The page to sign in on; where the kernel is elsewhere, a way to hand over where that led. */
function SignIn({ server, page }: { server: string; page: string }) {
  const { requests, trans } = usePanel();
  const box = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const finish = async (): Promise<void> => {
    const address = box.current?.value ?? '';
    if (!address) {
      return;
    }
    try {
      await requests.ask('finish_sign_in', { server, address });
      setProblem(null);
    } catch (error) {
      setProblem(problemOf(error));
    }
    if (box.current) {
      box.current.value = '';
    }
  };
  return (
    <Note tone="warning" message={trans.__('This server wants you to sign in.')} hint={trans.__('A page of its own opens; come back here afterwards.')}>
      <a class="vk-link" href={page} target="_blank" rel="noopener noreferrer">
        {trans.__('Sign in')}
      </a>
      <form
        class="vk-server-secret"
        onSubmit={event => {
          event.preventDefault();
          void finish();
        }}
      >
        <label class="vk-server-field">
          <span>{trans.__('Did it end on a page that cannot be shown, since the kernel is on another machine? Paste its address:')}</span>
          <span class="vk-server-pair">
            <input ref={box} type="text" autocomplete="off" spellcheck={false} />
            <button type="submit" class="vk-button vk-small">
              {trans.__('Finish')}
            </button>
          </span>
        </label>
      </form>
      {problem && <p class="vk-hint">{`${problem.message} ${problem.hint}`}</p>}
    </Note>
  );
}

function Entries({ title, entries }: { title: string; entries: readonly McpEntry[] }) {
  if (entries.length === 0) {
    return null;
  }
  return (
    <>
      <h4 class="vk-server-head">
        {title} <span class="vk-count">{entries.length}</span>
      </h4>
      <ul>
        {entries.map(entry => (
          <li key={entry.name} class="vk-server-tool">
            <code>{entry.name}</code>
            {entry.arguments.length > 0 && <span class="vk-server-arguments"> ({entry.arguments.join(', ')})</span>}
            <span class="vk-hint">{entry.description || entry.title}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function Remove({ server, onDone }: { server: string; onDone: (sure: boolean) => void }) {
  const { trans } = usePanel();
  return (
    <Sure verb={trans.__('Remove')} onDone={onDone}>
      <b>{trans.__('Remove “%1”?', server)}</b> {trans.__('Its secrets are forgotten with it.')}
    </Sure>
  );
}

function Facts({ server }: { server: McpServer }) {
  const { trans } = usePanel();
  const facts: readonly (readonly [string, preact.ComponentChildren])[] = [
    [server.transport === 'stdio' ? trans.__('Runs') : trans.__('Address'), <code>{server.what}</code>],
    [trans.__('Version'), server.version],
    [trans.__('From'), server.registry_name],
    [trans.__('Process'), server.pid === null ? '' : String(server.pid)],
    [trans.__('Started'), server.started_at === null ? '' : moment(server.started_at, trans)],
    [trans.__('Calls'), server.calls === 0 ? '' : trans.__('%1, %2 with an error', server.calls, server.errors)]
  ];
  return (
    <dl class="vk-facts">
      {facts
        .filter(([, value]) => value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function ServerPage({ snapshot, name }: { snapshot: Snapshot; name: string }) {
  const { store, trans } = usePanel();
  const known = useServers(snapshot);
  const server = known?.servers.find(each => each.name === name) ?? null;
  const { details, problem } = useDetails(server);
  const { act, task, busy } = useActing(snapshot);
  const [removing, setRemoving] = useState(false);
  const body = useRef<HTMLDivElement>(null);
  const seen = useRef(false);
  useEffect(() => {
    if (seen.current && known !== null && server === null) {
      store.close(); // it was removed, here or elsewhere
    }
    seen.current ||= server !== null; // what was known before may be older than the server
  }, [known, server === null]);
  // Stopped meanwhile, it would be started again nevertheless.
  const restarting = busy && task?.tool === 'mcp_restart';
  const alive = server !== null && ['starting', 'running', 'waiting'].includes(server.state);
  const button = (icon: Parameters<typeof Icon>[0]['name'], word: string, onClick: () => void, first = false, off = false) => (
    <button type="button" class="vk-button vk-small" data-vk-first={first} aria-disabled={off} onClick={() => off || onClick()}>
      <Icon name={icon} /> {word}
    </button>
  );
  return (
    <SheetFrame
      title={
        <>
          {name} {server && <ServerState server={server} />} {server && <Uptime server={server} />}
        </>
      }
      tools={(busy || server === null) && <Spinner />}
    >
      <div class="vk-sheet-body" ref={body} tabIndex={0} role="group" aria-label={trans.__('Server %1', name)}>
        {server && (
          <>
            {server.sign_in && <SignIn server={name} page={server.sign_in} />}
            {server.problem && <Note tone="error" message={server.problem} hint={trans.__('Its log may say more.')} />}
            {task?.problem && task.problem.message !== server.problem && (
              <Note tone="warning" message={task.problem.message} hint={task.problem.hint} />
            )}
            <div class="vk-actions">
              {alive
                ? button('stop', trans.__('Stop'), () => act(trans.__('Stop the server %1', name), 'mcp_stop', { name }), true, restarting)
                : button('send', trans.__('Start'), () => act(trans.__('Start the server %1', name), 'mcp_start', { name }), true, server.missing.length > 0)}
              {alive && button('retry', trans.__('Restart'), () => act(trans.__('Restart the server %1', name), 'mcp_restart', { name }), false, restarting)}
              {button('lines', trans.__('Log'), () => store.open({ name: 'server_log', server: name }))}
              {button('bin', trans.__('Remove…'), () => setRemoving(true))}
            </div>
            {removing && (
              <Remove
                server={name}
                onDone={sure => {
                  setRemoving(false);
                  if (sure) {
                    act(trans.__('Remove the server %1', name), 'mcp_remove', { name });
                  }
                  body.current?.focus();
                }}
              />
            )}
            {server.secrets.map(secret => (
              <Secret key={secret} server={name} name={secret} place={known?.secrets_place ?? ''} missing={server.missing.includes(secret)} />
            ))}
            <label class="vk-check">
              <input
                type="checkbox"
                checked={server.autostart}
                onChange={event => {
                  const on = event.currentTarget.checked;
                  act(on ? trans.__('Start %1 with every session', name) : trans.__('Do not start %1 with every session', name), 'mcp_autostart', { name, on });
                }}
              />
              <span>{trans.__('Start with every session')}</span>
            </label>
            <Facts server={server} />
          </>
        )}
        {problem && <Note tone="warning" message={problem.message} hint={problem.hint} />}
        {details && (
          <>
            <h4 class="vk-server-head">
              {trans.__('Tools')} <span class="vk-count">{details.tools.length}</span>
            </h4>
            {details.tools.length === 0 && <p class="vk-hint">{trans.__('They are known once it runs.')}</p>}
            <ul>
              {details.tools.map(tool => (
                <ToolRow key={tool.name} tool={tool} server={name} act={act} />
              ))}
            </ul>
            <Entries title={trans.__('Prompts')} entries={details.prompts} />
            <Entries title={trans.__('Resources')} entries={details.resources} />
          </>
        )}
      </div>
    </SheetFrame>
  );
}
