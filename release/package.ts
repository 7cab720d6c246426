/**
 * `npm run package [-- --to FOLDER]`: everything that a release consists of, in one folder: the app as keyturn-VERSION.zip, its bill of
 * materials, the client for consumers as npm packs it, the templates, and SHA256SUMS. The same sources give the same bytes. Needs what `npm ci` installed.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { buildApp, buildConsumer } from '../build.ts';
import { bundledPackages } from './licences.ts';
import { writeSbom } from './sbom.ts';
import { type Entry, zip } from './zip.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const templates = ['main.json', 'button.json', 'createUiDefinition.json'];

/** Fills `folder`, which is emptied before, and names what it put there. May be called again. */
export async function packageRelease(folder: string): Promise<readonly string[]> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // A folder of its own, so that a build that somebody is running from dist/ stays.
  const app = await mkdtemp(join(tmpdir(), 'keyturn-package-'));
  try {
    const metafile = await buildApp(app);
    const sbom = join(app, 'sbom.cdx.json');
    await writeSbom(root, sbom, await bundledPackages(root, metafile));
    await writeFile(join(folder, `keyturn-${version}.zip`), zip(await filesOf(app)));
    await copyFile(sbom, join(folder, `keyturn-${version}.sbom.cdx.json`));
  } finally {
    await rm(app, { recursive: true, force: true });
  }
  await packConsumer(folder);
  for (const name of templates) await copyFile(join(root, 'infra', name), join(folder, name));
  return [...(await writeSums(folder)), 'SHA256SUMS'];
}

/** `keyturn-consumer-VERSION.tgz`, which `npm install` takes by its path or address. `folder` exists. Rejects with what npm says. */
export async function packConsumer(folder: string): Promise<string> {
  const built = await mkdtemp(join(tmpdir(), 'keyturn-consumer-'));
  try {
    await buildConsumer(built);
    const { stdout } = await promisify(execFile)('npm', ['pack', '--silent', '--pack-destination', folder, built]);
    return join(folder, stdout.trim());
  } finally {
    await rm(built, { recursive: true, force: true });
  }
}

async function filesOf(folder: string): Promise<readonly Entry[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file) => ({
      path: file.slice(folder.length + 1).replaceAll(sep, '/'),
      content: await readFile(file),
    })),
  );
}

/** As `sha256sum -c` reads them. */
async function writeSums(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).toSorted();
  const lines: string[] = [];
  for (const name of names) {
    const sum = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex');
    lines.push(`${sum}  ${name}\n`);
  }
  await writeFile(join(folder, 'SHA256SUMS'), lines.join(''));
  return names;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { to: { type: 'string', default: join(root, '.local', 'release') } } });
  const names = await packageRelease(values.to);
  console.log(`${values.to}: ${names.join(', ')}`);
}
