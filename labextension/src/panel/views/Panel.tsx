/** The whole assistant in one glance: state, one of three places, approvals, microphone, text box. */
import type { Announcement } from '../announce';
import type { Snapshot } from '../store';
import { Approvals } from './Approvals';
import { Header } from './Header';
import { LiveRegions } from './LiveRegions';
import { Notices } from './Notices';
import { Places } from './Places';
import { Sheets } from './Sheets';
import { SpeakingBar } from './Speaking';
import { Talk } from './Talk';
import { TextBox } from './TextBox';
import { usePanel } from './context';

export interface PanelProps {
  readonly snapshot: Snapshot;
  readonly announcement: Announcement | null;
  readonly announced: number;
}

export function Panel({ snapshot, announcement, announced }: PanelProps) {
  const { microphone, store, trans } = usePanel();
  const open = [...snapshot.session.approvals.values()].filter(approval => approval.state === 'open');
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented) {
      return;
    }
    const covered = snapshot.ui.handsFree && store.snapshot.ui.sheets.length > 0;
    if (snapshot.ui.microphone !== 'idle' && !covered) {
      event.preventDefault();
      microphone.discard();
    } else if (store.snapshot.ui.sheets.length > 0) {
      event.preventDefault();
      store.close();
    }
  };
  return (
    <section class="vk-panel" aria-label={trans.__('Voice assistant')} onKeyDown={onKeyDown}>
      <Header snapshot={snapshot} />
      <Notices snapshot={snapshot} />
      {/* Approvals and the microphone stay free: what lies over a place never covers them. */}
      <div class="vk-stage">
        <Places snapshot={snapshot} />
        <Sheets snapshot={snapshot} />
      </div>
      <Approvals approvals={open} />
      <SpeakingBar snapshot={snapshot} />
      <div class="vk-composer">
        <Talk snapshot={snapshot} />
        <TextBox snapshot={snapshot} />
      </div>
      <LiveRegions announcement={announcement} announced={announced} />
    </section>
  );
}
