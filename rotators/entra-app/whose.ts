/**
 * Whose client secret a key id is. An application may serve several vault secrets, and whoever may edit one of them may write any key id
 * into its tag `key-id` or its stamp: an id counts only when Graph shows that it is this secret's.
 */
import type { Credential } from '../../shared/contract/credential.ts';
import type { Step } from '../../shared/contract/rotator.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import type { Graph, HeldKey } from './connect.ts';
import type { EntraAppTags } from './tags.ts';

export type Whose =
  | { readonly kind: 'own'; readonly keyId: string }
  /** The application does not hold it, or no token is given for it: there is nothing of this secret's left. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'unproven'; readonly detail: string }
  | Failure;

/**
 * A client secret that gets a token is one of those that the application holds; Graph tells the first three characters of each (`hint` of
 * the resource type passwordCredential), and where they fit one alone, it is that one. Otherwise the name that Keyturn gave it has to show it.
 * Changes nothing.
 */
export async function whose(
  graph: Graph,
  step: Step<EntraAppTags>,
  credential: Credential,
  held: readonly HeldKey[],
): Promise<Whose> {
  const claimed = credential.keyId ?? step.options.keyId;
  const meant = held.find(({ keyId }) => keyId === claimed);
  if (meant?.label.startsWith(step.labelPrefix) === true) return { kind: 'own', keyId: meant.keyId };
  if (claimed !== undefined && meant === undefined) return { kind: 'gone' };
  const login = await graph.logIn(step, credential.password);
  switch (login.kind) {
    case 'refused':
    case 'over':
      return { kind: 'gone' };
    case 'unclear':
      return failure('target-unreachable', {
        secret: step.secret,
        target: step.options.clientId,
        detail: login.detail,
      });
    case 'accepted':
      return byHint(credential, held);
  }
}

/** Whether a secret may be the one that Graph lists so. */
export function fitsHint({ password }: Credential, { hint }: HeldKey): boolean {
  return hint === undefined || hint === '' || password.reveal().startsWith(hint);
}

function byHint(credential: Credential, held: readonly HeldKey[]): Whose {
  const fitting = held.filter((key) => fitsHint(credential, key));
  const [only] = fitting;
  if (only?.hint !== undefined && only.hint !== '' && fitting.length === 1) return { kind: 'own', keyId: only.keyId };
  return {
    kind: 'unproven',
    detail: 'it gets a token, and what Graph shows of its secrets does not tell which one it is',
  };
}

/** The failure for an id that counts for nothing. */
export function unproven(
  step: Step<EntraAppTags>,
  { claimed, detail }: { readonly claimed: string; readonly detail: string },
): Failure {
  const { secret, labelPrefix, options } = step;
  const target = `application ${options.clientId}`;
  return failure('key-unproven', { secret, target, login: claimed, labelPrefix, detail });
}
