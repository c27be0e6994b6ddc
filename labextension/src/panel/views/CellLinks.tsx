/** Leads from a result to the cells it is about, where the host shows them. */
import type { Result } from '../../messages.gen';
import { usePanel } from './context';

const MAX_LINKS = 8;

interface Cell {
  readonly id: string;
  readonly position: number;
}

function isCell(value: unknown): value is Cell {
  const cell = value as Partial<Cell> | null;
  return typeof cell === 'object' && typeof cell?.id === 'string' && typeof cell.position === 'number';
}

/** The cells that a result names; the one that failed, if one did. */
function cellsOf(result: Result): Cell[] {
  const { failed_cell: failed, cells } = result.data;
  return isCell(failed) ? [failed] : Array.isArray(cells) ? cells.filter(isCell) : [];
}

export function CellLinks({ result }: { result: Result }) {
  const { showsCells, trans } = usePanel();
  const cells = showsCells ? cellsOf(result) : [];
  if (cells.length === 0 || cells.length > MAX_LINKS) {
    return null;
  }
  return (
    <p class="vk-cell-links">
      {cells.map(({ id, position }) => (
        // The host follows these: it knows the notebook that they are in.
        <a key={id} href={`#cell-id=${encodeURIComponent(id)}`}>
          {trans.__('Cell %1', position)}
        </a>
      ))}
    </p>
  );
}
