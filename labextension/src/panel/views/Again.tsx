/** "Run again with changes": a small form made from the arguments a task had. */
import { useState } from 'preact/hooks';
import type { Task } from '../../messages.gen';
import { type Field, argumentsOf, fieldsOf } from '../again';
import { Icon } from './Icon';
import { SheetFrame } from './Sheets';
import { usePanel } from './context';

interface InputProps {
  readonly field: Field;
  readonly id: string;
  readonly first: boolean;
  readonly error: string;
  readonly onChange: (value: string) => void;
}

function Input({ field, id, first, error, onChange }: InputProps) {
  const { trans } = usePanel();
  const common = {
    id,
    'data-vk-first': first,
    'aria-invalid': error !== '',
    ...(error ? { 'aria-describedby': `${id}-error` } : {})
  };
  switch (field.kind) {
    case 'flag':
      return (
        <input
          {...common}
          type="checkbox"
          checked={field.value === 'yes'}
          onChange={event => onChange(event.currentTarget.checked ? 'yes' : '')}
        />
      );
    case 'long':
    case 'list':
    case 'json':
      return (
        <textarea
          {...common}
          rows={Math.min(8, Math.max(2, field.value.split('\n').length + (field.kind === 'list' ? 1 : 0)))}
          spellcheck={false}
          value={field.value}
          onInput={event => onChange(event.currentTarget.value)}
        />
      );
    case 'number':
    case 'text':
      return (
        <input
          {...common}
          type="text"
          inputMode={field.kind === 'number' ? 'decimal' : 'text'}
          placeholder={field.value === '' ? trans.__('not given') : ''}
          autocomplete="off"
          spellcheck={false}
          value={field.value}
          onInput={event => onChange(event.currentTarget.value)}
        />
      );
  }
}

export function Again({ task }: { task: Task }) {
  const { send, store, say, trans } = usePanel();
  const [fields, setFields] = useState(() => fieldsOf(task));
  const [tried, setTried] = useState(false);
  const { arguments: given, errors } = argumentsOf(fields, task, trans);
  const change = (name: string, value: string): void =>
    setFields(fields.map(field => (field.name === name ? { ...field, value } : field)));
  const submit = (): void => {
    if (errors.size > 0) {
      setTried(true);
      return;
    }
    send({
      type: 'do',
      text: trans.__('Run again with changes: %1', task.tool),
      calls: [{ tool: task.tool, arguments: given }]
    });
    store.update({ place: 'tasks', sheets: [], filter: 'all', search: '' });
    say(trans.__('Running again.'));
  };
  return (
    <SheetFrame title={trans.__('Run again with changes')}>
      <form
        class="vk-sheet-body vk-form"
        onSubmit={event => {
          event.preventDefault();
          submit();
        }}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            submit();
          }
        }}
      >
        <p class="vk-hint">
          {trans.__('Task %1 stays as it was; this makes a new one of', task.id)} <code>{task.tool}</code>
        </p>
        {fields.length === 0 && <p>{trans.__('It takes no arguments.')}</p>}
        {fields.map((field, index) => {
          const id = `vk-again-${store.id}-${index}`;
          const error = tried ? (errors.get(field.name) ?? '') : '';
          return (
            <div key={field.name} class="vk-field" data-kind={field.kind}>
              <label for={id}>{field.name}</label>
              <Input
                field={field}
                id={id}
                first={index === 0}
                error={error}
                onChange={value => change(field.name, value)}
              />
              {field.kind === 'list' && <p class="vk-hint">{trans.__('One on each line.')}</p>}
              {error && (
                <p class="vk-field-error" id={`${id}-error`} role="alert">
                  {error}
                </p>
              )}
            </div>
          );
        })}
        <div class="vk-form-buttons">
          <button type="button" class="vk-button" onClick={() => store.close()}>
            {trans.__('Back')}
          </button>
          <button type="submit" class="vk-button vk-primary">
            <Icon name="retry" /> {trans.__('Run')}
          </button>
        </div>
      </form>
    </SheetFrame>
  );
}
