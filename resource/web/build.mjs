// Builds ../public: gzipped bundles with hashed names, and manifest.json that names them.
import { build } from 'esbuild';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const out = fileURLToPath(new URL('../public', import.meta.url));
const names = ['app.js', 'app.css', 'charts.js', 'tour.js', 'tour.css', 'swagger.js', 'swagger.css'];

for (const old of await readdir(out)) {
  if (old !== '.placeholder') await rm(join(out, old), { recursive: true });
}

const result = await build({
  absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
  entryPoints: names.map((name) => ({ in: `src/${name}`, out: name.replace(/\.\w+$/, '') })),
  outdir: out,
  write: false,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  legalComments: 'none',
  charset: 'utf8',
  target: ['chrome87', 'safari14', 'firefox90'],
  format: 'iife',
  metafile: true,
  logLevel: 'warning',
});

const bodies = new Map(result.outputFiles.map((file) => [basename(file.path), file.contents]));
const manifest = {};
for (const [path, info] of Object.entries(result.metafile.outputs)) {
  if (!info.entryPoint) continue;
  const file = basename(path);
  manifest[basename(info.entryPoint)] = file;
  await writeFile(join(out, `${file}.gz`), gzipSync(bodies.get(file), { level: 9 }));
}
for (const name of names) {
  if (!manifest[name]) throw new Error(`no bundle of ${name}`);
}
await writeFile(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
