// Writes src/messages.gen.ts from voice_kernel/messages; with --check only says whether it is current.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const target = join(here, 'src', 'messages.gen.ts');
const venv = join(root, '.venv', 'bin', 'python');
const python = process.env.PYTHON ?? (existsSync(venv) ? venv : 'python3');

const schema = JSON.parse(
  execFileSync(python, ['-m', 'voice_kernel.ui.schema'], { cwd: root, encoding: 'utf8' })
);
const types = await compile(schema, 'Wire', {
  bannerComment: '// Generated from voice_kernel/messages by `make generate`. Do not edit.',
  unreachableDefinitions: true,
  additionalProperties: false,
  style: { singleQuote: true, printWidth: 110 }
});
// The library tells of every type which definition it is: the name says so already.
const remark = /( \*\n)? \* This interface was referenced by `Wire`'s JSON-Schema\n \* via the `definition` "\w+"\.\n/g;
const body = types.replace(remark, '').replace(/\/\*\*\n \*\/\n/g, '');
const text = `${body}\nexport const PROTOCOL = ${schema.properties.protocol.const};\n`;

if (process.argv.includes('--check')) {
  if (!existsSync(target) || readFileSync(target, 'utf8') !== text) {
    console.error('labextension/src/messages.gen.ts is stale: run `make generate`.');
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
