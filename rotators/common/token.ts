/** The token of the app's own identity, asked for in one way by every driver. */
import type { Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure, rethrowBug } from '../../shared/errors.ts';
import { identityFault } from '../../shared/http/identity.ts';
import { quoted, scrubbed, scrubbedText } from './scrub.ts';

export type OwnToken =
  | { readonly kind: 'token'; readonly token: SecretText }
  /** `unreachable`: nobody answered, or not in time, or not yet, which says nothing about the identity. `cause` is scrubbed. */
  | { readonly kind: 'no-token'; readonly unreachable: boolean; readonly detail: string; readonly cause: Error };

/** Asks for a token for as long as the call lasts: the library behind it takes no end of its own and may never answer. */
export async function ownToken(
  { signal, current }: Pick<Step, 'signal' | 'current'>,
  getToken: (scope: string) => Promise<SecretText>,
  scope: string,
): Promise<OwnToken> {
  const over = () => Object.assign(new Error('the call was ended'), { code: 'ABORT_ERR' });
  if (signal.aborted) return without(over());
  let stop: () => void = () => undefined;
  const aborted = new Promise<OwnToken>((resolve) => {
    stop = () => resolve(without(over()));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    const asked = getToken(scope).then((token): OwnToken => ({ kind: 'token', token }));
    return await Promise.race([asked, aborted]);
  } catch (error) {
    rethrowBug(error);
    return without(error);
  } finally {
    signal.removeEventListener('abort', stop);
  }

  function without(error: unknown): OwnToken {
    const cause = scrubbed(error, [current.password]);
    const { refused, detail: why } = identityFault(error);
    const detail = `no token for ${scope}: ${scrubbedText(why, [current.password])}`;
    return { kind: 'no-token', unreachable: !refused, detail, cause };
  }
}

/** The token for what only the app itself may do. `target`: the host it is for. */
export async function identityToken(
  step: Step,
  scope: string,
  { rotator, target }: { readonly rotator: string; readonly target: string },
): Promise<Extract<OwnToken, { kind: 'token' }> | Failure> {
  const { secret, admin } = step;
  if (admin.kind !== 'identity') {
    const detail = `${rotator} needs the app’s own identity: set the tag to managed-identity`;
    return failure('tag-invalid', { secret, problems: [{ tag: 'admin', detail }] });
  }
  const given = await ownToken(step, admin.getToken, scope);
  if (given.kind === 'token') return given;
  // The identity library's messages can quote what an endpoint answered.
  const detail = `the app's identity gave ${quoted(given.detail, [step.current.password])}`;
  return failure('target-unreachable', { secret, target, detail });
}
