import { expect, test } from 'vitest';
import { appLoader, type LoadedApp } from '../../functions/load-app.ts';
import { rotatorLoader } from '../../functions/load-rotator.ts';
import { once } from '../../functions/once.ts';
import { postgres } from '../../rotators/postgres/entry.ts';
import { readSettings } from '../../shared/config/settings.ts';
import type { RotatorEntry } from '../../shared/contract/rotator.ts';

const environment = {
  trustedCertificates: [],
  connectTimeoutMs: 1_000,
  allowedHosts: [],
  cloud: { resourceManager: '', graph: '', login: '' },
  getToken: () => Promise.reject(new Error('no token is needed to load a rotator')),
};

const storage = `DefaultEndpointsProtocol=https;AccountName=store;AccountKey=${Buffer.alloc(64).toString('base64')};EndpointSuffix=core.windows.net`;

const tooMany = () =>
  Object.assign(new Error('EMFILE: too many open files, open dist/chunks/compose.js'), { code: 'EMFILE' });

/** Fails as a process with too many files open does, once; after that it gives `value`. */
function failingOnce<Value>(value: Value) {
  const calls = { count: 0 };
  const load = async (): Promise<Value> => {
    calls.count++;
    if (calls.count === 1) throw tooMany();
    return value;
  };
  return { load, calls };
}

test('who asks while something is being loaded, or after, gets the same, loaded once', async () => {
  let loads = 0;
  const load = once(async () => ({ number: ++loads }));
  const [first, second] = await Promise.all([load(), load()]);
  expect([first, second, await load()]).toEqual([{ number: 1 }, { number: 1 }, { number: 1 }]);
});

test('an app that could not be loaded for too many open files is loaded with the next message', async () => {
  const settings = readSettings({ AzureWebJobsStorage: storage, KEYTURN_VAULTS: 'https://v.vault.azure.net' });
  if (settings.kind === 'invalid') throw new Error(JSON.stringify(settings.problems));
  const app: LoadedApp = {
    work: { rotate: async () => undefined, retire: async () => undefined },
    tell: { notify: async () => undefined },
    secretEvent: async () => undefined,
    api: () => Promise.reject(tooMany()),
    schedule: () => Promise.reject(tooMany()),
  };
  const { load, calls } = failingOnce(app);
  const loaded = appLoader(settings.settings, load);
  await expect(loaded()).rejects.toThrow('EMFILE');
  expect(await loaded()).toBe(app);
  expect(await loaded()).toBe(app);
  expect(calls.count).toBe(2);
});

test('a rotator whose driver could not be loaded once is loaded with the next rotation, and only then kept', async () => {
  const rotator = await postgres.load(environment);
  const { load, calls } = failingOnce(rotator);
  const entry: RotatorEntry = { ...postgres, load };
  const loadRotator = rotatorLoader(environment);
  await expect(loadRotator(entry)).rejects.toThrow('EMFILE');
  expect(await loadRotator(entry)).toBe(rotator);
  expect(await loadRotator(entry)).toBe(rotator);
  expect(calls.count).toBe(2);
});
