/** What the docs and the hints tell people to type is what the CLI takes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commands } from '../../cli/commands/index.ts';
import { globalOptions, readOptions } from '../../cli/options.ts';
import { states } from '../../cli/selection.ts';
import { checkNames } from '../../shared/contract/rotator.ts';
import { secretStates } from '../../shared/engine/sweep/standing.ts';
import { projectFiles, root } from '../tidy/files.ts';

interface Typed {
  readonly place: string;
  readonly text: string;
}

/** Commands in code blocks, in backticks and in the quotes of hints. */
function typedIn(path: string, text: string): readonly Typed[] {
  return text.split('\n').flatMap((line, index) => {
    const inline = [...line.matchAll(/[`"](?:npx )?keyturn ([^`"]*(?:"[^`"]*"[^`"]*)*)[`"]/g)].map(
      ([, rest = '']) => rest,
    );
    const block = /^(?:npx )?keyturn ([^`]*)$/.exec(line)?.[1];
    return [...inline, ...(block === undefined ? [] : [block])].map((rest) => ({
      place: `${path}:${index + 1}`,
      text: rest
        .replace(/\s+#.*$/, '')
        .replace(/ [|>]+ .*$/, '')
        .replace(/\$\{[^}]*\}/g, 'NAME'),
    }));
  });
}

const files = projectFiles().filter(
  ({ path }) =>
    /^(docs\/.*|README|CHANGELOG)(\.md)?$/.test(path) ||
    ['shared/errors.ts', 'shared/api/problem.ts', 'shared/engine/policy/next-step.ts'].includes(path) ||
    /^rotators\/.*check\.ts$/.test(path),
);
const typed = files.flatMap(({ path, text }) => typedIn(path, text));

function problemOf(text: string): string | undefined {
  const words = (text.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^"|"$/g, ''));
  const [name = '', ...rest] = words;
  const command = commands.find((one) => one.name === name || one.aliases?.includes(name));
  if (command === undefined)
    return ['help', '--version', 'COMMAND'].includes(name) ? undefined : `no command "${name}"`;
  if (rest.some((word) => /[…[\]]/.test(word))) return undefined;
  try {
    readOptions(rest, { ...command.options, ...globalOptions }, 'help');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'refused';
  }
}

describe('pages for people on call', () => {
  const pages = projectFiles().filter(({ path }) => path.startsWith('docs/on-call/'));
  const index = pages.find(({ path }) => path.endsWith('README.md'))?.text ?? '';

  it('are all in the index, and none is longer than 60 lines', () => {
    expect(pages.length).toBeGreaterThan(7);
    const names = pages.map(({ path }) => path.replace('docs/on-call/', '')).filter((name) => name !== 'README.md');
    expect(names.filter((name) => !index.includes(`(${name})`))).toEqual([]);
    expect(pages.filter(({ text }) => text.trimEnd().split('\n').length > 60).map(({ path }) => path)).toEqual([]);
  });

  it('say what is seen and how to check, with commands', () => {
    const needed = ['## How to check', '```sh', '# '];
    const wanting = pages
      .filter(({ path }) => !path.endsWith('README.md'))
      .filter(({ text }) => needed.some((part) => !text.includes(part)));
    expect(wanting.map(({ path }) => path)).toEqual([]);
  });

  it('and the pages of the command line and the runbooks lead to files that exist', () => {
    const from = [...pages, ...projectFiles().filter(({ path }) => ['docs/cli.md', 'docs/runbooks.md'].includes(path))];
    const broken = from.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
        .map(([, target = '']) => new URL(target, `file:///${path}`).pathname.slice(1))
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });
});

describe('commands that people are told to type', () => {
  it('are found at all', () => {
    expect(typed.length).toBeGreaterThan(60);
  });

  it('exist, with the options they are given', () => {
    const wrong = typed.flatMap(({ place, text }) => {
      const problem = problemOf(text);
      return problem === undefined ? [] : [`${place}: keyturn ${text}: ${problem}`];
    });
    expect(wrong).toEqual([]);
  });
});

it('docs/glossary.md has every check of a rotator, once and no other', () => {
  const text =
    projectFiles()
      .find(({ path }) => path === 'docs/glossary.md')
      ?.text.split('## Checks')[1] ?? '';
  const names = [...text.matchAll(/^\| `([a-z -]+)` \|/gm)].map(([, name]) => name);
  expect(names).toEqual([...checkNames]);
});

it('the states to select by are those of the API, in the same order', () => {
  expect(states).toEqual(secretStates);
});
