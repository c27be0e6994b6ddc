/** A choice from a list: the browser's own where it is short, one that can be searched where it is long. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { CONTROL_SIZES, CONTROL_VARIANTS, label, useDefault } from './controls';
import { type WidgetNode, flag, pick, records, text } from './node';
import { Popup } from './popup';
import { type ViewProps, actionOf, useAction, useBusy, useElementId, useField, useHost } from './scope';

/** With more options than this a list can be searched, unless its author says otherwise. Source: ChatKit. */
const SEARCHED_FROM = 15;

interface Option {
  readonly value: string;
  readonly label: string;
  readonly description: string;
  readonly disabled: boolean;
}

function optionsOf(node: WidgetNode): readonly Option[] {
  return records(node['options']).map(option => ({
    value: text(option, 'value'),
    label: text(option, 'label') || text(option, 'value'),
    description: text(option, 'description'),
    disabled: flag(option, 'disabled')
  }));
}

function plain(words: string): string {
  return words.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** The options in which every word of the query stands, whatever its case and accents. */
function found<T extends Option>(options: readonly T[], query: string): readonly T[] {
  const words = plain(query).split(/\s+/).filter(Boolean);
  return words.length === 0
    ? options
    : options.filter(option => {
        const all = plain(`${option.label} ${option.description} ${option.value}`);
        return words.every(word => all.includes(word));
      });
}

export function Select({ node }: ViewProps) {
  const options = optionsOf(node);
  const searchable = node['searchable'];
  return searchable === true || (searchable !== false && options.length > SEARCHED_FROM) ? (
    <SearchedList node={node} options={options} />
  ) : (
    <ShortList node={node} options={options} />
  );
}

interface ListProps {
  readonly node: WidgetNode;
  readonly options: readonly Option[];
}

function looks(node: WidgetNode) {
  return {
    'data-variant': pick(node, 'variant', CONTROL_VARIANTS) ?? 'outline',
    'data-size': pick(node, 'size', CONTROL_SIZES),
    'data-pill': flag(node, 'pill') || undefined,
    disabled: flag(node, 'disabled')
  };
}

function ShortList({ node, options }: ListProps) {
  const name = text(node, 'name');
  const { id, labelled } = useField(name);
  const { trans } = useHost();
  const busy = useBusy();
  const ref = useRef<HTMLSelectElement>(null);
  const { running, start } = useAction(node, 'none');
  const action = actionOf(node['onChangeAction']);
  const placeholder = text(node, 'placeholder');
  const clearable = flag(node, 'clearable');
  const { touch } = useDefault(ref, text(node, 'defaultValue'));
  return (
    <span class="vk-w-field" data-block={flag(node, 'block') || undefined}>
      <select
        ref={ref}
        id={id}
        class="vk-w-input vk-w-select"
        data-vk-field={name}
        {...looks(node)}
        aria-disabled={busy || running || undefined}
        aria-busy={running || undefined}
        {...label(labelled, placeholder, name)}
        onChange={event => {
          touch();
          if (action) {
            start(action, [[name, event.currentTarget.value]]);
          }
        }}
      >
        <option value="" disabled={!clearable} hidden={!clearable}>
          {placeholder || trans.__('Choose')}
        </option>
        {options.map((option, at) => (
          <option key={at} value={option.value} disabled={option.disabled}>
            {[option.label, option.description].filter(Boolean).join(' – ')}
          </option>
        ))}
      </select>
      {running && <span class="vk-w-spinner" aria-hidden="true" />}
    </span>
  );
}

/** A button that opens a list with a field to search it. The button holds the value, as a field of the form. */
function SearchedList({ node, options }: ListProps) {
  const name = text(node, 'name');
  const { id, labelled } = useField(name);
  const { trans } = useHost();
  const busy = useBusy();
  const ref = useRef<HTMLButtonElement>(null);
  const popup = useElementId();
  const { running, start } = useAction(node, 'none');
  const action = actionOf(node['onChangeAction']);
  const placeholder = text(node, 'placeholder') || trans.__('Choose');
  /** Null as long as nobody has chosen: then the default holds, also a new one. */
  const [own, setOwn] = useState<string | null>(null);
  const [opened, setOpened] = useState<string | null>(null);
  const value = own ?? text(node, 'defaultValue');
  const chosen = value === '' ? undefined : options.find(option => option.value === value);
  const choose = (option: Option): void => {
    setOpened(null);
    ref.current?.focus();
    if (option.value !== (chosen?.value ?? '')) {
      setOwn(option.value);
      if (action) {
        start(action, [[name, option.value]]);
      }
    }
  };
  const none = { value: '', label: placeholder, description: '', disabled: false };
  return (
    <span class="vk-w-field" data-block={flag(node, 'block') || undefined}>
      <button
        ref={ref}
        id={id}
        type="button"
        role="combobox"
        class="vk-w-input vk-w-select"
        data-vk-field={name}
        data-empty={!chosen || undefined}
        value={chosen?.value ?? ''}
        {...looks(node)}
        aria-haspopup="dialog"
        aria-expanded={opened !== null}
        aria-controls={opened === null ? undefined : popup}
        aria-disabled={busy || running || undefined}
        aria-busy={running || undefined}
        {...label(labelled, text(node, 'placeholder'), name)}
        onClick={() => setOpened(opened === null ? '' : null)}
        onKeyDown={event => {
          // As in the browser's own list: an arrow opens it, a letter begins to search.
          const letter = event.key.length === 1 && event.key !== ' ' && !event.ctrlKey && !event.metaKey && !event.altKey;
          if (letter || event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            event.preventDefault();
            setOpened(letter ? event.key : '');
          }
        }}
      >
        {chosen?.label ?? placeholder}
      </button>
      {running && <span class="vk-w-spinner" aria-hidden="true" />}
      {opened !== null && (
        <Popup
          id={popup}
          anchor={ref}
          label={text(node, 'placeholder') || name || trans.__('Choose')}
          wide
          onClose={byKey => {
            setOpened(null);
            if (byKey) {
              ref.current?.focus();
            }
          }}
        >
          <Search
            id={`${popup}-list`}
            options={flag(node, 'clearable') && chosen ? [none, ...options] : options}
            value={chosen?.value ?? ''}
            first={opened}
            onChoose={choose}
          />
        </Popup>
      )}
    </span>
  );
}

interface SearchProps {
  readonly id: string;
  readonly options: readonly Option[];
  readonly value: string;
  /** What is searched for at first. */
  readonly first: string;
  readonly onChoose: (option: Option) => void;
}

function Search({ id, options, value, first, onChoose }: SearchProps) {
  const { trans } = useHost();
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const [query, setQuery] = useState(first);
  const [marked, setMarked] = useState<Option | null>(null);
  const shown = found(options, query);
  const usable = shown.filter(option => !option.disabled);
  const begin = query ? undefined : usable.find(option => option.value === value);
  const at = Math.max(0, usable.findIndex(option => option.value === (marked ?? begin)?.value));
  const current = usable[at];
  const idOf = (option: Option): string => `${id}-${shown.indexOf(option)}`;
  useLayoutEffect(() => field.current?.setSelectionRange(first.length, first.length), []);
  // Later than the popup is shown: what is not shown scrolls nowhere.
  useEffect(() => list.current?.querySelector('[data-marked]')?.scrollIntoView?.({ block: 'nearest' }), [current?.value]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setMarked(usable[(at + step + usable.length) % usable.length] ?? null);
    } else if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      if (current) {
        onChoose(current);
      }
    }
  };
  return (
    <>
      <input
        ref={field}
        type="text"
        role="combobox"
        class="vk-w-input vk-w-search"
        aria-label={trans.__('Search')}
        placeholder={trans.__('Search')}
        autocomplete="off"
        spellcheck={false}
        aria-autocomplete="list"
        aria-expanded={shown.length > 0}
        aria-controls={shown.length > 0 ? id : undefined}
        aria-activedescendant={current ? idOf(current) : undefined}
        value={query}
        onInput={event => {
          setQuery(event.currentTarget.value);
          setMarked(null);
        }}
        onKeyDown={onKeyDown}
      />
      {shown.length > 0 && (
        <div ref={list} id={id} class="vk-w-options" role="listbox" tabIndex={-1} aria-label={trans.__('Options')}>
          {shown.map((option, place) => (
            <div
              key={`${place} ${option.value}`}
              id={`${id}-${place}`}
              class="vk-w-option"
              role="option"
              aria-selected={option.value === value}
              aria-disabled={option.disabled || undefined}
              data-marked={option === current || undefined}
              // The focus stays in the field.
              onMouseDown={event => event.preventDefault()}
              onClick={() => option.disabled || onChoose(option)}
            >
              <span>{option.label}</span>
              {option.description && <span class="vk-w-caption">{option.description}</span>}
            </div>
          ))}
        </div>
      )}
      <p class={shown.length > 0 ? 'vk-w-unseen' : 'vk-w-nothing'} role="status">
        {shown.length === 0 ? trans.__('Nothing found.') : query ? trans._n('%1 option', '%1 options', shown.length) : ''}
      </p>
    </>
  );
}
