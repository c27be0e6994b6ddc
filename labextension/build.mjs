// Bundles the panel for anywidget: one ES module and one style sheet, nothing fetched at run time.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));

await build({
  entryPoints: { panel: join(here, 'src', 'anywidget.ts') },
  outdir: join(here, '..', 'voice_kernel', 'ui', 'static'),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  charset: 'utf8',
  legalComments: 'inline',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning'
});
