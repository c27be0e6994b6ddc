/** A day: typed into the browser's own field, or picked from a calendar that opens where it is asked for. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { dateOf, dayOf, daysLater, firstOfWeek, monthsLater, today, weekday, weeksOf, within } from './calendar';
import { CONTROL_SIZES, CONTROL_VARIANTS, label, useDefault } from './controls';
import { Glyph } from './icons';
import { flag, pick, text } from './node';
import { ALIGNMENTS, Popup, SIDES } from './popup';
import { type ViewProps, actionOf, useAction, useBusy, useElementId, useField, useHost } from './scope';
import { useValidity } from './validity';

export function DatePicker({ node }: ViewProps) {
  const name = text(node, 'name');
  const { id, labelled } = useField(name);
  const { trans } = useHost();
  const busy = useBusy();
  const ref = useRef<HTMLInputElement>(null);
  const box = useRef<HTMLSpanElement>(null);
  const popup = useElementId();
  const { running, start } = useAction(node, 'none');
  const { problem, handlers } = useValidity(ref, id);
  const action = actionOf(node['onChangeAction']);
  const placeholder = text(node, 'placeholder');
  const [min, max] = [dayOf(node['min']), dayOf(node['max'])];
  const day = dayOf(node['defaultValue']);
  const [empty, setEmpty] = useState(day === '');
  const [open, setOpen] = useState(false);
  const { touch } = useDefault(ref, day);
  const disabled = flag(node, 'disabled');
  const waits = busy || running;
  const changed = (field: HTMLInputElement): void => {
    touch();
    setEmpty(field.value === '');
    if (action && field.validity.valid) {
      start(action, [[name, field.value]]);
    }
  };
  const put = (value: string): void => {
    if (ref.current) {
      ref.current.value = value;
      ref.current.focus();
      // What was wrong with it is told no longer.
      ref.current.dispatchEvent(new Event('input', { bubbles: true }));
      changed(ref.current);
    }
  };
  return (
    <span class="vk-w-field" data-block={flag(node, 'block') || undefined}>
      <span ref={box} class="vk-w-day">
        <input
          ref={ref}
          id={id}
          type="date"
          class="vk-w-input vk-w-date"
          data-vk-field={name}
          data-variant={pick(node, 'variant', CONTROL_VARIANTS) ?? 'outline'}
          data-size={pick(node, 'size', CONTROL_SIZES)}
          data-pill={flag(node, 'pill') || undefined}
          data-placeholder={empty && placeholder ? placeholder : undefined}
          min={min || undefined}
          max={max || undefined}
          disabled={disabled}
          readOnly={waits}
          aria-busy={running || undefined}
          {...label(labelled, placeholder, name)}
          {...handlers}
          onChange={event => changed(event.currentTarget)}
          onKeyDown={event => {
            // With these a browser opens its own calendar, which stands where the browser puts it.
            if (event.key === 'F4' || event.key === ' ' || (event.altKey && event.key === 'ArrowDown')) {
              event.preventDefault();
              setOpen(!waits);
            }
          }}
        />
        {flag(node, 'clearable') && !empty && !disabled && (
          <button type="button" class="vk-w-clear" aria-label={trans.__('Clear')} aria-disabled={waits || undefined} onClick={() => put('')}>
            ×
          </button>
        )}
        <button
          type="button"
          class="vk-w-calendar-button"
          aria-label={trans.__('Calendar')}
          aria-haspopup="dialog"
          aria-expanded={open}
          aria-controls={open ? popup : undefined}
          aria-disabled={waits || undefined}
          disabled={disabled}
          onClick={() => setOpen(!open)}
        >
          <Glyph name="calendar" size="sm" />
        </button>
      </span>
      {open && (
        <Popup
          id={popup}
          anchor={box}
          side={pick(node, 'side', SIDES)}
          align={pick(node, 'align', ALIGNMENTS)}
          label={placeholder || trans.__('Calendar')}
          onClose={byKey => {
            setOpen(false);
            if (byKey) {
              ref.current?.focus();
            }
          }}
        >
          <Calendar
            value={ref.current?.value ?? ''}
            min={min}
            max={max}
            onPick={picked => {
              setOpen(false);
              put(picked);
            }}
          />
        </Popup>
      )}
      {problem}
    </span>
  );
}

interface CalendarProps {
  readonly value: string;
  readonly min: string;
  readonly max: string;
  readonly onPick: (day: string) => void;
}

/** A month as a grid. Arrows go by days and weeks, Home and End within a week, Page up and down by months. */
function Calendar({ value, min, max, onPick }: CalendarProps) {
  const { trans } = useHost();
  const { locale } = trans;
  const grid = useRef<HTMLTableElement>(null);
  const title = useElementId();
  const [cursor, setCursor] = useState(() => within(value || today(), min, max));
  /** Whether the last step was by a key: then the focus goes along. */
  const keyed = useRef(false);
  const first = firstOfWeek(locale);
  const weeks = weeksOf(cursor, first);
  const show = (day: string, options: Intl.DateTimeFormatOptions): string =>
    dateOf(day).toLocaleDateString(locale, { ...options, timeZone: 'UTC' });
  useLayoutEffect(() => {
    if (keyed.current) {
      grid.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus({ preventScroll: true });
    }
  }, [cursor]);
  const go = (day: string, byKey: boolean): void => {
    keyed.current = byKey;
    setCursor(within(day, min, max));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const back = document.dir === 'rtl' ? 1 : -1;
    const place = weekday(cursor, first);
    const steps: Readonly<Record<string, () => string>> = {
      ArrowLeft: () => daysLater(cursor, back),
      ArrowRight: () => daysLater(cursor, -back),
      ArrowUp: () => daysLater(cursor, -7),
      ArrowDown: () => daysLater(cursor, 7),
      Home: () => daysLater(cursor, -place),
      End: () => daysLater(cursor, 6 - place),
      PageUp: () => monthsLater(cursor, event.shiftKey ? -12 : -1),
      PageDown: () => monthsLater(cursor, event.shiftKey ? 12 : 1)
    };
    const step = Object.hasOwn(steps, event.key) ? steps[event.key] : undefined;
    if (step) {
      event.preventDefault();
      go(step(), true);
    }
  };
  const turn = (months: number, words: string, sign: string) => {
    const to = monthsLater(cursor, months);
    const none = within(to, min, max).slice(0, 7) === cursor.slice(0, 7);
    return (
      <button type="button" class="vk-w-plain vk-w-turn" aria-label={words} aria-disabled={none || undefined} onClick={() => go(to, false)}>
        <Glyph name={sign} size="sm" />
      </button>
    );
  };
  return (
    <div class="vk-w-calendar">
      <div class="vk-w-calendar-head">
        {turn(-1, trans.__('Previous month'), 'chevron-left')}
        <span id={title} aria-live="polite">
          {show(cursor, { month: 'long', year: 'numeric' })}
        </span>
        {turn(1, trans.__('Next month'), 'chevron-right')}
      </div>
      <table ref={grid} role="grid" aria-labelledby={title} onKeyDown={onKeyDown}>
        <thead>
          <tr>
            {weeks[0]?.map(day => (
              <th key={day} scope="col" abbr={show(day, { weekday: 'long' })}>
                {show(day, { weekday: 'short' })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map(week => (
            <tr key={week[0]}>
              {week.map(day => (
                <td key={day} aria-selected={day === value}>
                  <button
                    type="button"
                    tabIndex={day === cursor ? 0 : -1}
                    aria-label={show(day, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })}
                    aria-current={day === today() ? 'date' : undefined}
                    aria-disabled={within(day, min, max) !== day || undefined}
                    data-other={day.slice(0, 7) !== cursor.slice(0, 7) || undefined}
                    onClick={() => within(day, min, max) === day && onPick(day)}
                  >
                    {Number(day.slice(8))}
                  </button>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
