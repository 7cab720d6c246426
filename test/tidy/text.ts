/** Rules about words, for every text file. The forbidden words are put together here so that this file keeps its own rules. */
import type { ProjectFile } from './files.ts';

interface Forbidden {
  readonly what: string;
  readonly pattern: RegExp;
}

const word = (...parts: string[]) => parts.join('');

export const forbidden: readonly Forbidden[] = [
  { what: 'a path of one machine', pattern: /(?<![\w.\-$}/])\/(work|tmp|root|Users|home(?!\/site))\// },
  {
    what: 'the address of a package registry',
    pattern: new RegExp(
      word('registry', '\\.(npmjs|yarnpkg)', '|npm\\.pkg', '\\.github|//[^/\\s]*(artifactory|jfrog|verdaccio)'),
    ),
  },
  {
    what: 'a switched-off check',
    pattern: new RegExp(word('biome', '-ignore|@ts', '-(ignore|expect-error|nocheck)|eslint', '-disable')),
  },
  {
    what: 'something left to do',
    pattern: new RegExp(`\\b(${word('TO', 'DO')}|${word('FIX', 'ME')}|${word('X', 'XX')})\\b`),
  },
];

const phrase = (pattern: string): Forbidden => ({
  what: 'a word that no native speaker would read at night without stopping',
  pattern: new RegExp(`\\b(${pattern})\\b`, 'i'),
});

/** What version 0.1.0 said, and its plain word: fix, forever, again, halfway, anyone who, told about, accepted, not available. */
export const strange: readonly Forbidden[] = [
  phrase('mend(s|ed|ing)?'),
  phrase('for ever'),
  phrase('anew'),
  phrase('half-way'),
  phrase('whoever'),
  phrase('told of'),
  phrase(
    'lets? (nobody|somebody|everybody|anybody|us|it|them) in(?! (the|a|an|its|their)\\b)|(was|were|is|are) let in',
  ),
  phrase('cannot be had'),
  phrase('bad nights'),
  phrase('wants no more'),
  phrase('was quicker'),
  phrase('(knows|does not know) (nobody|anybody)'),
  phrase('in your words'),
  phrase('how far its news'),
];

/** The part of a file that people read in a terminal, an answer, a message or a page; undefined: none of it. */
export function readByPeople({ path, text }: ProjectFile): string | undefined {
  if (/^(README|SECURITY|CHANGELOG|docs\/.*)\.?(md)?$/.test(path)) return text;
  if (/^runbooks\//.test(path)) return text;
  // Comments keep their lines, so that a finding is where it says.
  return /^(cli|shared|rotators|functions|consumer)\/.*\.ts$/.test(path)
    ? text.replaceAll(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, (comment) => comment.replaceAll(/[^\n]/g, ''))
    : undefined;
}

/** The registry this machine is set up with; its address says where somebody works. */
export function registryOfThisMachine(environment: NodeJS.ProcessEnv): string | undefined {
  const address = environment['npm_config_registry'];
  return address === undefined || !URL.canParse(address) ? undefined : new URL(address).host;
}

/** Lines that break a rule, as `path:line: what`. */
export function forbiddenWords(file: ProjectFile, patterns: readonly Forbidden[] = forbidden): readonly string[] {
  return file.text
    .split('\n')
    .flatMap((line, index) =>
      patterns
        .filter((one) => one.pattern.test(line))
        .map((one) => `${file.path}:${index + 1}: ${one.what}: ${line.trim().slice(0, 80)}`),
    );
}
