/** What the exit code of `keyturn` says. docs/cli.md has the same table; a test compares them. */
export const exitCodes = {
  ok: { code: 0, meaning: 'done' },
  failed: { code: 1, meaning: 'it failed, or something that was looked at would fail' },
  usage: { code: 2, meaning: 'the command line cannot be used as it is; nothing was done' },
  'not-found': { code: 3, meaning: 'no such secret, version or rotation, or nothing matched' },
  refused: { code: 4, meaning: 'not authenticated, or the role for it is missing' },
  'timed-out': { code: 5, meaning: 'not over within --timeout; it goes on by itself' },
  'not-now': { code: 6, meaning: 'nothing was changed, because something stands in the way' },
  unreachable: { code: 7, meaning: 'the API gave no answer, or not one of Keyturn' },
  differs: { code: 8, meaning: 'what is there differs from the manifest; nothing was changed' },
  interrupted: { code: 130, meaning: 'ended by Ctrl-C; what was asked for goes on by itself' },
} as const;

export type Exit = keyof typeof exitCodes;

/** The worst of several outcomes: what a script must react to first. */
export function worstOf(exits: readonly Exit[]): Exit {
  const byWeight: readonly Exit[] = [
    'refused',
    'unreachable',
    'failed',
    'timed-out',
    'not-found',
    'usage',
    'not-now',
    'differs',
  ];
  return byWeight.find((exit) => exits.includes(exit)) ?? 'ok';
}
