/** Cards that wait for a person. They stay in sight above the text box, and never decide by themselves. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Approval, Diff } from '../../messages.gen';
import { HERE, around } from '../translation';
import type { Translator } from '../translation';
import { Icon } from './Icon';
import { usePanel } from './context';
import { usePart } from './hooks';
import { memo } from './memo';

/** A click that was already on its way when the card appeared under the pointer must not approve. */
const GUARD_MS = 500;
/** Pixels: head, reason and the first arguments. */
const TALL = 180;
/** Nothing tells when what lies over a card goes away. */
const LOOK_MS = 250;

/** Whether nothing of the page, such as a dialog or an enlarged log, lies over the visible part of an element. */
function isUncovered(element: HTMLElement): boolean {
  const box = element.getBoundingClientRect();
  const frame = element.parentElement?.getBoundingClientRect() ?? box;
  const top = Math.max(box.top, frame.top, 0);
  const bottom = Math.min(box.bottom, frame.bottom, window.innerHeight);
  const seen = document.elementFromPoint((box.left + box.right) / 2, (top + bottom) / 2);
  return seen !== null && element.contains(seen);
}

/** Calls back once, when the element is truly on the screen: in view, uncovered, on a page that is in front. */
function useSeen(onSeen: () => void) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = ref.current;
    if (!element) {
      return undefined;
    }
    let inView = false;
    let done = false;
    const check = (): void => {
      if (inView && !done && document.visibilityState === 'visible' && isUncovered(element)) {
        done = true;
        clearInterval(timer);
        onSeen();
      }
    };
    const timer = setInterval(check, LOOK_MS);
    const observer = new IntersectionObserver(
      entries => {
        // A card that is taller than its box is seen when a good part of it is.
        inView = entries.some(entry => entry.intersectionRatio >= 0.6 || entry.intersectionRect.height >= TALL);
        check();
      },
      { threshold: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1] }
    );
    observer.observe(element);
    document.addEventListener('visibilitychange', check);
    return () => {
      clearInterval(timer);
      observer.disconnect();
      document.removeEventListener('visibilitychange', check);
    };
  }, []);
  return ref;
}

function Arguments({ approval }: { approval: Approval }) {
  const said = (value: unknown): boolean =>
    value !== null && value !== '' && !(typeof value === 'object' && Object.keys(value).length === 0);
  const entries = Object.entries(approval.arguments).filter(([, value]) => said(value));
  if (entries.length === 0) {
    return null;
  }
  return (
    <dl class="vk-arguments">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What a card of a change asks. */
function questionOf(diff: Diff, trans: Translator): string {
  switch (diff.action) {
    case 'insert':
      return diff.runs ? trans.__('Insert %1 and run it?', diff.name) : trans.__('Insert %1?', diff.name);
    case 'delete':
      return trans.__('Delete %1?', diff.name);
    case 'edit':
      return diff.runs ? trans.__('Change %1 and run it?', diff.name) : trans.__('Change %1?', diff.name);
  }
}

/** The change itself; its plain text until the part that compares is there. */
function Change({ diff }: { diff: Diff }) {
  const part = usePart('diff');
  return part ? <part.DiffView diff={diff} /> : <pre class="vk-diff">{diff.after || diff.before}</pre>;
}

const ApprovalCard = memo(function ApprovalCard({ approval, numbered }: { approval: Approval; numbered: boolean }) {
  const { send, store, trans } = usePanel();
  const [armed, setArmed] = useState(false);
  const ref = useSeen(() => {
    send({ type: 'approval_shown', approval_id: approval.id });
    setTimeout(() => setArmed(true), GUARD_MS);
  });
  const titleId = `vk-approval-${store.id}-${approval.id}`;
  const decide = (approved: boolean): void => {
    if (armed || !approved) {
      send({ type: 'decide', approval_id: approval.id, approved, values: {} });
    }
  };
  const { id, tool } = approval;
  const target = approval.target !== '' && !Object.values(approval.arguments).includes(approval.target);
  const { diff } = approval;
  const [before, after] = diff ? [questionOf(diff, trans), ''] : around(trans.__('Allow %1?', HERE));
  const words = diff
    ? {
        deny: numbered ? trans.__('Reject %1', id) : trans.__('Reject'),
        denyWhat: trans.__('Reject the change of %1', diff.name),
        approve: numbered ? trans.__('Accept %1', id) : trans.__('Accept'),
        approveWhat: trans.__('Accept the change of %1', diff.name),
        say: numbered ? trans.__('or say “accept %1”', id) : trans.__('or say “accept”')
      }
    : numbered
    ? {
        deny: trans.__('Deny %1', id),
        denyWhat: trans.__('Deny %1 %2', id, tool),
        approve: trans.__('Approve %1', id),
        approveWhat: trans.__('Approve %1 %2', id, tool),
        say: trans.__('or say “approve %1”', id)
      }
    : {
        deny: trans.__('Deny'),
        denyWhat: trans.__('Deny %1', tool),
        approve: trans.__('Approve'),
        approveWhat: trans.__('Approve %1', tool),
        say: trans.__('or say “approve”')
      };
  return (
    <div ref={ref} class="vk-approval" role="group" aria-labelledby={titleId} data-approval={id}>
      <div class="vk-approval-head">
        <Icon name="hand" />
        <h3 id={titleId}>
          {numbered && <span class="vk-number">{id}</span>} {before}
          {!diff && <code>{tool}</code>}
          {after}
        </h3>
      </div>
      <p class="vk-reason">{approval.reason}</p>
      {target && !diff && <p class="vk-target">{approval.target}</p>}
      {diff ? <Change diff={diff} /> : <Arguments approval={approval} />}
      <div class="vk-approval-buttons">
        <button type="button" class="vk-button" aria-label={words.denyWhat} onClick={() => decide(false)}>
          {words.deny}
        </button>
        <button
          type="button"
          class="vk-button vk-primary"
          aria-label={words.approveWhat}
          aria-disabled={!armed}
          onClick={() => decide(true)}
        >
          {words.approve}
        </button>
        <span class="vk-hint">{words.say}</span>
      </div>
    </div>
  );
});

/** A server asks for more than a yes: the form comes with the part that knows servers. */
function AskedForm({ approval }: { approval: Approval }) {
  const part = usePart('servers');
  return part ? <part.FormCard approval={approval} /> : null;
}

/** One click for all changes that are open, once each of them has been on the screen. */
function AllChanges({ changes }: { changes: readonly Approval[] }) {
  const { send, trans } = usePanel();
  const seen = changes.every(approval => approval.shown_at !== null);
  const decide = (approved: boolean): void => {
    if (seen || !approved) {
      changes.forEach(({ id }) => send({ type: 'decide', approval_id: id, approved, values: {} }));
    }
  };
  return (
    <div class="vk-approval-buttons vk-all-changes" role="group" aria-label={trans.__('All changes')}>
      <span>{trans._n('%1 change', '%1 changes', changes.length)}</span>
      <span class="vk-fill" />
      <button type="button" class="vk-button" onClick={() => decide(false)}>
        {trans.__('Reject all')}
      </button>
      <button type="button" class="vk-button" aria-disabled={!seen} onClick={() => decide(true)}>
        {trans.__('Accept all')}
      </button>
    </div>
  );
}

export function Approvals({ approvals }: { approvals: readonly Approval[] }) {
  if (approvals.length === 0) {
    return null;
  }
  const changes = approvals.filter(approval => approval.diff !== null);
  return (
    <div class="vk-approvals" tabIndex={-1}>
      {changes.length > 1 && <AllChanges changes={changes} />}
      {approvals.map(approval =>
        approval.fields.length > 0 ? (
          <AskedForm key={approval.id} approval={approval} />
        ) : (
          <ApprovalCard key={approval.id} approval={approval} numbered={approvals.length > 1} />
        )
      )}
    </div>
  );
}
