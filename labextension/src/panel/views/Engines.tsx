/** Who turns speech into text, and where the sound goes for that. */
import { useEffect, useState } from 'preact/hooks';
import type { Problem, Speech, SpeechEngine, SpeechEngines } from '../../messages.gen';
import type { EarPlace } from '../ear';
import { problemOf } from '../requests';
import type { Snapshot } from '../store';
import type { Translator } from '../translation';
import { Icon } from './Icon';
import { Note } from './Note';
import { usePanel } from './context';

function nameOf(engine: Pick<SpeechEngine, 'name' | 'sent_to'>, trans: Translator): string {
  switch (engine.name) {
    case 'local':
      return trans.__('The kernel’s machine');
    case 'browser':
      return trans.__('This browser');
    case 'openai':
      return trans.__('A server: %1', engine.sent_to);
    case 'realtime':
      return trans.__('A Realtime model: %1', engine.sent_to);
    default:
      return engine.sent_to ? trans.__('%1: %2', engine.name, engine.sent_to) : engine.name;
  }
}

/** Where the sound goes, in one sentence. */
function whither(engine: string, sentTo: string, place: EarPlace, trans: Translator): string {
  if (engine === 'browser') {
    switch (place) {
      case 'device':
        return trans.__('This browser recognises speech on this device.');
      case 'server':
        return trans.__('This browser sends what you say to a server of its maker.');
      case 'none':
        return trans.__('This browser has no speech recognition: the kernel’s machine listens in its place.');
    }
  }
  return sentTo ? trans.__('What you say is sent to %1.', sentTo) : trans.__('What you say stays on the kernel’s machine.');
}

function leaves(speech: Speech, place: EarPlace): boolean {
  return speech.sent_to !== '' || (speech.engine === 'browser' && place !== 'device');
}

/** Stands under the button whenever sound leaves the machine, or another engine listens than was chosen. */
export function WhereSoundGoes({ speech }: { speech: Speech }) {
  const { microphone, trans } = usePanel();
  const { place } = microphone.ear;
  if (!speech.chosen && !leaves(speech, place)) {
    return null;
  }
  return (
    <p class="vk-kept vk-sound-goes" data-leaves={leaves(speech, place)}>
      <Icon name="info" />
      <span>
        {speech.chosen && trans.__('The speech engine “%1” cannot be used now.', speech.chosen)}{' '}
        {whither(speech.engine, speech.sent_to, place, trans)}
      </span>
    </p>
  );
}

export function EngineSettings({ snapshot }: { snapshot: Snapshot }) {
  const { microphone, requests, send, trans } = usePanel();
  const { speech } = snapshot.session;
  const [told, setTold] = useState<SpeechEngines | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const chosen = speech.chosen || speech.engine;
  useEffect(() => {
    requests.ask('list_engines', {}).then(setTold, error => setProblem(problemOf(error)));
  }, [chosen]);
  const engines = told?.engines ?? [];
  const engine = engines.find(each => each.name === chosen);
  const hears = engine && !engine.problem;
  return (
    <>
      <label>
        <span>{trans.__('Speech is recognised by')}</span>
        <select
          value={chosen}
          disabled={!told || told.locked}
          onChange={event => send({ type: 'choose_engine', engine: event.currentTarget.value })}
        >
          {!engine && <option value={chosen}>{nameOf({ name: chosen, sent_to: speech.sent_to }, trans)}</option>}
          {engines.map(each => (
            <option key={each.name} value={each.name}>
              {each.problem ? trans.__('%1 (not ready)', nameOf(each, trans)) : nameOf(each, trans)}
            </option>
          ))}
        </select>
      </label>
      {engine?.problem && <Note tone="warning" message={engine.problem} hint={engine.hint} />}
      {problem && <Note tone="warning" message={problem.message} hint={problem.hint} />}
      {hears && (
        <p class="vk-hint">
          {whither(chosen, engine.sent_to, microphone.ear.place, trans)}{' '}
          {told?.locked
            ? trans.__('The administrator of this machine has chosen.')
            : trans.__('The choice holds until the kernel ends.')}
        </p>
      )}
    </>
  );
}
