import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApp } from '../build.ts';

const drivers = /node_modules\/(pg|pg-protocol|ioredis|mssql|tedious|mysql2)\//;
let folder: string;
let metafile: Metafile;

beforeAll(async () => {
  // Outside the project, so that nothing is found in its node_modules by accident.
  folder = await mkdtemp(join(tmpdir(), 'keyturn-build-'));
  metafile = await buildApp(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Output = Metafile['outputs'][string];

function outputs(): Map<string, Output> {
  return new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
}

/** All that is loaded when the app starts: the entry and what it imports without waiting for a need. */
function loadedAtStart(): Output[] {
  const all = outputs();
  const names = ['index.js'];
  for (const name of names) {
    for (const one of all.get(name)?.imports ?? []) {
      const next = basename(one.path);
      if (one.kind === 'import-statement' && all.has(next) && !names.includes(next)) names.push(next);
    }
  }
  return names.flatMap((name) => all.get(name) ?? []);
}

describe('the built app', () => {
  it('needs nothing but Node and what the platform provides', () => {
    const external = [...outputs().values()]
      .flatMap((output) => output.imports.filter((one) => one.external))
      .map((one) => one.path);
    const known = new Set([
      '@azure/functions-core',
      'pg-native',
      'cardinal',
      'supports-color',
      ...builtinModules,
      ...builtinModules.map((name) => `node:${name}`),
    ]);
    expect(external.filter((path) => !known.has(path))).toEqual([]);
  });

  it('loads no driver before a secret needs it', () => {
    const early = loadedAtStart().flatMap((output) => Object.keys(output.inputs).filter((path) => drivers.test(path)));
    expect(early).toEqual([]);
  });

  it('loads neither zod nor a client of Azure before the first work comes', () => {
    const late = /node_modules\/(zod|@azure\/(?!functions))/;
    const early = loadedAtStart().flatMap((output) => Object.keys(output.inputs).filter((path) => late.test(path)));
    expect(early).toEqual([]);
  });

  it('starts without importing a module of Node as a whole, which would load much that nobody uses', () => {
    const whole = loadedAtStart().flatMap((output) =>
      output.imports.filter((one) => one.external && one.kind === 'import-statement').map((one) => one.path),
    );
    // The banner's three, which esbuild does not see, are small.
    expect(whole).toEqual([]);
  });

  it('starts from two files: its own, and what is needed later too', () => {
    expect(loadedAtStart()).toHaveLength(2);
  });

  it('brings zod along in English only', () => {
    const languages = [...outputs().values()].flatMap((output) => Object.entries(output.inputs));
    const others = languages.filter(
      ([path, { bytesInOutput }]) => /zod\/v4\/locales\/(?!en\.)/.test(path) && bytesInOutput > 0,
    );
    expect(others.map(([path]) => path)).toEqual([]);
  });

  it('names its entry, and brings the host settings along', async () => {
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ type: 'module', main: 'functions/index.js' });
    expect(manifest.dependencies).toBeUndefined();
    expect(existsSync(join(folder, manifest.main))).toBe(true);
    const hostJson = await readFile(join(folder, 'host.json'), 'utf8');
    expect(hostJson).toBe(await readFile(new URL('../host.json', import.meta.url), 'utf8'));
  });

  it('is found by the tools from the root of the project too', async () => {
    const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
    expect(manifest.main).toBe('dist/functions/index.js');
  });

  it('loads by itself, every part of it', async () => {
    const chunks = Object.keys(metafile.outputs).filter((path) => /\/chunks\/[^/]+\.js$/.test(path));
    const script = chunks
      .map((path) => `await import(${JSON.stringify(join(folder, 'chunks', basename(path)))});`)
      .join('');
    expect(chunks.length).toBeGreaterThan(5);
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      `${script}console.log('loaded');process.exit()`,
    ]);
    expect(stdout).toContain('loaded');
  });
});
