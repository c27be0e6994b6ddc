/** Spoken answers: the button that switches them on, how they sound, and the bar that stops one. */
import type { Snapshot } from '../store';
import { Icon } from './Icon';
import { Note } from './Note';
import { usePanel } from './context';

export function SpeakerButton() {
  const { speaker, trans } = usePanel();
  const { choices } = speaker;
  return (
    <button
      type="button"
      class="vk-icon-button vk-speaker"
      aria-label={trans.__('Answer out loud')}
      aria-pressed={choices.on}
      title={choices.on ? trans.__('Answers are spoken: click to switch off') : trans.__('Speak answers out loud')}
      data-on={choices.on}
      onClick={choices.toggle}
    >
      <Icon name={choices.on ? 'speaker' : 'silent'} />
    </button>
  );
}

export function SpeakerSettings() {
  const { speaker, trans } = usePanel();
  const { choices } = speaker;
  const voices = choices.voices;
  return (
    <>
      <label>
        <span>{trans.__('Spoken answers')}</span>
        <select
          value={choices.verbosity}
          onChange={event => {
            choices.verbosity = event.currentTarget.value as typeof choices.verbosity;
          }}
        >
          <option value="off">{trans.__('Off')}</option>
          <option value="errors">{trans.__('Only what goes wrong')}</option>
          <option value="short">{trans.__('Short')}</option>
          <option value="full">{trans.__('In full')}</option>
        </select>
      </label>
      {choices.on && (
        <>
          <label>
            <span>{trans.__('Voice')}</span>
            <select
              value={choices.engine}
              onChange={event => {
                choices.engine = event.currentTarget.value as typeof choices.engine;
              }}
            >
              <option value="auto">{trans.__('Automatic')}</option>
              <option value="local">{trans.__('The kernel’s own')}</option>
              <option value="browser">{trans.__('The browser’s')}</option>
              <option value="openai">{trans.__('OpenAI, or a server like it')}</option>
            </select>
          </label>
          {voices.length > 0 && (choices.engine === 'auto' || choices.engine === 'browser') && (
            <label>
              <span>{trans.__('Voice of the browser')}</span>
              <select
                value={choices.voiceName}
                onChange={event => {
                  choices.voiceName = event.currentTarget.value;
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
              value={choices.rate}
              aria-valuetext={trans.__('%1 times the usual pace', choices.rate)}
              onChange={event => {
                choices.rate = Number(event.currentTarget.value);
              }}
            />
          </label>
          <p class="vk-hint">
            {choices.engine === 'openai'
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
