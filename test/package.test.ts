/** What a release consists of. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAzurite } from '../local/azurite.ts';
import { startFunctionsHost } from '../local/functions-host/index.ts';
import { startVaultEmulator } from '../local/vault/index.ts';
import { packageRelease } from '../release/package.ts';
import { zip } from '../release/zip.ts';
import { root } from './tidy/files.ts';

let work: string;
let names: readonly string[];
let version: string;
const released = (name: string) => readFile(join(work, 'first', name));
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'keyturn-release-'));
  names = await packageRelease(join(work, 'first'));
  version = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')).version;
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** Reads an archive by its directory, apart from what writes it. */
function unzip(archive: Buffer): ReadonlyMap<string, Buffer> {
  const end = archive.lastIndexOf(Buffer.from('PK\u0005\u0006', 'latin1'));
  const files = new Map<string, Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [packed, nameLength] = [archive.readUInt32LE(at + 20), archive.readUInt16LE(at + 28)];
    const name = archive.subarray(at + 46, at + 46 + nameLength).toString('utf8');
    const local = archive.readUInt32LE(at + 42);
    const data = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    files.set(name, inflateRawSync(archive.subarray(data, data + packed)));
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return files;
}

describe('a release', () => {
  it('holds the app, its bill of materials, the client for consumers, the templates and the sums of all of them', async () => {
    expect([...names].toSorted()).toEqual(
      [
        ...[`keyturn-${version}.zip`, `keyturn-${version}.sbom.cdx.json`, 'SHA256SUMS'],
        `keyturn-consumer-${version}.tgz`,
        ...['main.json', 'button.json', 'createUiDefinition.json'],
      ].toSorted(),
    );
    const sums = (await released('SHA256SUMS')).toString('utf8').trimEnd().split('\n');
    expect(sums).toHaveLength(names.length - 1);
    for (const line of sums) {
      const [sum, name = ''] = line.split('  ');
      expect(
        createHash('sha256')
          .update(await released(name))
          .digest('hex'),
        name,
      ).toBe(sum);
    }
  });

  it('of the same sources has the same bytes', async () => {
    await packageRelease(join(work, 'second'));
    for (const name of names)
      expect((await readFile(join(work, 'second', name))).equals(await released(name)), name).toBe(true);
  });

  it('runs as it is unpacked: the app answers, without node_modules', async () => {
    const folder = join(work, 'unpacked');
    for (const [path, content] of unzip(await released(`keyturn-${version}.zip`))) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    const [storage, vault] = await Promise.all([startAzurite(), startVaultEmulator({ name: 'local' })]);
    try {
      const settings = {
        AzureWebJobsStorage: storage.connectionString,
        KEYTURN_VAULTS: `local=${vault.url}`,
        KEYTURN_CREDENTIAL: 'local',
      };
      const host = await startFunctionsHost({ folder, settings });
      try {
        expect((await fetch(`${host.url}/api/v1/health`)).status).toBe(200);
      } finally {
        await host.close();
      }
    } finally {
      await Promise.all([storage.close(), vault.close()]);
    }
  });
});

describe('the archive', () => {
  it('does not depend on the order in which files are given', () => {
    const files = ['b.txt', 'a/c.txt', 'a.txt'].map((path) => ({ path, content: Buffer.from(path.repeat(100)) }));
    expect(zip(files).equals(zip(files.toReversed()))).toBe(true);
    expect([...unzip(zip(files))].map(([path, content]) => [path, content.toString()])).toEqual(
      ['a.txt', 'a/c.txt', 'b.txt'].map((path) => [path, path.repeat(100)]),
    );
  });

  it.each(['/etc/passwd', '../out.txt', 'a/../../out.txt', 'a\\b.txt'])('refuses %s', (path) => {
    expect(() => zip([{ path, content: Buffer.alloc(0) }])).toThrow('must not be in an archive');
  });
});

describe.each([
  '.github/workflows/ci.yml',
  '.github/workflows/release.yml',
  '.github/workflows/deploy.yml',
  '.azuredevops/deploy.yml',
])('%s', (file) => {
  it('stores no secret, and calls only scripts that are there', async () => {
    const text = await readFile(join(root, file), 'utf8');
    expect(text).not.toMatch(/secrets\.|client-secret|publish-profile|password/i);
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const called = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => script);
    expect(called.filter((script) => !(script in scripts))).toEqual([]);
    if (text.includes('azure/login')) expect(text).toContain('id-token: write');
  });
});

it('a release states the commit and the run that its files are of, before it is made', async () => {
  const text = await readFile(join(root, '.github/workflows/release.yml'), 'utf8');
  expect(text).toContain('attestations: write');
  expect(text.indexOf('attest-build-provenance')).toBeGreaterThan(0);
  expect(text.indexOf('attest-build-provenance')).toBeLessThan(text.indexOf('gh release create'));
});
