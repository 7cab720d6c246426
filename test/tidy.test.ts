/** The house rules that a machine can hold. Each test lists every place that breaks its rule. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { queueNames } from '../shared/contract/queue-names.ts';
import { failureKinds } from '../shared/errors.ts';
import { findCycle } from './tidy/cycles.ts';
import { packageName, resolveImport, wrongImport } from './tidy/directions.ts';
import { projectFiles, root } from './tidy/files.ts';
import { missingFromLock } from './tidy/lock.ts';
import { type Finding, readSource, type Source } from './tidy/source.ts';
import { forbiddenWords, readByPeople, registryOfThisMachine, strange } from './tidy/text.ts';

const fileLineLimit = 300;

/** Files that may be longer, and why. */
const longFiles: Readonly<Record<string, string>> = {
  'shared/errors.ts': 'one table of all failure codes',
};

const files = projectFiles();
const isCode = (path: string) => /\.tsx?$/.test(path);
const sources = new Map<string, Source>(
  files.filter((file) => isCode(file.path)).map((file) => [file.path, readSource(file.path, file.text)]),
);
const manifest = z
  .object({ dependencies: z.record(z.string(), z.string()), devDependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

const isTest = (path: string) => path.startsWith('test/');
const isDeployed = (path: string) => /^(functions|rotators|shared|consumer|dashboard)\//.test(path);

function places(of: (source: Source) => readonly Finding[], where: (path: string) => boolean): string[] {
  return [...sources]
    .filter(([path]) => where(path))
    .flatMap(([path, source]) => of(source).map((finding) => `${path}:${finding.line}: ${finding.what}`));
}

describe('imports', () => {
  it('run in the direction of the design', () => {
    const wrong = [...sources].flatMap(([path, source]) =>
      source.imports.flatMap((one) => {
        const why = wrongImport(path, one);
        return why === undefined ? [] : [`${path}:${one.line}: ${why}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('lead to files that exist, in no cycle', () => {
    const graph = new Map(
      [...sources].map(([path, source]) => [
        path,
        source.imports.filter((one) => one.from.startsWith('.')).map((one) => resolveImport(path, one.from)),
      ]),
    );
    expect([...graph.values()].flat().filter((target) => !existsSync(join(root, target)))).toEqual([]);
    expect(findCycle(graph)).toBeUndefined();
  });

  it('of deployed code name only packages of "dependencies"', () => {
    const wrong = [...sources]
      .filter(([path]) => isDeployed(path))
      .flatMap(([path, source]) =>
        source.imports
          .filter((one) => !one.from.startsWith('.') && !one.from.startsWith('node:'))
          .filter((one) => manifest.dependencies[packageName(one.from)] === undefined)
          .map((one) => `${path}:${one.line}: ${one.from}`),
      );
    expect(wrong).toEqual([]);
  });
});

describe('code', () => {
  it('has no function of more than 70 lines', () => {
    expect(
      places(
        (source) => source.longFunctions,
        () => true,
      ),
    ).toEqual([]);
  });

  it(`has no file of more than ${fileLineLimit} lines outside test/`, () => {
    const long = files
      .filter((file) => isCode(file.path) && !isTest(file.path) && longFiles[file.path] === undefined)
      .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
      .filter((file) => file.lines > fileLineLimit);
    expect(long).toEqual([]);
  });

  it('has no casts, no "any" and no non-null assertions outside test/', () => {
    expect(
      places(
        (source) => source.escapes,
        (path) => !isTest(path),
      ),
    ).toEqual([]);
  });

  it('names a queue in shared/contract/queue-names.ts and nowhere else', () => {
    const names = Object.values(queueNames).join('|');
    const asQueue = new RegExp(
      `(getQueueClient\\(\\s*|\\bqueue(Name|\\.name)?(: | [!=]== )|readMessage\\(|QueueOf<.*\\bname: )['"\`](${names})\\b`,
    );
    expect(files.filter((file) => isCode(file.path) && asQueue.test(file.text)).map(({ path }) => path)).toEqual([]);
  });

  it('has no catch that swallows everything', () => {
    expect(
      places(
        (source) => source.emptyCatches,
        () => true,
      ),
    ).toEqual([]);
  });

  it('leaves no test out', () => {
    expect(places((source) => source.omittedTests, isTest)).toEqual([]);
  });
});

describe('files', () => {
  it('hold no machine paths, registry addresses, switched-off checks or things left to do', () => {
    expect(files.flatMap((file) => forbiddenWords(file))).toEqual([]);
  });

  it('say what people read in plain modern English', () => {
    const said = files.flatMap((file) => {
      const text = readByPeople(file);
      return text === undefined ? [] : forbiddenWords({ path: file.path, text }, strange);
    });
    expect(said).toEqual([]);
  });

  it('do not name the registry this machine uses', () => {
    const host = registryOfThisMachine(process.env);
    expect(files.filter((file) => host !== undefined && file.text.includes(host)).map((file) => file.path)).toEqual([]);
  });

  it('pin every dependency to one version, and lock it without an address', () => {
    const versions = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
    const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
    expect(missingFromLock(JSON.parse(lock))).toEqual([]);
    expect(lock).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
  });
});

describe('failure codes', () => {
  const pages = files
    .map((file) => /^docs\/errors\/(.+)\.md$/.exec(file.path)?.[1])
    .filter((name) => name !== undefined && name !== 'README');
  const index = files.find((file) => file.path === 'docs/errors/README.md')?.text ?? '';
  const codes = Object.keys(failureKinds).sort();

  it('have one page each, and each page has its code', () => {
    expect(pages.sort()).toEqual(codes);
  });

  it('are all in the index of the pages', () => {
    expect(codes.filter((code) => !index.includes(`(${code}.md)`))).toEqual([]);
  });

  it('have pages that say what it means, how it is seen, why, what to do and how to check', () => {
    const headings = ['## How you see it', '## Why it happens', '## What to do', '## How to check'];
    const incomplete = files
      .filter((file) => /^docs\/errors\/(?!README)/.test(file.path))
      .filter((file) => headings.some((heading) => !file.text.includes(heading)))
      .map((file) => file.path);
    expect(incomplete).toEqual([]);
  });
});
