/** What is answered to whoever asks for a copy: which secret to ask for. */
import type { Vault } from '../contract/ports.ts';
import { lookAtSource } from '../engine/copies/link.ts';
import type { LinkedCurrent } from '../engine/policy/current.ts';
import { type Place, placeText, sourceOf } from '../engine/policy/links.ts';
import { isFailure } from '../errors.ts';
import type { Answer } from './answer.ts';
import type { ApiDependencies } from './dependencies.ts';
import { failureProblem, problem } from './problem.ts';

/** `sees`: whether the caller may read of a secret. Of a source that it may not, nothing is looked at: its name stands in the copy's own tags. */
export async function linkedProblem(
  { engine }: Pick<ApiDependencies, 'engine'>,
  vault: Vault,
  { secret, end }: LinkedCurrent,
  sees: (where: Place) => boolean,
  signal: AbortSignal,
): Promise<Answer> {
  const place = { vault: vault.name, secret: secret.name };
  const source = sourceOf(end, vault.name);
  const looked = sees(source) ? await lookAtSource(engine, place, end, signal) : undefined;
  if (looked !== undefined && isFailure(looked)) return failureProblem(looked);
  const shown = placeText(source);
  const what = end.as === 'copy' ? 'a copy of' : 'derived from';
  return problem('not-now', `${secret.name} is ${what} ${shown} and renewed with it; ask for ${shown}`, {
    reason: 'copy',
  });
}
