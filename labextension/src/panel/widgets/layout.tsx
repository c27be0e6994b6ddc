/** What holds others: cards, lists, boxes, forms, tables. Responsible for their fields and roles. */
import type { ComponentChildren } from 'preact';
import { useContext, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { drawn, drawnFlat, drawnIn } from './draw';
import { Glyph } from './icons';
import { SafeImage } from './images';
import { type WidgetNode, childrenOf, flag, isRecord, keysOf, pick, text, whole } from './node';
import {
  type FormScope, FormContext, type Submit, type ViewProps, type WidgetAction, actionOf, useAction, useBusy, useContainer, useElementId,
  useHost
} from './scope';
import {
  LINES, SURFACES, type Style, blockStyle, borderOf, boxStyle, colourOf, layoutStyle, lengthOf, paddingOf, spaceOf
} from './style';
import { type Values, valuesOf } from './values';

const THEMES = ['light', 'dark'] as const;

interface FormProps {
  /** @param own what is to take the values in the form's place, if it asks for that. */
  readonly onSubmit: (values: Values, own: Submit | undefined) => void;
  readonly class: string;
  readonly style: Style;
  readonly children: ComponentChildren;
}

/**
 * A form. One within another is a group that submits by itself: HTML has no forms in forms.
 *
 * Enter in a field submits, as in any form.
 */
function FormBox({ onSubmit, class: name, style, children }: FormProps) {
  const outer = useContext(FormContext);
  const id = useElementId();
  const ref = useRef<HTMLElement | null>(null);
  const latest = useRef(onSubmit);
  latest.current = onSubmit;
  const form = useMemo((): FormScope => {
    const submit = (own?: Submit): void => {
      const fields = [...(ref.current?.querySelectorAll<HTMLInputElement>('[data-vk-field]') ?? [])];
      // All of them, so that each says what is wrong with it; the first is where to begin.
      const wrong = fields.filter(field => !field.checkValidity());
      if (wrong[0]) {
        wrong[0].focus();
      } else {
        latest.current(ref.current ? valuesOf(ref.current) : {}, own);
      }
    };
    return { id, values: () => (ref.current ? valuesOf(ref.current) : {}), submit };
  }, [id]);
  const take = (element: HTMLElement | null): void => void (ref.current = element);
  const inner = <FormContext.Provider value={form}>{children}</FormContext.Provider>;
  if (outer) {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === 'Enter' && event.target instanceof HTMLInputElement && !event.isComposing) {
        event.preventDefault();
        event.stopPropagation();
        form.submit();
      }
    };
    return (
      <div ref={take} role="group" class={name} style={style} onKeyDown={onKeyDown}>
        {inner}
      </div>
    );
  }
  return (
    <form
      ref={take}
      class={name}
      style={style}
      noValidate
      onSubmit={event => {
        event.preventDefault();
        event.stopPropagation();
        form.submit();
      }}
      onKeyDown={event => {
        // Without a submitting button, a browser submits a form of one field only.
        if (event.key === 'Enter' && !event.isComposing && isTextInput(event.target)) {
          event.preventDefault();
          form.submit();
        }
      }}
    >
      {inner}
    </form>
  );
}

function isTextInput(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit'].includes(target.type);
}

export function Form({ node }: ViewProps) {
  const { start } = useAction(node, 'container');
  const direction = pick(node, 'direction', ['row', 'col']) ?? 'col';
  return (
    <FormBox
      class={`vk-w-box vk-w-${direction}`}
      style={boxStyle(node)}
      onSubmit={(values, own) => {
        const action = actionOf(node['onSubmitAction']);
        if (action) {
          start(action, [], values);
        } else {
          own?.(values);
        }
      }}
    >
      {drawnIn(node)}
    </FormBox>
  );
}

function Status({ status }: { status: unknown }) {
  if (!isRecord(status) || !text(status, 'text')) {
    return null;
  }
  return (
    <div class="vk-w-status">
      {text(status, 'favicon') ? (
        <SafeImage class="vk-w-favicon" src={status['favicon']} alt="" frame={flag(status, 'frame')} />
      ) : (
        text(status, 'icon') && <Glyph name={text(status, 'icon')} />
      )}
      <span>{text(status, 'text')}</span>
    </div>
  );
}

interface CardButton {
  readonly label: string;
  readonly action: WidgetAction;
}

function cardButton(value: unknown): CardButton | null {
  const action = isRecord(value) ? actionOf(value['action']) : null;
  return isRecord(value) && action ? { label: text(value, 'label'), action } : null;
}

interface CardFootProps {
  readonly card: WidgetNode;
  readonly confirm: CardButton | null;
  readonly cancel: CardButton | null;
}

function CardFoot({ card, confirm, cancel }: CardFootProps) {
  const { trans } = useHost();
  const form = useContext(FormContext);
  const busy = useBusy();
  const { start } = useAction(card, 'container');
  if (!confirm && !cancel) {
    return null;
  }
  return (
    <footer class="vk-w-foot">
      {cancel && (
        <button
          type="button"
          class="vk-w-button"
          data-tone="secondary"
          data-variant="outline"
          aria-disabled={busy || undefined}
          onClick={() => start(cancel.action)}
        >
          {cancel.label || trans.__('Cancel')}
        </button>
      )}
      {confirm && (
        <button
          type="button"
          class="vk-w-button"
          data-tone="primary"
          data-variant="solid"
          aria-disabled={busy || undefined}
          onClick={() => (form ? form.submit(values => start(confirm.action, [], values)) : start(confirm.action))}
        >
          {busy && <span class="vk-w-spinner" aria-hidden="true" />}
          {confirm.label || trans.__('Confirm')}
        </button>
      )}
    </footer>
  );
}

export function Card({ node }: ViewProps) {
  const { trans } = useHost();
  const container = useContainer();
  const [opened, setOpened] = useState(false);
  const collapsed = flag(node, 'collapsed');
  const confirm = cardButton(node['confirm']);
  const cancel = cardButton(node['cancel']);
  const padded = paddingOf(node);
  const body = (
    <>
      <div class="vk-w-body">{drawnIn(node)}</div>
      <CardFoot card={node} confirm={confirm} cancel={cancel} />
    </>
  );
  const background = colourOf(node['background'], SURFACES);
  return (
    <section
      class="vk-w-card"
      data-size={pick(node, 'size', ['sm', 'md', 'lg', 'full']) ?? 'md'}
      data-vk-theme={pick(node, 'theme', THEMES)}
      data-forced={pick(node, 'theme', THEMES)}
      aria-busy={container.busy}
      style={{ ...(background ? { backgroundColor: background } : {}), ...borderOf(node['border']) }}
    >
      {container.wrap(
        <>
          <Status status={node['status']} />
          {collapsed && (
            <button
              type="button"
              class="vk-w-plain vk-w-unfold"
              aria-expanded={opened}
              onClick={() => setOpened(!opened)}
            >
              {opened ? trans.__('Hide details') : trans.__('Show details')}
            </button>
          )}
          {(!collapsed || opened) &&
            (flag(node, 'asForm') ? (
              <CardForm card={node} style={padded} action={confirm?.action ?? null}>
                {body}
              </CardForm>
            ) : (
              <div class="vk-w-card-inner" style={padded}>
                {body}
              </div>
            ))}
        </>
      )}
    </section>
  );
}

interface CardFormProps {
  readonly card: WidgetNode;
  readonly style: Style;
  readonly action: WidgetAction | null;
  readonly children: ComponentChildren;
}

/** Within the card's container, so that the whole card waits. */
function CardForm({ card, style, action, children }: CardFormProps) {
  const { start } = useAction(card, 'container');
  return (
    <FormBox
      class="vk-w-card-inner"
      style={style}
      onSubmit={(values, own) => {
        if (own) {
          own(values);
        } else if (action) {
          start(action, [], values);
        }
      }}
    >
      {children}
    </FormBox>
  );
}

/** How many items `limit: 'auto'` shows. */
const AUTO_LIMIT = 10;

export function ListView({ node }: ViewProps) {
  const { trans } = useHost();
  const container = useContainer();
  const [shown, setShown] = useState(1);
  const items = childrenOf(node);
  const limit = node['limit'] === 'auto' ? AUTO_LIMIT : (whole(node, 'limit', 1, items.length || 1) ?? items.length);
  const visible = items.slice(0, limit * shown);
  const rest = items.length - visible.length;
  const keys = keysOf(visible);
  return (
    <section
      class="vk-w-list"
      data-vk-theme={pick(node, 'theme', THEMES)}
      data-forced={pick(node, 'theme', THEMES)}
      aria-busy={container.busy}
    >
      {container.wrap(
        <>
          <Status status={node['status']} />
          <ul>
            {visible.map((item, at) => (
              <li key={keys[at]}>{drawn([item])}</li>
            ))}
          </ul>
          {rest > 0 && (
            <button type="button" class="vk-w-plain vk-w-more" onClick={() => setShown(shown + 1)}>
              {trans._n('Show %1 more', 'Show %1 more', Math.min(rest, limit))}
            </button>
          )}
        </>
      )}
    </section>
  );
}

/**
 * An item that can be clicked has a button of its own below its content: what is in the item stays usable,
 * and a screen reader hears one button, named by the item's words.
 */
export function ListViewItem({ node }: ViewProps) {
  const action = actionOf(node['onClickAction']);
  const { running, start } = useAction(node, 'self');
  const busy = useBusy();
  const id = useElementId();
  return (
    <div class="vk-w-item" data-action={action ? true : undefined} aria-busy={running || undefined}>
      {action && (
        <button
          type="button"
          class="vk-w-item-button"
          aria-labelledby={id}
          aria-disabled={running || busy || undefined}
          onClick={() => start(action)}
        />
      )}
      <div id={id} class="vk-w-box vk-w-row vk-w-item-content" style={layoutStyle(node)}>
        {drawnIn(node)}
      </div>
      {running && <span class="vk-w-spinner" aria-hidden="true" />}
    </div>
  );
}

export function Basic({ node }: ViewProps) {
  const container = useContainer();
  const direction = pick(node, 'direction', ['row', 'col']) ?? 'col';
  return (
    <div
      class={`vk-w-box vk-w-basic vk-w-${direction}`}
      data-vk-theme={pick(node, 'theme', THEMES)}
      data-forced={pick(node, 'theme', THEMES)}
      aria-busy={container.busy}
      style={layoutStyle(node)}
    >
      {container.wrap(drawnIn(node))}
    </div>
  );
}

function box(node: WidgetNode, direction: 'row' | 'col') {
  return (
    <div class={`vk-w-box vk-w-${direction}`} style={boxStyle(node)}>
      {drawnIn(node)}
    </div>
  );
}

export const Box = ({ node }: ViewProps) => box(node, pick(node, 'direction', ['row', 'col']) ?? 'col');
export const Row = ({ node }: ViewProps) => box(node, 'row');
export const Col = ({ node }: ViewProps) => box(node, 'col');

export function Spacer({ node }: ViewProps) {
  const least = lengthOf(node['minSize']);
  return <div class="vk-w-spacer" style={least ? { flexBasis: least, minWidth: least, minHeight: least } : {}} />;
}

export function Divider({ node }: ViewProps) {
  const size = lengthOf(node['size']);
  const colour = colourOf(node['color'], LINES);
  const spacing = spaceOf(node['spacing']);
  return (
    <hr
      class="vk-w-divider"
      data-flush={flag(node, 'flush') || undefined}
      style={{
        ...(size ? { '--vk-w-thickness': size } : {}),
        ...(colour ? { '--vk-w-divider': colour } : {}),
        ...(spacing ? { '--vk-w-spacing': spacing } : {})
      }}
    />
  );
}

const TRANSITION_MS = 180;

/** Grows or shrinks to its child, which fades in when it is another one; at once where motion is unwanted. */
export function Transition({ node }: ViewProps) {
  const ref = useRef<HTMLDivElement>(null);
  const height = useRef<number | null>(null);
  useLayoutEffect(() => {
    const box = ref.current;
    if (!box) {
      return;
    }
    const before = height.current;
    const after = box.offsetHeight;
    height.current = after;
    const still = window.matchMedia?.('(prefers-reduced-motion: reduce)').matches;
    if (before !== null && before !== after && !still) {
      box.animate?.([{ height: `${before}px` }, { height: `${after}px` }], { duration: TRANSITION_MS, easing: 'ease' });
    }
  });
  return (
    <div ref={ref} class="vk-w-transition">
      {drawnIn(node)}
    </div>
  );
}

const CELL_WIDTHS = { xs: '64px', sm: '96px', md: '144px', lg: '208px', xl: '288px' } as const;
const CELL_ALIGN = ['start', 'center', 'end'] as const;
const CELL_VERTICAL = { start: 'top', center: 'middle', end: 'bottom' } as const;

function cellStyle(node: WidgetNode): Style {
  const size = pick(node, 'colSize', ['xs', 'sm', 'md', 'lg', 'xl']);
  const width = lengthOf(node['width']) ?? (size && CELL_WIDTHS[size]);
  const align = pick(node, 'align', CELL_ALIGN);
  const vertical = pick(node, 'vAlign', CELL_ALIGN);
  return {
    ...(width ? { width, minWidth: width } : {}),
    ...(align ? { textAlign: align, '--vk-w-cell': align === 'center' ? 'center' : `flex-${align}` } : {}),
    ...(vertical ? { verticalAlign: CELL_VERTICAL[vertical] } : {}),
    ...paddingOf(node)
  };
}

/** Cells are drawn with their row: a table has so many of them. */
function cell(node: WidgetNode, key: string, header: boolean) {
  const fields = {
    style: cellStyle(node),
    colSpan: whole(node, 'colSpan', 1, 100) ?? 1,
    rowSpan: whole(node, 'rowSpan', 1, 1_000) ?? 1
  };
  return header ? (
    <th key={key} scope="col" {...fields}>
      {drawnFlat(node)}
    </th>
  ) : (
    <td key={key} {...fields}>
      {drawnFlat(node)}
    </td>
  );
}

export function TableRow({ node }: ViewProps) {
  const cells = childrenOf(node);
  const keys = keysOf(cells);
  const header = flag(node, 'header');
  return <tr>{cells.map((each, at) => cell(each, keys[at] ?? '', header))}</tr>;
}

/** A cell outside of a table is a box. */
export const TableCell = ({ node }: ViewProps) => <div style={blockStyle(node)}>{drawnIn(node)}</div>;

export function Table({ node }: ViewProps) {
  const { trans } = useHost();
  const rows = childrenOf(node).filter(row => row.type === 'Table.Row');
  const body = rows.findIndex(row => !flag(row, 'header'));
  const heads = body < 0 ? rows.length : body;
  return (
    <div class="vk-w-table" role="region" tabIndex={0} aria-label={trans.__('Table')}>
      <table>
        {heads > 0 && <thead>{drawn(rows.slice(0, heads))}</thead>}
        <tbody>{drawn(rows.slice(heads))}</tbody>
      </table>
    </div>
  );
}
