/** Names of secrets for the shell's completion. It runs while somebody types, so it says nothing of what went wrong and gives up soon. */
import { parseArgs } from 'node:util';
import { apiClient } from './api/client.ts';
import { connect } from './connect.ts';
import type { Exit } from './exit-codes.ts';
import { namesOf } from './near-names.ts';
import { withProfile } from './profiles.ts';
import type { Terminal } from './terminal/terminal.ts';
import { Stop } from './trouble.ts';

/** Longest time that somebody waits for a completion, in ms. */
const withinMs = 4_000;

interface Seat {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** The word that a shell's script calls the CLI with; no command for people. */
export const completeWord = '__complete';

const read = { type: 'string' } as const;
const options = {
  ...{ url: read, key: read, token: read, audience: read, vault: read, profile: read },
  local: { type: 'boolean' },
} as const;

/** `words`: what stands on the command line before the word that is completed, from the command on. A name a line; none where none can be had. */
export async function completeNames(words: readonly string[], { terminal, env, signal }: Seat): Promise<Exit> {
  const { values } = parseArgs({ args: [...words], options, strict: false, allowPositionals: true });
  const text = (name: keyof typeof options): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  try {
    const known = values.local === true ? env : await withProfile(env, text('profile'));
    const access = await connect({
      ...{ url: text('url'), key: text('key'), token: text('token'), audience: text('audience') },
      ...{ local: values.local === true, env: known, role: 'reader' },
    });
    const within = AbortSignal.any([signal, AbortSignal.timeout(withinMs)]);
    const vault = text('vault') ?? known['KEYTURN_VAULT'];
    for (const name of await namesOf(apiClient(access, within), vault)) terminal.out(name);
  } catch (error) {
    if (!(error instanceof Stop) && !(error instanceof DOMException)) throw error;
    return 'failed';
  }
  return 'ok';
}
