// Builds both hosts: the anywidget's bundle with esbuild, the extension with JupyterLab's own builder.
// Nothing is fetched at run time, by either.
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

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

const panel = join(here, 'src', 'panel');
const bundles = join(here, '..', 'voice_kernel', 'ui', 'static');
/** What is loaded when it is first needed: see `src/panel/parts.ts`. */
const PARTS = { markup: join(panel, 'markup.ts'), servers: join(panel, 'servers.ts'), diff: join(panel, 'diff.tsx'), german: join(panel, 'german.ts'), widgets: join(panel, 'widgets', 'index.tsx'), charts: join(panel, 'widgets', 'charts', 'index.tsx') };

/** `sheet.css?inline` is the sheet as a text: a part brings its own. */
const sheets = {
  name: 'sheets',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.css\?inline$/ }, ({ resolveDir, path }) => ({ path: join(resolveDir, path.slice(0, -'?inline'.length)), namespace: 'sheet' }));
    onLoad({ filter: /.*/, namespace: 'sheet' }, async ({ path }) => ({
      contents: (await transform(await readFile(path, 'utf8'), { loader: 'css', minify: true, target: 'es2022' })).code,
      loader: 'text',
      watchFiles: [path]
    }));
  }
};

/** In a part, what it has in common with the panel is not built in: the panel hands it over. */
const given = {
  name: 'given',
  setup({ onResolve, onLoad }) {
    const names = { preact: 'preact', 'preact/hooks': 'hooks', 'preact/jsx-runtime': 'jsx' };
    onResolve({ filter: /^preact(\/hooks|\/jsx-runtime)?$/ }, ({ path }) => ({ path: `given.${names[path]}`, namespace: 'given' }));
    onResolve({ filter: /\/shared$/ }, ({ resolveDir, path }) =>
      join(resolveDir, path) === join(panel, 'shared') ? { path: 'given', namespace: 'given' } : undefined
    );
    onLoad({ filter: /.*/, namespace: 'given' }, async ({ path }) => {
      const name = Object.keys(names).find(each => path === `given.${names[each]}`);
      // By name: a whole module handed over would be asked for each of its members at each of their uses.
      const members = name ? Object.keys(await import(name)).filter(member => member !== 'default') : [];
      return {
        contents: name ? members.map(member => `export const ${member} = ${path}.${member};`).join('\n') : `module.exports = ${path};`
      };
    });
  }
};

await Promise.all([
  build({
    ...common,
    format: 'iife',
    globalName: 'part',
    banner: { js: 'export default function (given) {' },
    footer: { js: 'return part; }' },
    plugins: [given, sheets],
    entryPoints: PARTS,
    outdir: join(bundles, 'parts')
  }),
  build({
    ...common,
    entryPoints: { panel: join(here, 'src', 'anywidget.ts'), page: join(here, 'src', 'page.ts') },
    outdir: bundles
  }),
  build({
    ...common,
    entryPoints: { index: join(here, 'src', 'index.ts') },
    outdir: join(here, 'lib'),
    splitting: true,
    plugins: [sheets],
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
