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
