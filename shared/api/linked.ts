/** What is answered to whoever asks for a copy: which secret to ask for. */
import type { Vault } from '../contract/ports.ts';
import { lookAtSource } from '../engine/copies/link.ts';
import type { LinkedCurrent } from '../engine/policy/current.ts';
import { placeText } from '../engine/policy/links.ts';
import { isFailure } from '../errors.ts';
import type { Answer } from './answer.ts';
import type { ApiDependencies } from './dependencies.ts';
import { failureProblem, problem } from './problem.ts';

export async function linkedProblem(
  { engine }: Pick<ApiDependencies, 'engine'>,
  vault: Vault,
  { secret, end }: LinkedCurrent,
  signal: AbortSignal,
): Promise<Answer> {
  const looked = await lookAtSource(engine, { vault: vault.name, secret: secret.name }, end, signal);
  if (isFailure(looked)) return failureProblem(looked);
  const shown = placeText(looked.source);
  const what = end.as === 'copy' ? 'a copy of' : 'derived from';
  return problem('not-now', `${secret.name} is ${what} ${shown} and renewed with it; ask for ${shown}`, {
    reason: 'copy',
  });
}
