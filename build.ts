/**
 * `npm run build`: makes `dist/`, a folder that can be deployed as it is, without node_modules.
 *
 * Bundled, because a function app that loads hundreds of small files starts late. Split, because the driver of a database is loaded
 * only where a secret needs it. `--analyze` prints what is in each file.
 *
 * Beside the code lie the licence texts of all that is bundled (`licences.txt`) and the bill of materials (`sbom.cdx.json`, CycloneDX).
 *
 * And `consumer/dist/`, the package `@keyturn/consumer` that applications install.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { analyzeMetafile, build, type Metafile } from 'esbuild';
import { buildDashboard } from './release/dashboard.ts';
import { bundledPackages, licencesText } from './release/licences.ts';
import { writeSbom } from './release/sbom.ts';

const root = fileURLToPath(new URL('.', import.meta.url));
const entry = 'functions/index';

// Packages made for CommonJS call `require`, which a module does not have. Without it the app would register no function, silently.
const banner = `import { createRequire as keyturnRequire } from 'node:module';
import { fileURLToPath as keyturnPath } from 'node:url';
import { dirname as keyturnDirectory } from 'node:path';
const require = keyturnRequire(import.meta.url);
const keyturnFilename = keyturnPath(import.meta.url);
const keyturnDirname = keyturnDirectory(keyturnFilename);`;

/** Every file of the app is said to need these, so that they stay in one file; see there. */
const neededAtStart = join(root, 'functions/needed-at-start.ts');

/** Builds the app into `folder`, which is emptied before. May be called again. Rejects with esbuild's messages. */
export async function buildApp(folder: string): Promise<Metafile> {
  const app = await bundle(entry, folder, [neededAtStart]);
  const dashboard = await buildDashboard(root, join(folder, 'dashboard'));
  const { inputs, outputs } = app;
  const all = { inputs: { ...inputs, ...dashboard.inputs }, outputs: { ...outputs, ...dashboard.outputs } };
  await writeFile(join(folder, 'licences.txt'), licencesText(await bundledPackages(root, all)));
  return all;
}

/** The same for any app of the project, by the path of its entry without the ending. `inject`: files that every other one imports. */
export async function bundle(entry: string, folder: string, inject: readonly string[] = []): Promise<Metafile> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { [entry]: `${entry}.ts` },
    outdir: folder,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    // The platform's worker provides the first; the others are additions to pg, mysql2 and debug that nobody asked for.
    external: ['@azure/functions-core', 'pg-native', 'cardinal', 'supports-color'],
    inject: [...inject],
    banner: { js: banner },
    // By another name, because some packages declare these two themselves.
    define: { __filename: 'keyturnFilename', __dirname: 'keyturnDirname' },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
  });
  const { name, version, description } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const manifest = { name, version, description, private: true, type: 'module', main: `${entry}.js` };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  await copyFile(join(root, 'host.json'), join(folder, 'host.json'));
  await writeFile(join(folder, 'licences.txt'), licencesText(await bundledPackages(root, metafile)));
  return metafile;
}

// What applications bring themselves: the clients they already have, and only those.
const peers = {
  '@azure/keyvault-secrets': '^4.0.0',
  ioredis: '^5.0.0 || ^6.0.0',
  mssql: '^11.0.0 || ^12.0.0',
  mysql2: '^3.0.0',
  pg: '^8.0.0',
};

/** What is imported from it, and the file that it is. */
const consumerEntries = {
  '.': 'index',
  './pg': 'pg',
  './mysql2': 'mysql2',
  './mssql': 'mssql',
  './ioredis': 'ioredis',
};

/**
 * Builds the package for consumers into `folder`, which is emptied before: a file for each driver and one for the rest, their types, the page. It depends on nothing; the
 * drivers are peers, and each is loaded only by the pool that is for it. May be called again.
 */
export async function buildConsumer(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: Object.values(consumerEntries).map((name) => `consumer/${name}.ts`),
    outdir: folder,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    // What they share is there once, so that an error of a pool is the ConsumerError that the application knows.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: Object.keys(peers),
    legalComments: 'eof',
    logLevel: 'warning',
  });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  await promisify(execFile)(process.execPath, [compiler, '-p', join(root, 'consumer'), '--outDir', folder]);
  await copyFile(join(root, 'consumer', 'README.md'), join(folder, 'README.md'));
  await copyFile(join(root, 'LICENSE'), join(folder, 'LICENSE'));
  const { version, license, engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const manifest = {
    name: '@keyturn/consumer',
    version,
    description:
      'For applications that log in with a secret Keyturn rotates: swaps connection pools without failing a query.',
    license,
    type: 'module',
    engines,
    exports: Object.fromEntries(
      Object.entries(consumerEntries).map(([path, name]) => [
        path,
        { types: `./${name}.d.ts`, default: `./${name}.js` },
      ]),
    ),
    peerDependencies: peers,
    peerDependenciesMeta: Object.fromEntries(Object.keys(peers).map((peer) => [peer, { optional: true }])),
  };
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function main(): Promise<void> {
  const started = performance.now();
  const metafile = await buildApp(join(root, 'dist'));
  await buildConsumer(join(root, 'consumer', 'dist'));
  await writeSbom(root, join(root, 'dist', 'sbom.cdx.json'), await bundledPackages(root, metafile));
  const outputs = Object.entries(metafile.outputs).filter(([path]) => path.endsWith('.js'));
  const bytes = outputs.reduce((sum, [, output]) => sum + output.bytes, 0);
  if (process.argv.includes('--analyze')) console.log(await analyzeMetafile(metafile));
  console.log(
    `dist: ${outputs.length} files, ${Math.round(bytes / 1024)} KB, in ${Math.round(performance.now() - started)} ms`,
  );
}

if (import.meta.main) await main();
