/** A new version starts without tags, so whoever is told to set one is told to give the tags: 0.1.0 had people opt their secrets out. */
import { describe, expect, it } from 'vitest';
import { projectFiles } from './files.ts';

/** Secrets of channels, which nobody rotates. */
const unmanaged = /-n (?:hook-signing|shop-hook-signing|ops-slack-url|ops-pagerduty)\b/;

/** Every command that makes a version, with the lines that it goes on in. */
function commandsIn(text: string): readonly string[] {
  const joined = text.replaceAll(/\\\n\s*/g, ' ');
  return joined.split('\n').filter((line) => /az keyvault secret set(?!-)/.test(line));
}

// runbooks/publish-secret.sh gives them itself, and has tests of its own.
const files = projectFiles().filter(({ path }) => /^(docs|shared|rotators|cli|README)/.test(path));
const commands = files.flatMap(({ path, text }) => commandsIn(text).map((line) => ({ path, line })));

describe('az keyvault secret set', () => {
  it('is looked for where people read', () => expect(commands.length).toBeGreaterThan(15));

  it('gives the tags wherever somebody is told to type it', () => {
    // In a sentence it is named, and the sentence says what it does to tags.
    const typed = commands.filter(({ line }) => !unmanaged.test(line) && /secret set.*(-n |--name )/.test(line));
    expect(
      typed.filter(({ line }) => !line.includes('--tags')).map(({ path, line }) => `${path}: ${line.trim()}`),
    ).toEqual([]);
  });
});
