/** A field to search in, with a way to empty it. */
import type { ComponentChildren } from 'preact';
import { Icon } from './Icon';
import { usePanel } from './context';

export interface SearchBoxProps {
  readonly value: string;
  readonly label: string;
  readonly onChange: (value: string) => void;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  /** Whether it takes the focus when its sheet opens. */
  readonly first?: boolean;
  /** Stands at its end. */
  readonly children?: ComponentChildren;
}

export function SearchBox({ value, label, onChange, onKeyDown, first = false, children }: SearchBoxProps) {
  const { trans } = usePanel();
  return (
    <div class="vk-search">
      <Icon name="search" />
      <input
        type="text"
        role="searchbox"
        aria-label={label}
        placeholder={label}
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
        value={value}
        data-vk-first={first}
        onInput={event => onChange(event.currentTarget.value)}
        onKeyDown={event => {
          if (event.key === 'Escape' && value !== '') {
            event.preventDefault();
            event.stopPropagation();
            onChange('');
          } else {
            onKeyDown?.(event);
          }
        }}
      />
      {children}
      {value !== '' && (
        <button
          type="button"
          class="vk-icon-button"
          aria-label={trans.__('Empty the search')}
          title={trans.__('Empty the search')}
          onClick={() => onChange('')}
        >
          <Icon name="cross" />
        </button>
      )}
    </div>
  );
}
