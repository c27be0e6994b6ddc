/** The whole assistant in one glance: state, conversation, approvals, microphone, text box. */
import type { Announcement } from '../announce';
import type { Snapshot } from '../store';
import { status } from '../wording';
import { Approvals } from './Approvals';
import { Feed } from './Feed';
import { Icon } from './Icon';
import { LiveRegions } from './LiveRegions';
import { Notices } from './Notices';
import { Talk } from './Talk';
import { TextBox } from './TextBox';
import { usePanel } from './context';

function Header({ snapshot }: { snapshot: Snapshot }) {
  const { send } = usePanel();
  const { word, tone } = status(snapshot);
  const about = snapshot.session.about;
  return (
    <header class="vk-header">
      <h2 class="vk-name">Voice</h2>
      <span class={`vk-status vk-status-${tone}`} data-status={word}>
        <span class="vk-dot" aria-hidden="true" />
        {word}
      </span>
      {snapshot.session.speech.mode === 'dictation' && (
        <span class="vk-mode" title="What you say goes into the cell. Say: stop dictation">
          Dictation
        </span>
      )}
      <span class="vk-fill" />
      {about?.model && (
        <span class="vk-model" title={`What the grammar does not know goes to ${about.model}`}>
          <Icon name="spark" />
          {about.model}
        </span>
      )}
      <button
        type="button"
        class="vk-icon-button vk-help"
        aria-label="What can I say?"
        title="What can I say?"
        onClick={() => send({ type: 'say', text: 'help', corrects_turn_id: null })}
      >
        <Icon name="help" />
        <span class="vk-wide">What can I say?</span>
      </button>
    </header>
  );
}

export interface PanelProps {
  readonly snapshot: Snapshot;
  readonly announcement: Announcement | null;
  readonly announced: number;
}

export function Panel({ snapshot, announcement, announced }: PanelProps) {
  const { microphone } = usePanel();
  const open = [...snapshot.session.approvals.values()].filter(approval => approval.state === 'open');
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape' && snapshot.ui.microphone !== 'idle') {
      event.preventDefault();
      microphone.discard();
    }
  };
  return (
    <section class="vk-panel" aria-label="Voice assistant" onKeyDown={onKeyDown}>
      <Header snapshot={snapshot} />
      <Notices snapshot={snapshot} />
      <Feed snapshot={snapshot} />
      <Approvals approvals={open} />
      <div class="vk-composer">
        <Talk snapshot={snapshot} />
        <TextBox snapshot={snapshot} />
      </div>
      <LiveRegions announcement={announcement} announced={announced} />
    </section>
  );
}
