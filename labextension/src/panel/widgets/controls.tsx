/** What is pressed, filled in and ticked. Responsible for fields, their names, values and keyboard. */
import { useContext, useLayoutEffect, useRef } from 'preact/hooks';
import { Glyph } from './icons';
import { flag, pick, records, text, whole } from './node';
import { FormContext, type ViewProps, actionOf, useAction, useBusy, useField, useHost } from './scope';
import { useFirstFocus } from './text';
import { patternOf, useValidity } from './validity';

export const CONTROL_SIZES = ['3xs', '2xs', 'xs', 'sm', 'md', 'lg', 'xl', '2xl', '3xl'] as const;
export const CONTROL_VARIANTS = ['solid', 'soft', 'outline', 'ghost'] as const;
const GUTTERS = ['2xs', 'xs', 'sm', 'md', 'lg', 'xl'] as const;
const BUTTON_COLOURS = [
  'primary', 'secondary', 'info', 'discovery', 'success', 'caution', 'warning', 'danger'
] as const;
const INPUT_TYPES = ['number', 'email', 'text', 'password', 'tel', 'url'] as const;

export function Button({ node }: ViewProps) {
  const form = useContext(FormContext);
  const busy = useBusy();
  const submit = flag(node, 'submit');
  const { running, start } = useAction(node, submit ? 'container' : 'self');
  const { trans } = useHost();
  const action = actionOf(node['onClickAction']);
  const label = text(node, 'label');
  const [before, after] = [text(node, 'iconStart'), text(node, 'iconEnd')];
  const style = pick(node, 'style', ['primary', 'secondary']);
  const disabled = flag(node, 'disabled');
  const unusable = disabled || running || busy;
  const iconSize = pick(node, 'iconSize', ['sm', 'md', 'lg', 'xl', '2xl']);
  const press = (): void => {
    if (unusable) {
      return;
    }
    if (submit && form) {
      form.submit(action ? values => start(action, [], values) : undefined);
    } else if (action) {
      start(action);
    }
  };
  return (
    <button
      type="button"
      class="vk-w-button"
      data-tone={pick(node, 'color', BUTTON_COLOURS) ?? style ?? 'secondary'}
      data-variant={pick(node, 'variant', CONTROL_VARIANTS) ?? (style === 'secondary' ? 'outline' : 'solid')}
      data-size={pick(node, 'size', CONTROL_SIZES)}
      data-pill={flag(node, 'pill') || undefined}
      data-uniform={flag(node, 'uniform') || undefined}
      data-block={flag(node, 'block') || undefined}
      aria-label={label ? undefined : nameOf(before || after) || trans.__('Button')}
      aria-busy={running || undefined}
      disabled={disabled}
      aria-disabled={unusable || undefined}
      onClick={press}
    >
      {running ? <span class="vk-w-spinner" aria-hidden="true" /> : before && <Glyph name={before} size={iconSize} />}
      {label && <span class="vk-w-button-label">{label}</span>}
      {after && <Glyph name={after} size={iconSize} />}
    </button>
  );
}

/** An icon's name in words. */
function nameOf(icon: string): string {
  return icon.replace(/^(lucide|vendor):/, '').replaceAll('-', ' ');
}

/** Names a field that no Label names. */
export function label(labelled: boolean, ...words: string[]): { 'aria-label'?: string } {
  const word = words.find(Boolean);
  return labelled || !word ? {} : { 'aria-label': word };
}

/** Preact's types know inputs one by one. */
function typed(type: (typeof INPUT_TYPES)[number] = 'text'): { type: 'text' } {
  return { type, ...(type === 'number' ? { step: 'any' } : {}) } as { type: 'text' };
}

const UNFILLED = { 'data-1p-ignore': '', 'data-lpignore': 'true', autocomplete: 'off' };

export function Input({ node }: ViewProps) {
  const name = text(node, 'name');
  const { id, labelled } = useField(name);
  const busy = useBusy();
  const ref = useRef<HTMLInputElement>(null);
  const { problem, handlers } = useValidity(ref, id);
  const pattern = text(node, 'pattern');
  useFirstFocus(ref, flag(node, 'autoFocus'), flag(node, 'autoSelect'));
  return (
    <span class="vk-w-field">
      <input
        ref={ref}
        id={id}
        {...typed(pick(node, 'inputType', INPUT_TYPES))}
        class="vk-w-input"
        data-vk-field={name}
        data-variant={pick(node, 'variant', ['soft', 'outline']) ?? 'outline'}
        data-size={pick(node, 'size', CONTROL_SIZES)}
        data-gutter={pick(node, 'gutterSize', GUTTERS)}
        data-pill={flag(node, 'pill') || undefined}
        defaultValue={text(node, 'defaultValue')}
        placeholder={text(node, 'placeholder')}
        required={flag(node, 'required')}
        pattern={patternOf(pattern) ? pattern : undefined}
        disabled={flag(node, 'disabled')}
        readOnly={busy}
        {...(flag(node, 'allowAutofillExtensions') ? {} : UNFILLED)}
        {...label(labelled, text(node, 'placeholder'), name)}
        {...handlers}
      />
      {problem}
    </span>
  );
}

export function Textarea({ node }: ViewProps) {
  const name = text(node, 'name');
  const { id, labelled } = useField(name);
  const busy = useBusy();
  const ref = useRef<HTMLTextAreaElement>(null);
  const { problem, handlers } = useValidity(ref, id, text(node, 'pattern'));
  const rows = whole(node, 'rows', 1, 50) ?? 3;
  const most = whole(node, 'maxRows', 1, 100);
  useFirstFocus(ref, flag(node, 'autoFocus'), flag(node, 'autoSelect'));
  return (
    <span class="vk-w-field">
      <textarea
        ref={ref}
        id={id}
        class="vk-w-input vk-w-area"
        data-vk-field={name}
        data-variant={pick(node, 'variant', ['soft', 'outline']) ?? 'outline'}
        data-size={pick(node, 'size', CONTROL_SIZES)}
        data-gutter={pick(node, 'gutterSize', GUTTERS)}
        data-grows={flag(node, 'autoResize') || undefined}
        style={{ '--vk-w-rows': String(rows), ...(most ? { '--vk-w-most': String(Math.max(most, rows)) } : {}) }}
        rows={rows}
        defaultValue={text(node, 'defaultValue')}
        placeholder={text(node, 'placeholder')}
        required={flag(node, 'required')}
        disabled={flag(node, 'disabled')}
        readOnly={busy}
        {...(flag(node, 'allowAutofillExtensions') ? {} : UNFILLED)}
        {...label(labelled, text(node, 'placeholder'), name)}
        {...handlers}
      />
      {problem}
    </span>
  );
}

export function Checkbox({ node }: ViewProps) {
  const name = text(node, 'name');
  const { id, labelled } = useField(name);
  const busy = useBusy();
  const ref = useRef<HTMLInputElement>(null);
  const { running, start } = useAction(node, 'none');
  const { problem, handlers } = useValidity(ref, id);
  const action = actionOf(node['onChangeAction']);
  const words = text(node, 'label');
  const checked = flag(node, 'defaultChecked');
  return (
    <span class="vk-w-field">
      <label class="vk-w-choice" aria-busy={running || undefined}>
        <input
          ref={ref}
          id={id}
          type="checkbox"
          data-vk-field={name}
          defaultChecked={checked}
          required={flag(node, 'required')}
          disabled={flag(node, 'disabled')}
          aria-disabled={busy || running || undefined}
          {...label(labelled || words !== '', name)}
          {...handlers}
          onChange={event => {
            if (action) {
              start(action, [[name, event.currentTarget.checked]]);
            }
          }}
        />
        {words && <span>{words}</span>}
        {running && <span class="vk-w-spinner" aria-hidden="true" />}
      </label>
      {problem}
    </span>
  );
}

export function RadioGroup({ node }: ViewProps) {
  const name = text(node, 'name');
  const { id, labelId, labelled } = useField(name);
  const busy = useBusy();
  const ref = useRef<HTMLInputElement>(null);
  const { running, start } = useAction(node, 'none');
  const { problem, handlers } = useValidity(ref, id);
  const action = actionOf(node['onChangeAction']);
  const options = records(node['options']);
  const chosen = text(node, 'defaultValue');
  const named = text(node, 'ariaLabel');
  const naming = !named && labelled ? { 'aria-labelledby': labelId } : { 'aria-label': named || name };
  return (
    <div
      class="vk-w-radios"
      role="radiogroup"
      data-direction={pick(node, 'direction', ['row', 'col']) ?? 'row'}
      aria-required={flag(node, 'required') || undefined}
      aria-busy={running || undefined}
      aria-invalid={handlers['aria-invalid']}
      aria-describedby={handlers['aria-describedby']}
      {...naming}
    >
      {options.map((option, at) => {
        const value = text(option, 'value');
        return (
          <label key={value || at} class="vk-w-choice">
            <input
              {...(at === 0 ? { ref, id } : {})}
              type="radio"
              name={id}
              value={value}
              data-vk-field={name}
              defaultChecked={value !== '' && value === chosen}
              required={flag(node, 'required')}
              disabled={flag(node, 'disabled') || flag(option, 'disabled')}
              aria-disabled={busy || running || undefined}
              {...(at === 0 ? { onInvalid: handlers.onInvalid } : { onInvalid: (event: Event) => event.preventDefault() })}
              onInput={handlers.onInput}
              onChange={() => {
                if (action) {
                  start(action, [[name, value]]);
                }
              }}
            />
            <span>{text(option, 'label') || value}</span>
          </label>
        );
      })}
      {running && <span class="vk-w-spinner" aria-hidden="true" />}
      {problem}
    </div>
  );
}

/** Sets a field to its default, and again when the default becomes another, as long as nobody touched it. */
export function useDefault(
  ref: { readonly current: HTMLInputElement | HTMLSelectElement | null },
  value: string
): { touch: () => void } {
  const touched = useRef(false);
  useLayoutEffect(() => {
    if (ref.current && !touched.current) {
      ref.current.value = value;
    }
  }, [value]);
  return { touch: () => void (touched.current = true) };
}
