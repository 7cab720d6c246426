import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { buildApp } from '../build.ts';
import { bundledPackages } from '../release/licences.ts';
import { writeSbom } from '../release/sbom.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const bill = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.5'),
  components: z.array(z.object({ name: z.string(), version: z.string(), purl: z.string() })),
});

let folder: string;
let metafile: Metafile;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-release-'));
  metafile = await buildApp(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('what is passed on', () => {
  it('has the licence of every package that is bundled, with its text or the word that there is none', async () => {
    const text = await readFile(join(folder, 'licences.txt'), 'utf8');
    const packages = await bundledPackages(root, metafile);
    expect(packages.length).toBeGreaterThan(30);
    for (const { name, version, licence } of packages) expect(text).toContain(`${name} ${version} (${licence})`);
    expect(text).toMatch(/Permission is hereby granted, free of charge/);
  });

  it('is under licences that allow it', async () => {
    const allowed = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Unlicense'];
    const others = (await bundledPackages(root, metafile)).filter(({ licence }) => !allowed.includes(licence));
    expect(others).toEqual([]);
  });

  it('is listed in a bill of materials with version and address, and so is nothing that is for building alone', async () => {
    const file = join(folder, 'sbom.cdx.json');
    const packages = await bundledPackages(root, metafile);
    await writeSbom(root, file, packages);
    const text = await readFile(file, 'utf8');
    const { components } = bill.parse(JSON.parse(text));
    const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
    expect(packages.map(({ name, version }) => `${name}@${version}`).filter((one) => !listed.has(one))).toEqual([]);
    expect([...listed].filter((one) => /^(?:vitest|esbuild|typescript)@/.test(one))).toEqual([]);
    expect(text).not.toContain(root);
  });
});
