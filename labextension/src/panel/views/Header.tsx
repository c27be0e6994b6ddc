/** The panel's head: the conversation that is open, what the assistant does now, and where help is. */
import type { About } from '../../messages.gen';
import type { Sheet, Snapshot } from '../store';
import { status } from '../wording';
import { Icon } from './Icon';
import { usePanel } from './context';

/** Opens a sheet, or closes it where it is open. */
function useToggle(snapshot: Snapshot, name: 'conversations' | 'notifications' | 'servers') {
  const { store } = usePanel();
  const sheets = snapshot.ui.sheets;
  const open = sheets[0]?.name === name && (sheets.length === 1 || name === 'servers');
  const sheet: Sheet = { name };
  return { open, toggle: () => store.update({ sheets: open ? [] : [sheet] }) };
}

/** Which model answers what the grammar does not know, and where it runs. */
function Model({ about }: { about: About }) {
  const { send, trans } = usePanel();
  const name = about.model || trans.__('No model');
  const title = !about.model
    ? trans.__('No model is asked. What the grammar does not know is not understood.')
    : about.model_stays
      ? trans.__('What the grammar does not know goes to %1 at %2, on this machine', about.model, about.model_server)
      : trans.__('What the grammar does not know goes to %1 at %2', about.model, about.model_server);
  const choose = (model: string): void =>
    send({ type: 'do', text: trans.__('Use the model %1', model), calls: [{ tool: 'choose_model', arguments: { model } }] });
  return (
    <label class="vk-model" title={title} data-stays={about.model_stays}>
      <Icon name="spark" />
      <span class="vk-hidden">{trans.__('Model')}</span>
      <select
        value=""
        onChange={event => {
          choose(event.currentTarget.value);
          event.currentTarget.value = '';
        }}
      >
        <option value="">{name}</option>
        {about.models.map(model => (
          <option key={model} value={model}>
            {model}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Header({ snapshot }: { snapshot: Snapshot }) {
  const { send, notifier, trans } = usePanel();
  const { word, tone } = status(snapshot, trans);
  const { about, keeping, speech } = snapshot.session;
  const conversations = useToggle(snapshot, 'conversations');
  const notifications = useToggle(snapshot, 'notifications');
  const servers = useToggle(snapshot, 'servers');
  const title = keeping.thread?.title || trans.__('New conversation');
  const told = notifier.shows || notifier.speaks;
  return (
    <header class="vk-header">
      <h2 class="vk-name">
        <span class="vk-hidden">{trans.__('Voice')}: </span>
        <button
          type="button"
          class="vk-title"
          title={trans.__('%1 – all conversations', title)}
          aria-haspopup="dialog"
          aria-expanded={conversations.open}
          onClick={conversations.toggle}
        >
          <span class="vk-title-text">{title}</span>
          <Icon name="fold" />
        </button>
      </h2>
      <span class="vk-fill" />
      <span class={`vk-status vk-status-${tone}`} data-status={word} title={word}>
        <span class="vk-dot" aria-hidden="true" />
        <span class="vk-status-word">{word}</span>
      </span>
      {speech.mode === 'dictation' && (
        <span class="vk-mode" title={trans.__('What you say goes into the cell. Say: stop dictation')}>
          {trans.__('Dictation')}
        </span>
      )}
      {about && (about.model || about.models.length > 0) && <Model about={about} />}
      <span class="vk-header-buttons">
        <button
          type="button"
          class="vk-icon-button"
          aria-label={trans.__('MCP servers')}
          title={trans.__('MCP servers')}
          aria-haspopup="dialog"
          aria-expanded={servers.open}
          onClick={servers.toggle}
        >
          <Icon name="plug" />
        </button>
        <button
          type="button"
          class="vk-icon-button"
          aria-label={trans.__('Notifications')}
          title={told ? trans.__('Notifications: on') : trans.__('Notifications: off')}
          aria-haspopup="dialog"
          aria-expanded={notifications.open}
          data-on={told}
          onClick={notifications.toggle}
        >
          <Icon name="bell" />
        </button>
        <button
          type="button"
          class="vk-icon-button vk-help"
          aria-label={trans.__('What can I say?')}
          title={trans.__('What can I say?')}
          onClick={() => send({ type: 'say', text: 'help', corrects_turn_id: null })}
        >
          <Icon name="help" />
        </button>
      </span>
    </header>
  );
}
