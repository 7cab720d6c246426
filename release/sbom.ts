/** The software bill of materials of what is passed on: the packages in the bundle, as CycloneDX, described by npm itself. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { BundledPackage } from './licences.ts';

const bill = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ 'bom-ref': z.string(), name: z.string() }) }),
  components: z.array(z.looseObject({ 'bom-ref': z.string(), name: z.string(), version: z.string() })),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).optional() })),
});

/**
 * Writes it to `file`. Needs what `npm ci` installed. npm describes all that is installed; kept is what is bundled, which `--omit=dev` does not
 * tell: it leaves out what a tool depends on too. The same sources always give the same file, so the number and the time that npm puts in are
 * left out, and the folder it takes for a name gives way to the name. Rejects where npm does not describe a package that is bundled.
 */
export async function writeSbom(root: string, file: string, packages: readonly BundledPackage[]): Promise<void> {
  const options = ['sbom', '--sbom-format=cyclonedx'];
  const { stdout } = await promisify(execFile)('npm', options, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  const { serialNumber: _number, metadata, components, dependencies, ...rest } = bill.parse(JSON.parse(stdout));
  const bundled = new Set(packages.map(({ name, version }) => `${name}@${version}`));
  const kept = components.filter(({ name, version }) => bundled.has(`${name}@${version}`));
  const described = new Set(kept.map(({ name, version }) => `${name}@${version}`));
  const missing = [...bundled].filter((one) => !described.has(one));
  if (missing.length > 0) throw new Error(`npm sbom does not describe ${missing.join(', ')}`);
  const refs = new Set([metadata.component['bom-ref'], ...kept.map((one) => one['bom-ref'])]);
  const links = dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }));
  const { timestamp: _time, component, ...about } = metadata;
  const { name } = z.object({ name: z.string() }).parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const named = { ...about, component: { ...component, name } };
  await writeFile(
    file,
    `${JSON.stringify({ ...rest, metadata: named, components: kept, dependencies: links }, null, 2)}\n`,
  );
}
