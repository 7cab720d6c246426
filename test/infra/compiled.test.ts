/** The templates compile with the real compiler, and what is kept of them in the repository is what it prints. */
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bicep } from '../../local/bicep/index.ts';
import { root } from '../tidy/files.ts';
import { cases } from './resources.ts';

const infra = join(root, 'infra');
const slowMs = 120_000;
let copy: string;
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'keyturn-infra-'));
  await cp(infra, copy, { recursive: true });
});
afterAll(() => rm(copy, { recursive: true, force: true }));

describe('the templates', () => {
  it.each(['main', 'button'])(
    '%s compiles without a finding of compiler or linter, to the file that is kept',
    async (name) => {
      const { output, errors } = await bicep('build', join(infra, `${name}.bicep`), '--stdout');
      // A finding leaves the exit code at 0.
      expect(errors).toBe('');
      expect(JSON.parse(await readFile(join(infra, `${name}.json`), 'utf8'))).toEqual(JSON.parse(output));
    },
    slowMs,
  );

  it(
    'are formatted as the compiler formats them',
    async () => {
      await bicep('format', '--pattern', join(copy, '**/*.bicep'));
      const files = (await readdir(copy, { recursive: true })).filter((file) => file.endsWith('.bicep'));
      expect(files.length).toBeGreaterThan(20);
      const differing: string[] = [];
      for (const file of files) {
        const [kept, formatted] = [await readFile(join(infra, file), 'utf8'), await readFile(join(copy, file), 'utf8')];
        if (kept !== formatted) differing.push(file);
      }
      expect(differing, 'run: npm run compile:infra').toEqual([]);
    },
    slowMs,
  );

  it.each(cases)(
    'deploy with the parameters "%s" what the snapshot says, and nothing else',
    async (name) => {
      const ids = [
        '--subscription-id',
        '33333333-3333-3333-3333-333333333333',
        '--tenant-id',
        '44444444-4444-4444-4444-444444444444',
      ];
      const file = join(root, 'test', 'infra', `${name}.bicepparam`);
      // It rejects with the difference where there is one: npm run compile:infra writes the snapshot again.
      const { errors } = await bicep('snapshot', file, '--mode', 'validate', ...ids);
      expect(errors).toBe('');
    },
    slowMs,
  );

  it('each file is part of what is compiled', async () => {
    const files = (await readdir(infra, { recursive: true })).filter((file) => file.endsWith('.bicep'));
    const texts = await Promise.all(files.map((file) => readFile(join(infra, file), 'utf8')));
    const named = (file: string) => texts.some((text) => text.includes(`${file.split('/').at(-1)}'`));
    expect(files.filter((file) => !['main.bicep', 'button.bicep'].includes(file) && !named(file))).toEqual([]);
  });
});

describe('what azd deploys', () => {
  const parameters = async (env: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(env)) process.env[name] = value;
    try {
      const { output } = await bicep('build-params', join(infra, 'main.bicepparam'), '--stdout');
      return JSON.parse(JSON.parse(output).parametersJson).parameters;
    } finally {
      for (const name of Object.keys(env)) delete process.env[name];
    }
  };
  const least = { AZURE_ENV_NAME: 'prod', AZURE_LOCATION: 'westeurope' };

  it(
    'without a word more than name and region is the open deployment with a vault of its own',
    async () => {
      const found = await parameters(least);
      expect(found).toMatchObject({
        vaults: { value: [] },
        privateNetwork: { value: false },
        vaultRole: { value: 'custom' },
      });
    },
    slowMs,
  );

  it(
    'takes vaults and settings as JSON from "azd env set"',
    async () => {
      const vaults = [{ name: 'contoso-kv', resourceGroup: 'shared-rg' }];
      const settings = { KEYTURN_OVERLAP: 'P3D' };
      const found = await parameters({
        ...least,
        KEYTURN_DEPLOY_VAULTS: JSON.stringify(vaults),
        KEYTURN_DEPLOY_SETTINGS: JSON.stringify(settings),
        KEYTURN_DEPLOY_PRIVATE: 'true',
      });
      expect(found).toMatchObject({
        vaults: { value: vaults },
        settings: { value: settings },
        privateNetwork: { value: true },
      });
    },
    slowMs,
  );
});
