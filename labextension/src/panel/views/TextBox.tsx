/** Typing instead of talking: the same words, the same way. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Snapshot } from '../store';
import { Icon } from './Icon';
import { usePanel } from './context';

const MAX_TEXT = 10_000;
/** What one message carries, and the kernel takes. */
const MAX_FILE_BYTES = 8_000_000;

/** What was said before, newest first, each once. */
function historyOf(snapshot: Snapshot): string[] {
  const said = [...snapshot.session.turns.values()]
    .filter(turn => turn.text && !turn.partial && turn.parent_id === null)
    .map(turn => turn.text)
    .reverse();
  return [...new Set(said)];
}

export function TextBox({ snapshot }: { snapshot: Snapshot }) {
  const { send, store, say, trans } = usePanel();
  const ref = useRef<HTMLTextAreaElement>(null);
  const [recalled, setRecalled] = useState(-1);
  const { ui, session } = snapshot;
  const correcting = ui.correcting === null ? undefined : session.turns.get(ui.correcting);
  const id = `vk-text-${store.id}`;
  const usable = ui.connection === 'open';

  useEffect(() => {
    if (ui.focusDraft > 0) {
      ref.current?.focus();
      ref.current?.setSelectionRange(ui.draft.length, ui.draft.length);
    }
  }, [ui.focusDraft]);
  useLayoutEffect(() => {
    const area = ref.current;
    if (area) {
      area.style.height = 'auto';
      area.style.height = `${Math.min(area.scrollHeight, 120)}px`;
    }
  }, [ui.draft]);

  // The store is ahead of what was drawn: a fast typist presses Enter within the same frame.
  const submit = (): void => {
    const { draft, correcting: corrected } = store.snapshot.ui;
    const text = draft.trim();
    if (!text || !usable) {
      return;
    }
    send({ type: 'say', text, corrects_turn_id: corrected });
    setRecalled(-1);
    store.update({ draft: '', correcting: null });
  };
  const recall = (step: number): void => {
    const history = historyOf(snapshot);
    const next = Math.max(-1, Math.min(history.length - 1, recalled + step));
    setRecalled(next);
    store.update({ draft: next < 0 ? '' : (history[next] ?? '') });
  };
  /** Files become `@name` in the text; what is in them is read when the question is asked. */
  const attach = async (files: Iterable<File>): Promise<void> => {
    for (const file of files) {
      if (file.size > MAX_FILE_BYTES) {
        say(trans.__('%1 is too large: 8 MB at most.', file.name));
        continue;
      }
      send({ type: 'attach', name: file.name, size: file.size }, [await file.arrayBuffer()]);
      const { draft } = store.snapshot.ui;
      const name = /^[\w./-]+$/.test(file.name) ? `@${file.name}` : `@"${file.name}"`;
      store.update({
        draft: `${draft}${draft === '' || draft.endsWith(' ') ? '' : ' '}${name} `,
        focusDraft: store.snapshot.ui.focusDraft + 1
      });
    }
  };
  const filesOf = (data: DataTransfer | null): File[] => [...(data?.files ?? [])];
  const onKeyDown = (event: KeyboardEvent): void => {
    // While an input method composes, Enter picks a candidate.
    if (event.isComposing) {
      return;
    }
    const { draft } = store.snapshot.ui;
    const oneLine = !draft.includes('\n');
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      submit();
    } else if (event.key === 'ArrowUp' && oneLine) {
      event.preventDefault();
      recall(1);
    } else if (event.key === 'ArrowDown' && oneLine && recalled >= 0) {
      event.preventDefault();
      recall(-1);
    } else if (event.key === 'Escape' && (draft || correcting)) {
      event.stopPropagation();
      setRecalled(-1);
      store.update({ draft: '', correcting: null });
    }
  };

  return (
    <form
      class="vk-say"
      onDragOver={event => {
        if (event.dataTransfer?.types.includes('Files')) {
          event.preventDefault();
        }
      }}
      onDrop={event => {
        const files = filesOf(event.dataTransfer);
        if (files.length > 0) {
          event.preventDefault();
          void attach(files);
        }
      }}
      onPaste={event => {
        const files = filesOf(event.clipboardData);
        if (files.length > 0) {
          event.preventDefault();
          void attach(files);
        }
      }}
      onSubmit={event => {
        event.preventDefault();
        submit();
      }}
    >
      {correcting && (
        <p class="vk-correcting">
          <Icon name="edit" />
          <span>{trans.__('Correcting “%1”', correcting.text)}</span>
          <button
            type="button"
            class="vk-icon-button"
            aria-label={trans.__('Stop correcting')}
            title={trans.__('Stop correcting')}
            onClick={() => store.update({ draft: '', correcting: null })}
          >
            <Icon name="cross" />
          </button>
        </p>
      )}
      <div class="vk-say-row">
        <label class="vk-hidden" for={id}>
          {trans.__('Type a command')}
        </label>
        <textarea
          ref={ref}
          id={id}
          class="vk-text"
          rows={1}
          maxLength={MAX_TEXT}
          placeholder={trans.__('Type a command')}
          autocomplete="off"
          spellcheck={false}
          value={ui.draft}
          onInput={event => store.update({ draft: event.currentTarget.value })}
          onKeyDown={onKeyDown}
        />
        <button
          type="submit"
          class="vk-icon-button vk-send"
          aria-label={correcting ? trans.__('Run the corrected command') : trans.__('Send')}
          title={trans.__('Send (Enter)')}
          aria-disabled={!ui.draft.trim() || !usable}
        >
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}
