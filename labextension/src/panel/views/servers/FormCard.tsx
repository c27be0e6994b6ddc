/** A form that an MCP server asks a person to fill in while a tool of it runs. Nothing goes out unless sent. */
import { useEffect, useState } from 'preact/hooks';
import type { Approval, FormField } from '../../../messages.gen';
import { Icon, usePanel } from '../../shared';

type Value = string | boolean | readonly string[];
type Values = Readonly<Record<string, Value>>;

/** A click that was already on its way when the card appeared must not send it. */
const GUARD_MS = 500;

function initial(field: FormField): Value {
  const { kind, default: given } = field;
  if (kind === 'boolean') {
    return given === true;
  }
  if (kind === 'choices') {
    return Array.isArray(given) ? given : [];
  }
  return given === null ? '' : String(given);
}

/** What goes to the server: numbers as numbers, and nothing for what was left empty. */
function outgoing(fields: readonly FormField[], values: Values): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const field of fields) {
    const value = values[field.name];
    const isNumber = field.kind === 'number' || field.kind === 'integer';
    if (value !== '' && value !== undefined) {
      found[field.name] = isNumber ? Number(value) : value;
    }
  }
  return found;
}

function Field({ field, value, onChange }: { field: FormField; value: Value; onChange: (value: Value) => void }) {
  const name = field.title || field.name;
  const label = (index: number): string => field.labels[index] ?? field.choices[index] ?? '';
  if (field.kind === 'boolean') {
    return (
      <label class="vk-check">
        <input type="checkbox" checked={value === true} onChange={event => onChange(event.currentTarget.checked)} />
        <span>
          {name} {field.description && <span class="vk-hint">{field.description}</span>}
        </span>
      </label>
    );
  }
  if (field.kind === 'choices') {
    const chosen = Array.isArray(value) ? (value as readonly string[]) : [];
    return (
      <fieldset class="vk-server-field">
        <legend>{name}</legend>
        {field.choices.map((choice, index) => (
          <label key={choice} class="vk-check">
            <input
              type="checkbox"
              checked={chosen.includes(choice)}
              onChange={event => onChange(event.currentTarget.checked ? [...chosen, choice] : chosen.filter(each => each !== choice))}
            />
            <span>{label(index)}</span>
          </label>
        ))}
      </fieldset>
    );
  }
  const isNumber = field.kind === 'number' || field.kind === 'integer';
  return (
    <label class="vk-server-field">
      <span>
        {name} {field.description && <span class="vk-hint">{field.description}</span>}
      </span>
      {field.kind === 'choice' ? (
        <select value={String(value)} required={field.required} onChange={event => onChange(event.currentTarget.value)}>
          {(!field.required || value === '') && <option value="">–</option>}
          {field.choices.map((choice, index) => (
            <option key={choice} value={choice}>
              {label(index)}
            </option>
          ))}
        </select>
      ) : isNumber ? (
        <input
          type="number"
          step={field.kind === 'integer' ? 1 : 'any'}
          required={field.required}
          value={String(value)}
          onInput={event => onChange(event.currentTarget.value)}
        />
      ) : (
        <input type="text" required={field.required} value={String(value)} onInput={event => onChange(event.currentTarget.value)} />
      )}
    </label>
  );
}

export function FormCard({ approval }: { approval: Approval }) {
  const { send, store, trans } = usePanel();
  const { id, fields, target, reason } = approval;
  const [values, setValues] = useState<Values>(() => Object.fromEntries(fields.map(field => [field.name, initial(field)])));
  const [armed, setArmed] = useState(false);
  useEffect(() => {
    send({ type: 'approval_shown', approval_id: id });
    const timer = setTimeout(() => setArmed(true), GUARD_MS);
    return () => clearTimeout(timer);
  }, []);
  const titleId = `vk-form-${store.id}-${id}`;
  const decline = (): void => send({ type: 'decide', approval_id: id, approved: false, values: {} });
  return (
    <form
      class="vk-approval vk-form-card"
      aria-labelledby={titleId}
      data-approval={id}
      onSubmit={event => {
        event.preventDefault();
        if (armed) {
          send({ type: 'decide', approval_id: id, approved: true, values: outgoing(fields, values) });
        }
      }}
    >
      <div class="vk-approval-head">
        <Icon name="help" />
        <h3 id={titleId}>{trans.__('The MCP server %1 asks', target)}</h3>
      </div>
      <p class="vk-reason">{reason}</p>
      <p class="vk-hint">{trans.__('What you fill in goes to this server. Never enter a password here.')}</p>
      {fields.map(field => (
        <Field
          key={field.name}
          field={field}
          value={values[field.name] ?? ''}
          onChange={value => setValues({ ...values, [field.name]: value })}
        />
      ))}
      <div class="vk-approval-buttons">
        <button type="button" class="vk-button" onClick={decline}>
          {trans.__('Decline')}
        </button>
        <button type="submit" class="vk-button vk-primary" aria-disabled={!armed}>
          {trans.__('Send')}
        </button>
      </div>
    </form>
  );
}
