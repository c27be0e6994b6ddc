/** Spoken answers: the button that switches them on, how they sound, and the bar that stops one. */
import type { Snapshot } from '../store';
import { Icon } from './Icon';
import { Note } from './Note';
import { usePanel } from './context';

export function SpeakerButton() {
  const { speaker, trans } = usePanel();
  return (
    <button
      type="button"
      class="vk-icon-button vk-speaker"
      aria-label={trans.__('Answer out loud')}
      aria-pressed={speaker.on}
      title={speaker.on ? trans.__('Answers are spoken: click to switch off') : trans.__('Speak answers out loud')}
      data-on={speaker.on}
      onClick={speaker.toggle}
    >
      <Icon name={speaker.on ? 'speaker' : 'silent'} />
    </button>
  );
}

export function SpeakerSettings() {
  const { speaker, trans } = usePanel();
  const voices = speaker.voices;
  return (
    <>
      <label>
        <span>{trans.__('Spoken answers')}</span>
        <select
          value={speaker.verbosity}
          onChange={event => {
            speaker.verbosity = event.currentTarget.value as typeof speaker.verbosity;
          }}
        >
          <option value="off">{trans.__('Off')}</option>
          <option value="errors">{trans.__('Only what goes wrong')}</option>
          <option value="short">{trans.__('Short')}</option>
          <option value="full">{trans.__('In full')}</option>
        </select>
      </label>
      {speaker.on && (
        <>
          <label>
            <span>{trans.__('Voice')}</span>
            <select
              value={speaker.engine}
              onChange={event => {
                speaker.engine = event.currentTarget.value as typeof speaker.engine;
              }}
            >
              <option value="auto">{trans.__('Automatic')}</option>
              <option value="local">{trans.__('The kernel’s own')}</option>
              <option value="browser">{trans.__('The browser’s')}</option>
              <option value="openai">{trans.__('OpenAI, or a server like it')}</option>
            </select>
          </label>
          {voices.length > 0 && (speaker.engine === 'auto' || speaker.engine === 'browser') && (
            <label>
              <span>{trans.__('Voice of the browser')}</span>
              <select
                value={speaker.voiceName}
                onChange={event => {
                  speaker.voiceName = event.currentTarget.value;
                }}
              >
                <option value="">{trans.__('The usual one')}</option>
                {voices.map(voice => (
                  <option key={voice.voiceURI} value={voice.name}>
                    {voice.localService ? voice.name : trans.__('%1 (over the network)', voice.name)}
                  </option>
                ))}
              </select>
            </label>
          )}
          <label>
            <span>{trans.__('Pace')}</span>
            <input
              type="range"
              min="0.5"
              max="2"
              step="0.1"
              value={speaker.rate}
              aria-valuetext={trans.__('%1 times the usual pace', speaker.rate)}
              onChange={event => {
                speaker.rate = Number(event.currentTarget.value);
              }}
            />
          </label>
          <p class="vk-hint">
            {speaker.engine === 'openai'
              ? trans.__('The words of every answer are sent to that server. Any key stops what is being said.')
              : trans.__(
                  'Any key stops what is being said. With a screen reader, leave this off: it is told everything anyway.'
                )}
          </p>
        </>
      )}
    </>
  );
}

/** What is being said, for whoever cannot hear it well, with the way to stop it. */
export function SpeakingBar({ snapshot }: { snapshot: Snapshot }) {
  const { speaker, store, trans } = usePanel();
  const { speaking, speakingBlocked } = snapshot.ui;
  return (
    <>
      {speaking && (
        <div class="vk-speaking" data-speaking>
          <Icon name="speaker" />
          <span class="vk-speaking-text" title={speaking}>
            {speaking}
          </span>
          <button type="button" class="vk-button vk-small" aria-label={trans.__('Stop speaking')} onClick={speaker.stop}>
            <Icon name="stop" />
            {trans.__('Stop')}
          </button>
        </div>
      )}
      {speakingBlocked && (
        <Note
          tone="warning"
          message={trans.__('The browser did not let this page make a sound.')}
          hint={trans.__('Click anywhere in the panel, then say: repeat.')}
          onDismiss={() => store.update({ speakingBlocked: false })}
        />
      )}
    </>
  );
}
