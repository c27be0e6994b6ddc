/** The registry of MCP servers: find one, see what it would run and what it asks, install it with consent. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { McpOffer, Problem } from '../../../messages.gen';
import { Icon, Note, SearchBox, SheetFrame, Spinner, problemOf, usePanel } from '../../shared';
import type { Snapshot } from '../../store';
import { useServers } from './Servers';
import { useActing } from './acting';

const TYPING_MS = 300;

interface OfferProps {
  readonly offer: McpOffer;
  readonly snapshot: Snapshot;
  readonly installed: boolean;
  readonly open: boolean;
  readonly onToggle: () => void;
}

function Offer({ offer, snapshot, installed, open, onToggle }: OfferProps) {
  const { store, trans } = usePanel();
  const { act, task, busy } = useActing(snapshot);
  const [answers, setAnswers] = useState<Readonly<Record<string, string>>>({});
  const asked = offer.questions.filter(question => !question.secret);
  const secrets = offer.questions.filter(question => question.secret);
  const unanswered = asked.filter(question => question.required && !(answers[question.name] ?? question.default));
  const off = busy || installed || offer.missing !== '' || unanswered.length > 0;
  const added = task?.state === 'succeeded' || (installed && task !== null && !busy);
  useEffect(() => {
    if (added) {
      store.update({ sheets: [{ name: 'servers' }, { name: 'server', server: offer.short }] });
    }
  }, [added]);
  const install = (): void => {
    const given = Object.fromEntries(Object.entries(answers).filter(([, value]) => value !== ''));
    act(trans.__('Install the MCP server %1', offer.name), 'mcp_install', { name: offer.name, answers: given });
  };
  return (
    <li class="vk-offer" data-offer={offer.name}>
      <button type="button" class="vk-row-main" aria-expanded={open} onClick={onToggle}>
        <span class="vk-row-title">
          {offer.short} <span class="vk-count">{offer.version}</span>
        </span>
        <span class="vk-offer-by">
          {offer.publisher}
          {installed && <b> · {trans.__('installed')}</b>}
        </span>
        <span class="vk-offer-text">{offer.description}</span>
      </button>
      {open && (
        <form
          class="vk-server-form"
          onSubmit={event => {
            event.preventDefault();
            if (!off) {
              install();
            }
          }}
        >
          <pre class="vk-offer-runs" tabIndex={0} role="group" aria-label={trans.__('What it would run')}>
            {offer.runs}
          </pre>
          {offer.repository && (
            <a class="vk-link" href={offer.repository} target="_blank" rel="noopener noreferrer">
              {trans.__('Its source')}
            </a>
          )}
          {asked.map(question => (
            <label key={question.name} class="vk-server-field">
              <span>
                <code>{question.name}</code> {question.required ? '' : trans.__('(may be left out)')} {question.description}
              </span>
              <input
                type="text"
                autocomplete="off"
                spellcheck={false}
                value={answers[question.name] ?? question.default}
                onInput={event => setAnswers({ ...answers, [question.name]: event.currentTarget.value })}
              />
            </label>
          ))}
          {secrets.length > 0 && (
            <p class="vk-hint">
              {trans.__('It will need %1: you enter that once it is installed, and it is never shown again.', secrets.map(secret => secret.name).join(', '))}
            </p>
          )}
          {offer.missing && <Note tone="warning" message={trans.__('It needs %1, which is not here.', offer.missing)} hint={offer.hint} />}
          {task?.problem && <Note tone="warning" message={task.problem.message} hint={task.problem.hint} />}
          <div class="vk-form-buttons">
            {busy && (
              <span class="vk-busy">
                <Spinner /> {task?.progress?.label || trans.__('looks at the card below')}
              </span>
            )}
            <button type="submit" class="vk-button vk-small vk-primary" aria-disabled={off} aria-label={trans.__('Install %1', offer.short)}>
              <Icon name="plus" /> {installed ? trans.__('Installed') : trans.__('Install…')}
            </button>
          </div>
        </form>
      )}
    </li>
  );
}

export function Registry({ snapshot }: { snapshot: Snapshot }) {
  const { requests, say, trans } = usePanel();
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<readonly McpOffer[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [loading, setLoading] = useState(false);
  const [open, setOpen] = useState('');
  const known = useServers(snapshot);
  const asking = useRef(0);
  const search = async (words: string): Promise<void> => {
    const asked = ++asking.current;
    setLoading(true);
    try {
      const { offers } = await requests.ask('search_registry', { query: words });
      if (asked === asking.current) {
        setFound(offers);
        setProblem(null);
        say(trans._n('%1 server found', '%1 servers found', offers.length));
      }
    } catch (error) {
      if (asked === asking.current) {
        setProblem(problemOf(error));
      }
    }
    if (asked === asking.current) {
      setLoading(false);
    }
  };
  useEffect(() => {
    const words = query.trim();
    if (!words) {
      asking.current++;
      setFound(null);
      setLoading(false);
      return undefined;
    }
    const timer = setTimeout(() => void search(words), TYPING_MS);
    return () => clearTimeout(timer);
  }, [query]);
  return (
    <SheetFrame title={trans.__('Find MCP servers')} tools={loading && <Spinner />}>
      <div class="vk-list-tools">
        <SearchBox value={query} label={trans.__('Search the registry')} onChange={setQuery} first />
        <p class="vk-hint">{trans.__('From %1. Anyone can publish there: look at what a server would run, and who it is from.', known?.registry ?? '')}</p>
      </div>
      <div class="vk-scroll" role="group" aria-label={trans.__('Servers found')} aria-busy={loading} tabIndex={-1}>
        {problem && <Note tone="warning" message={problem.message} hint={problem.hint} />}
        {found?.length === 0 && !problem && <p class="vk-empty">{trans.__('The registry has no such server.')}</p>}
        <ul>
          {(found ?? []).map(offer => (
            <Offer
              key={offer.name}
              offer={offer}
              installed={known?.servers.some(server => server.name === offer.short) ?? offer.installed}
              snapshot={snapshot}
              open={open === offer.name}
              onToggle={() => setOpen(open === offer.name ? '' : offer.name)}
            />
          ))}
        </ul>
      </div>
    </SheetFrame>
  );
}
