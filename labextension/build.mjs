// Builds both hosts: the anywidget's bundle with esbuild, the extension with JupyterLab's own builder.
// Nothing is fetched at run time, by either.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  charset: 'utf8',
  legalComments: 'inline',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning'
};

await Promise.all([
  build({
    ...common,
    entryPoints: { panel: join(here, 'src', 'anywidget.ts') },
    outdir: join(here, '..', 'voice_kernel', 'ui', 'static')
  }),
  build({
    ...common,
    entryPoints: { index: join(here, 'src', 'index.ts') },
    outdir: join(here, 'lib'),
    // The page has them: the builder below says in which versions.
    external: ['@jupyterlab/*', '@lumino/*', '@jupyter/*']
  })
]);

// One module is left to federate, so that none of JupyterLab's 400 MB of sources is needed to build.
execFileSync(
  process.execPath,
  [
    require.resolve('@jupyter/builder/lib/build-labextension.js'),
    '--core-package-file',
    require.resolve('@jupyterlab/core-meta/core.package.json'),
    here
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] }
);
