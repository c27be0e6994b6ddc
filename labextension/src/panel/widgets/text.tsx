/** What is read: texts, titles, Markdown, labels, badges, progress. Responsible for their fields and roles. */
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { flag, isRecord, pick, text, whole } from './node';
import { type ViewProps, useBusy, useElementId, useField, useHost, useLoaded } from './scope';
import { type Style, textStyle } from './style';
import { useValidity } from './validity';

const TEXT_SIZES = ['xs', 'sm', 'md', 'lg', 'xl'] as const;
const TITLE_SIZES = ['sm', 'md', 'lg', 'xl', '2xl', '3xl', '4xl', '5xl'] as const;
const SIZES = ['sm', 'md', 'lg'] as const;

function fits(kind: string, style: Style, truncate: boolean): string {
  return `${kind}${truncate ? ' vk-w-truncate' : style['--vk-w-lines'] ? ' vk-w-clamp' : ''}`;
}

export function Text({ node }: ViewProps) {
  const editable = node['editable'];
  if (isRecord(editable) && text(editable, 'name')) {
    return <EditableText node={node} />;
  }
  const style = textStyle(node);
  return (
    <p
      class={fits('vk-w-text', style, flag(node, 'truncate'))}
      data-size={pick(node, 'size', TEXT_SIZES)}
      data-streaming={flag(node, 'streaming') || undefined}
      style={style}
    >
      {text(node, 'value')}
    </p>
  );
}

/** A text that is a field of the form around it: as quiet as a text until it is touched. */
function EditableText({ node }: ViewProps) {
  const editable = isRecord(node['editable']) ? node['editable'] : {};
  const name = text(editable, 'name');
  const { id, labelled } = useField(name);
  const { trans } = useHost();
  const busy = useBusy();
  const ref = useRef<HTMLTextAreaElement>(null);
  const placeholder = text(editable, 'placeholder');
  const { problem, handlers } = useValidity(ref, id, text(editable, 'pattern'));
  useFirstFocus(ref, flag(editable, 'autoFocus'), flag(editable, 'autoSelect'));
  const autofill = flag(editable, 'allowAutofillExtensions');
  return (
    <span class="vk-w-editable">
      <textarea
        ref={ref}
        id={id}
        class="vk-w-text vk-w-edit"
        data-vk-field={name}
        data-size={pick(node, 'size', TEXT_SIZES)}
        style={textStyle(node)}
        rows={whole(node, 'minLines', 1, 50) ?? 1}
        defaultValue={text(node, 'value')}
        placeholder={placeholder}
        required={flag(editable, 'required')}
        readOnly={busy}
        autocomplete={/^[a-z -]{1,60}$/.test(text(editable, 'autoComplete')) ? text(editable, 'autoComplete') : 'off'}
        {...(autofill ? {} : { 'data-1p-ignore': '', 'data-lpignore': 'true' })}
        aria-label={labelled ? undefined : placeholder || trans.__('Edit %1', name)}
        {...handlers}
      />
      {problem}
    </span>
  );
}

/** Puts the cursor into a field when it first appears, and selects what is in it when it is entered. */
export function useFirstFocus(
  ref: { readonly current: HTMLInputElement | HTMLTextAreaElement | null },
  focus: boolean,
  select: boolean
): void {
  useLayoutEffect(() => {
    const field = ref.current;
    const onFocus = (): void => field?.select();
    if (select) {
      field?.addEventListener('focus', onFocus);
    }
    // Nobody is taken away from where they type.
    const active = document.activeElement;
    if (focus && (!active || active === document.body)) {
      field?.focus({ preventScroll: true });
    }
    return () => field?.removeEventListener('focus', onFocus);
  }, []);
}

export function Title({ node }: ViewProps) {
  const style = textStyle(node);
  return (
    <h3
      class={fits('vk-w-title', style, flag(node, 'truncate'))}
      data-size={pick(node, 'size', TITLE_SIZES)}
      style={style}
    >
      {text(node, 'value')}
    </h3>
  );
}

export function Caption({ node }: ViewProps) {
  const style = textStyle(node);
  return (
    <p
      class={fits('vk-w-caption', style, flag(node, 'truncate'))}
      data-size={pick(node, 'size', SIZES)}
      style={style}
    >
      {text(node, 'value')}
    </p>
  );
}

/** Until the part that makes Markdown safe is there, or where there is none, its source. */
export function Markdown({ node }: ViewProps) {
  const value = text(node, 'value');
  const markup = useLoaded('markup');
  const html = useMemo(() => markup && { __html: markup.markdownToHtml(value) }, [markup, value]);
  const streaming = flag(node, 'streaming') || undefined;
  return html ? (
    <div key="html" class="vk-w-markdown" data-streaming={streaming} dangerouslySetInnerHTML={html} />
  ) : (
    <div key="text" class="vk-w-markdown vk-w-source" data-streaming={streaming}>
      {value}
    </div>
  );
}

export function Label({ node }: ViewProps) {
  const name = text(node, 'fieldName');
  const { id, labelId } = useField(name);
  return (
    <label
      id={labelId}
      class="vk-w-label"
      for={id}
      data-size={pick(node, 'size', TEXT_SIZES)}
      style={textStyle(node)}
    >
      {text(node, 'value')}
    </label>
  );
}

const BADGE_COLOURS = ['secondary', 'success', 'danger', 'warning', 'info', 'discovery'] as const;

export function Badge({ node }: ViewProps) {
  return (
    <span
      class="vk-w-badge"
      data-tone={pick(node, 'color', BADGE_COLOURS) ?? 'secondary'}
      data-variant={pick(node, 'variant', ['solid', 'soft', 'outline']) ?? 'soft'}
      data-size={pick(node, 'size', SIZES)}
      data-pill={flag(node, 'pill') || undefined}
    >
      {text(node, 'label')}
    </span>
  );
}

/** Ours: how far something has come, in percent; without a value, that it goes on. */
export function Progress({ node }: ViewProps) {
  const value = whole(node, 'value', 0, 100);
  const label = text(node, 'label');
  const { trans } = useHost();
  const labelId = useElementId();
  return (
    <div class="vk-w-progress" data-streaming={flag(node, 'streaming') || undefined}>
      <div class="vk-w-progress-head">
        <span id={labelId}>{label || trans.__('Progress')}</span>
        {value !== undefined && <span aria-hidden="true">{value} %</span>}
      </div>
      <div
        class="vk-w-track"
        role="progressbar"
        aria-labelledby={labelId}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={value}
        data-unknown={value === undefined || undefined}
      >
        <span style={{ width: value === undefined ? '' : `${value}%` }} />
      </div>
    </div>
  );
}
