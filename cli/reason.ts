import type { Context } from './command.ts';
import { usageStop } from './trouble.ts';

/** Why, in the words of who asks. A person on a terminal is asked; a script must say it. */
export async function reasonFor({
  given,
  terminal,
  json,
}: Pick<Context, 'given' | 'terminal' | 'json'>): Promise<string> {
  const told = given.text('reason')?.trim() ?? '';
  if (told !== '') return told;
  const answer = json ? undefined : await terminal.ask('Why? (it stands in the history) ');
  const typed = answer?.trim() ?? '';
  if (typed !== '') return typed;
  throw usageStop('the reason is missing', 'Give --reason "why you ask": it stands in the history.');
}
