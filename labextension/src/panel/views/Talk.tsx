/** The button that listens: hold it, click it, or hold the page-wide key. */
import { useState } from 'preact/hooks';
import type { ListenMode } from '../microphone';
import type { Snapshot } from '../store';
import { HERE, type Translator, around } from '../translation';
import { clock } from '../wording';
import { EngineSettings, WhereSoundGoes } from './Engines';
import { Icon, Spinner } from './Icon';
import { Note } from './Note';
import { SpeakerButton, SpeakerSettings } from './Speaking';
import { Waveform } from './Waveform';
import { usePanel } from './context';
import { useNow } from './hooks';

function Settings({ snapshot, id }: { snapshot: Snapshot; id: string }) {
  const { microphone, holdKey, trans } = usePanel();
  const keys = holdKey();
  const phrase = snapshot.session.about?.wake_phrase ?? '';
  const [hold, held] = around(trans.__('Anywhere on the page: hold %1.', HERE));
  const [escape, escaped] = around(
    trans.__(
      'While it listens, %1 throws the recording away. The microphone is open only while it listens.',
      HERE
    )
  );
  const devices = snapshot.ui.devices;
  const chosen = devices.some(device => device.id === microphone.device) ? microphone.device : '';
  return (
    <div class="vk-settings" id={id}>
      <label>
        <span>{trans.__('Microphone')}</span>
        <select
          value={chosen}
          onChange={event => {
            microphone.device = event.currentTarget.value;
          }}
        >
          <option value="">{trans.__('System default')}</option>
          {devices.map(device => (
            <option key={device.id} value={device.id}>
              {device.label}
            </option>
          ))}
        </select>
      </label>
      <EngineSettings snapshot={snapshot} />
      <label>
        <span>{trans.__('How to listen')}</span>
        <select
          value={microphone.mode}
          onChange={event => {
            microphone.mode = event.currentTarget.value as ListenMode;
          }}
        >
          <option value="push">{trans.__('While I hold the button')}</option>
          <option value="toggle">{trans.__('From click to click')}</option>
          <option value="handsfree">{trans.__('Hands-free: all the time')}</option>
        </select>
      </label>
      {microphone.mode === 'handsfree' && (
        <p class="vk-hint">
          {phrase
            ? trans.__('Say “%1” before a command. Until then nothing is recognised outside of this machine.', phrase)
            : trans.__('Silence ends a command. Talk that is no command is not acted on. “Stop listening” closes the microphone.')}
          {!phrase && snapshot.session.speech.sent_to && (
            <> {trans.__('Everything that is said is sent to %1 meanwhile.', snapshot.session.speech.sent_to)}</>
          )}
        </p>
      )}
      <label class="vk-check">
        <input
          type="checkbox"
          checked={microphone.earcons}
          onChange={event => {
            microphone.earcons = event.currentTarget.checked;
          }}
        />
        <span>{trans.__('Tones when the microphone opens, has heard, and closes')}</span>
      </label>
      <SpeakerSettings />
      <p class="vk-hint">
        {keys && (
          <>
            {hold}
            <kbd>{keys}</kbd>
            {held}{' '}
          </>
        )}
        {escape}
        <kbd>Esc</kbd>
        {escaped}
      </p>
    </div>
  );
}

function Elapsed({ since }: { since: number }) {
  useNow(true, 250);
  return <span class="vk-elapsed">{clock((performance.now() - since) / 1_000)}</span>;
}

function buttonName(mode: ListenMode, trans: Translator): string {
  switch (mode) {
    case 'push':
      return trans.__('Hold to talk');
    case 'toggle':
      return trans.__('Click to talk');
    case 'handsfree':
      return trans.__('Listen hands-free');
  }
}

function startHint(mode: ListenMode, trans: Translator): string {
  switch (mode) {
    case 'push':
      return trans.__('or click to start and stop');
    case 'toggle':
      return trans.__('Click again to send');
    case 'handsfree':
      return trans.__('Click once: the microphone stays open');
  }
}

export function Talk({ snapshot }: { snapshot: Snapshot }) {
  const { microphone, store, holdKey, trans } = usePanel();
  const keys = holdKey();
  const [settings, setSettings] = useState(false);
  const { ui, session } = snapshot;
  const listening = ui.microphone === 'listening' || ui.microphone === 'ending';
  const usable = ui.connection === 'open' && session.speech.state !== 'unavailable';
  const settingsId = `vk-settings-${store.id}`;

  // A press is handled by its pointer or key; the click that follows it is not a second press.
  const onPointerDown = (event: PointerEvent): void => {
    if (event.button === 0 && usable) {
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
      microphone.press();
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      microphone.discard();
    } else if ((event.key === ' ' || event.key === 'Enter') && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      if (!event.repeat && usable) {
        microphone.press();
      }
    }
  };
  const onKeyUp = (event: KeyboardEvent): void => {
    if (event.key === ' ' || event.key === 'Enter') {
      event.preventDefault();
      microphone.release();
    }
  };
  const onClick = (event: MouseEvent): void => {
    // Assistive technology clicks without pointer or key.
    if (event.detail === 0 && usable) {
      microphone.toggle();
    }
  };

  const name = buttonName(microphone.mode, trans);
  let title = name;
  let hint = startHint(microphone.mode, trans);
  if (ui.microphone === 'starting') {
    title = trans.__('Opening the microphone…');
    hint = trans.__('Allow it if the browser asks');
  } else if (listening && ui.handsFree) {
    title = session.speech.waiting_for
      ? trans.__('Waiting for “%1”', session.speech.waiting_for)
      : trans.__('Hands-free');
    hint = trans.__('Click, or say “stop listening”, to stop');
  } else if (listening) {
    title = trans.__('Listening');
    hint = trans.__('Release or click to send · Esc to discard');
  } else if (session.speech.state === 'unavailable') {
    title = trans.__('Type instead');
    hint = session.speech.message;
  } else if (session.speech.state === 'loading') {
    hint = trans.__('You can talk while the speech model loads');
  }

  return (
    <div class="vk-talk" data-phase={ui.microphone}>
      <div class="vk-talk-row">
        <button
          type="button"
          class="vk-mic"
          aria-pressed={listening}
          aria-label={name}
          aria-disabled={!usable}
          aria-keyshortcuts="Control+Shift+Space"
          title={[
            microphone.mode === 'push' ? trans.__('Hold to talk, or click to start and stop.') : name,
            keys && trans.__('Anywhere on the page: hold %1', keys)
          ].join(' ')}
          onPointerDown={onPointerDown}
          onPointerUp={microphone.release}
          onPointerCancel={microphone.interrupt}
          onLostPointerCapture={microphone.interrupt}
          onContextMenu={event => event.preventDefault()}
          onKeyDown={onKeyDown}
          onKeyUp={onKeyUp}
          onBlur={microphone.interrupt}
          onClick={onClick}
        >
          {ui.microphone === 'starting' ? <Spinner /> : <Icon name={listening ? 'stop' : 'microphone'} />}
        </button>
        <div class="vk-talk-text">
          <p class="vk-talk-title">
            {title}
            {listening && ui.listeningSince !== null && <Elapsed since={ui.listeningSince} />}
          </p>
          {listening ? <Waveform levels={microphone.levels} /> : null}
          <p class="vk-hint">{hint}</p>
        </div>
        {listening && !ui.handsFree && (
          <button type="button" class="vk-button vk-small vk-discard" onClick={microphone.discard}>
            {trans.__('Discard')}
          </button>
        )}
        <SpeakerButton />
        <button
          type="button"
          class="vk-icon-button vk-settings-toggle"
          aria-label={trans.__('Microphone settings')}
          title={trans.__('Microphone settings')}
          aria-expanded={settings}
          aria-controls={settingsId}
          onClick={() => {
            void microphone.refreshDevices();
            setSettings(!settings);
          }}
        >
          <Icon name="tune" />
        </button>
      </div>
      {ui.handsFree && session.speech.heard && (
        <p class="vk-heard" title={trans.__('Heard, and not acted on')}>
          {trans.__('Heard: %1', session.speech.heard)}
        </p>
      )}
      <WhereSoundGoes speech={session.speech} />
      {session.about?.audio_kept_in && (
        <p class="vk-kept">
          <Icon name="info" />
          <span>{trans.__('Recordings are kept in %1', session.about.audio_kept_in)}</span>
        </p>
      )}
      <div class="vk-talk-problem" role="alert">
        {ui.microphoneProblem && (
          <Note
            tone="warning"
            message={ui.microphoneProblem.message}
            hint={ui.microphoneProblem.hint}
            onDismiss={() => store.update({ microphoneProblem: null })}
          />
        )}
      </div>
      {settings && <Settings snapshot={snapshot} id={settingsId} />}
    </div>
  );
}
