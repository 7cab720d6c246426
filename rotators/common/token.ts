/** The token of the app's own identity, asked for in one way by every driver. */
import type { Step } from '../../shared/contract/rotator.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { networkFault } from './network.ts';
import { scrubbed } from './scrub.ts';

export type OwnToken =
  | { readonly kind: 'token'; readonly token: SecretText }
  /** `unreachable`: nobody answered, or not in time, which says nothing about the identity. `cause` is scrubbed. */
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
    return without(error);
  } finally {
    signal.removeEventListener('abort', stop);
  }

  function without(error: unknown): OwnToken {
    const cause = scrubbed(error, [current.password]);
    const detail = `no token for ${scope}: ${(cause.message.split('\n')[0] ?? '').slice(0, 300)}`;
    return { kind: 'no-token', unreachable: networkFault(error) !== undefined, detail, cause };
  }
}
