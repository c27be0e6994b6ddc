/** The catalogues hold every text of the sources, and nothing else, with the same places for values. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import german from '../src/panel/locale/de.json';
import type { Catalogue } from '../src/panel/translation';

const SOURCES = join(import.meta.dirname, '..', 'src');
/** What JupyterLab shows in its own language, before there is a session. */
const OF_THE_LAB = ['index.ts', 'sidebar.ts', 'status.ts'];
const LAB_CATALOGUE = join(SOURCES, '..', '..', 'voice_kernel', 'locale', 'de_DE', 'LC_MESSAGES', 'voice_kernel.json');
const SCHEMA = join(SOURCES, '..', 'schema', 'plugin.json');

type Text = readonly [one: string, many?: string];

function sources(folder = SOURCES): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** The texts that a file hands to `__` and `_n`, each of which must stand there as it is. */
function textsOf(path: string): Text[] {
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true, kind);
  const found: Text[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const name = node.expression.name.text;
      const own = path.endsWith('translation.ts'); // hands on what it is given
      if ((name === '__' || name === '_n') && !own) {
        const texts = node.arguments.slice(0, name === '_n' ? 2 : 1);
        if (texts.every(ts.isStringLiteralLike)) {
          found.push(texts.map(text => text.text) as unknown as Text);
        } else {
          throw new Error(`${path}: ${node.getText()} cannot be found by a translator`);
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

const places = (text: string): string[] => [...text.matchAll(/%%|%\d/g)].map(([place]) => place).sort();

/** What a catalogue lacks, has too much, or has with other values. */
function problems(catalogue: Catalogue, texts: readonly Text[], where: string): string[] {
  const found: string[] = [];
  for (const [one, many] of new Map(texts.map(text => [JSON.stringify(text), text])).values()) {
    const entry = catalogue[one];
    const forms = typeof entry === 'string' ? [entry] : (entry ?? []);
    const wanted = many === undefined ? [one] : [one, many];
    if (entry === undefined || forms.some(form => form.trim() === '')) {
      found.push(`${where} lacks ${JSON.stringify(many === undefined ? one : [one, many])}`);
    } else if (forms.length !== wanted.length) {
      found.push(`${where} needs ${wanted.length} form(s) of ${JSON.stringify(one)}`);
    } else if (JSON.stringify(forms.map(places)) !== JSON.stringify(wanted.map(places))) {
      found.push(`${where} has other values in ${JSON.stringify(one)}`);
    }
  }
  const known = new Set(texts.map(([one]) => one));
  return [...found, ...Object.keys(catalogue).filter(one => !known.has(one)).map(one => `${where} is stale: ${JSON.stringify(one)}`)];
}

describe('the German catalogue', () => {
  it('has every text of the panel, and none that is gone', () => {
    const texts = sources()
      .filter(path => !['index.ts', 'sidebar.ts'].some(name => path === join(SOURCES, name)))
      .flatMap(textsOf);
    expect(texts.length).toBeGreaterThan(400);
    expect(problems(german, texts, 'src/panel/locale/de.json')).toEqual([]);
  });

  it('has what JupyterLab shows of the extension, in the form that JupyterLab reads', () => {
    const { '': head, ...entries } = JSON.parse(readFileSync(LAB_CATALOGUE, 'utf8')) as Record<string, string[]> & { '': object };
    expect(head).toMatchObject({ domain: 'voice_kernel', language: 'de-DE' });
    const texts = OF_THE_LAB.flatMap(name => textsOf(join(SOURCES, name))).concat(settings());
    const catalogue = Object.fromEntries(
      Object.entries(entries).map(([text, forms]) => [text, forms.length === 1 ? forms[0]! : forms])
    );
    expect(problems(catalogue, texts, 'voice_kernel/locale/de_DE/LC_MESSAGES/voice_kernel.json')).toEqual([]);
  });

  it('is found wanting when it is', () => {
    const texts: Text[] = [['Cell %1'], ['%1 file', '%1 files'], ['Gone']];
    expect(problems({ 'Cell %1': 'Zelle', '%1 file': ['%1 Datei', '%1 Dateien'], Old: 'Alt' }, texts, 'it')).toEqual([
      'it has other values in "Cell %1"', 'it lacks "Gone"', 'it is stale: "Old"'
    ]);
    expect(problems({ '%1 file': '%1 Datei' }, texts.slice(1, 2), 'it')).toEqual(['it needs 2 form(s) of "%1 file"']);
  });
});

/** What JupyterLab translates of a settings schema, with the context under which it looks it up. */
function settings(): Text[] {
  const schema = JSON.parse(readFileSync(SCHEMA, 'utf8')) as {
    title: string;
    description: string;
    properties: Record<string, { title: string; description: string }>;
    'jupyter.lab.setting-icon-label': string;
  };
  const inside = Object.values(schema.properties).flatMap(({ title, description }) => [title, description]);
  return [
    ...[schema.title, schema.description].map(text => [`schema\u0004${text}`] as const),
    ...[...inside, schema['jupyter.lab.setting-icon-label']].map(text => [`settings\u0004${text}`] as const)
  ];
}
