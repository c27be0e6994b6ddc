import { describe, expect, it } from 'vitest';
import { type Named, find, plain } from '../src/command';

const command = (id: string, label: string, enabled = true): Named => ({ id, label, enabled });
const COMMANDS = [
  command('notebook:run-all-cells', 'Run All Cells'),
  command('runmenu:run-all', 'Run All Cells', true),
  command('notebook:run-all-above', 'Run All Above Selected Cell'),
  command('notebook:toggle-all-cell-line-numbers', 'Show Line Numbers'),
  command('filebrowser:delete', 'Delete', true),
  command('docmanager:save', 'Save Notebook'),
  command('docmanager:save-as', 'Save Notebook As…'),
  command('terminal:create-new', 'New Terminal'),
  command('help:about', 'About JupyterLab')
];

function found(label: string): string | readonly string[] {
  const result = find(label, COMMANDS);
  return 'command' in result ? result.command.id : result.closest;
}

describe('a command by its name', () => {
  it('is found whatever the case and the dots', () => {
    expect(found('run all cells')).toBe('notebook:run-all-cells');
    expect(found('Save notebook as')).toBe('docmanager:save-as');
    expect(found('save notebook')).toBe('docmanager:save');
  });

  it('is found when it was nearly said', () => {
    expect(found('show line number')).toBe('notebook:toggle-all-cell-line-numbers');
    expect(found('new terminals')).toBe('terminal:create-new');
  });

  it('counts as said only when it was said so', () => {
    expect(plain('run all cells')).toBe(plain('Run All Cells…'));
    expect(plain('resart kernel')).not.toBe(plain('Restart Kernel…'));
  });

  it('is not guessed', () => {
    expect(found('make coffee')).toHaveLength(3);
    expect(found('delete everything now')).not.toBe('filebrowser:delete');
    expect(find('', COMMANDS)).toHaveProperty('closest');
  });

  it("prefers the notebook's own, and one that can be used", () => {
    const same = [command('a:x', 'Clear', true), command('notebook:x', 'Clear', false)];
    expect(find('clear', same)).toMatchObject({ command: { id: 'a:x' } });
    same.push(command('notebook:y', 'Clear', true));
    expect(find('clear', same)).toMatchObject({ command: { id: 'notebook:y' } });
  });
});
