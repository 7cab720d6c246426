/** What the docs and the hints tell people to type is what the CLI takes. */
import { describe, expect, it } from 'vitest';
import { commands } from '../../cli/commands/index.ts';
import { globalOptions, readOptions } from '../../cli/options.ts';
import { projectFiles } from '../tidy/files.ts';

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
    path === 'shared/errors.ts' ||
    /^rotators\/.*check\.ts$/.test(path),
);
const typed = files.flatMap(({ path, text }) => typedIn(path, text));

function problemOf(text: string): string | undefined {
  const words = (text.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^"|"$/g, ''));
  const [name = '', ...rest] = words;
  const command = commands.find((one) => one.name === name);
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
