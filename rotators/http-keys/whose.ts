/**
 * Whose key an id is. Whoever may edit a secret may write any id into its tag `key-id` or its stamp, and any id into a value: an id counts
 * only when the provider shows that the key is this secret's. Three things show it: the key itself logs in and says its id; the listing
 * names the key as Keyturn names the keys of this secret; the key logs in and is the only one that the listing can mean.
 */
import type { Credential } from '../../shared/contract/credential.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { answerFailure } from '../common/answers.ts';
import type { RequestDescription } from './description.ts';
import { type Key, listKeys } from './listing.ts';
import { fitsMask } from './mask.ts';
import { credentialVariables, finish, type Session, send } from './session.ts';
import type { Variables } from './template.ts';
import { logIn } from './verify.ts';

export type Whose =
  | { readonly kind: 'own'; readonly keyId: string }
  /** The provider has no such key, or refuses it: there is nothing of this secret's left. */
  | { readonly kind: 'gone' }
  /** It logs in, and nothing shows its id. */
  | { readonly kind: 'unproven'; readonly claimed: string | undefined; readonly detail: string }
  | Failure;

/** Finds the provider's id of a key, with proof. Changes nothing. */
export async function whose(session: Session, credential: Credential): Promise<Whose> {
  const said = await saidByItself(session, credential);
  if (said.kind !== 'unsaid') return said;
  const { list } = session.description;
  const listed = list === undefined ? undefined : await listKeys(session, list);
  if (listed?.kind === 'failed') return listed;
  // Only a key that was there before Keyturn has no stamp, and the tag is about that one.
  const claimed = credential.keyId ?? session.step.options.keyId;
  const ids = [claimed, said.keyId].filter((id) => id !== undefined);
  const meant = listed?.keys.filter(({ id }) => ids.includes(id)) ?? [];
  const named = meant.find(({ label }) => label.startsWith(session.step.labelPrefix));
  if (named !== undefined) return { kind: 'own', keyId: named.id };
  if (listed !== undefined && ids.length > 0 && meant.length === 0) return { kind: 'gone' };
  return withoutName(session, credential, listed?.keys ?? [], claimed);
}

/** The key logs in, or it does not; what it may be told apart by is what the listing shows of it. */
async function withoutName(
  session: Session,
  credential: Credential,
  keys: readonly Key[],
  claimed: string | undefined,
): Promise<Whose> {
  const login = await logIn(session, credential);
  switch (login.kind) {
    case 'refused':
      return { kind: 'gone' };
    case 'failed':
      return login;
    case 'unreachable': {
      const { secret } = session.step;
      return failure('target-unreachable', { secret, target: session.description.title, detail: login.detail });
    }
    case 'accepted':
    case 'lesser-rights': {
      const fitting = keys.filter(({ mask }) => mask !== undefined && fitsMask(mask, credential.password));
      const [only] = fitting;
      if (only !== undefined && fitting.length === 1) return { kind: 'own', keyId: only.id };
      const detail =
        claimed === undefined
          ? 'its id at the provider is not known'
          : 'it logs in, and nothing at the provider ties it to that id';
      return { kind: 'unproven', claimed, detail };
    }
  }
}

type Said =
  | { readonly kind: 'own'; readonly keyId: string }
  /** `keyId`: the id that the text of a key names which did not log in. Anybody can write one, so it proves nothing. */
  | { readonly kind: 'unsaid'; readonly keyId?: string }
  | Failure;

async function saidByItself(session: Session, credential: Credential): Promise<Said> {
  const { identify, pair } = session.description;
  if (identify === undefined || credential.password.isEmpty) return { kind: 'unsaid' };
  const own = credentialVariables('credential', credential, pair?.separator);
  if (!('pattern' in identify)) return askedFor(session, identify, own);
  const text = pair === undefined ? own.get('credential.password') : own.get('credential.username');
  const plain = text instanceof SecretText ? text.reveal() : text;
  const keyId = typeof plain === 'string' ? new RegExp(identify.pattern).exec(plain)?.[1] : undefined;
  if (keyId === undefined) return { kind: 'unsaid' };
  const login = await logIn(session, credential);
  if (login.kind === 'failed') return login;
  return login.kind === 'accepted' ? { kind: 'own', keyId } : { kind: 'unsaid', keyId };
}

async function askedFor(session: Session, identify: RequestDescription, own: Variables): Promise<Said> {
  const sent = await send(session, identify, own);
  if (sent.kind === 'failed') return sent;
  const { answer, asked } = sent;
  if (answer.kind !== 'answered' || answer.status === 429 || answer.status >= 500) return answerFailure(asked, answer);
  const done = finish(session, identify, own, sent);
  const keyId = done.kind === 'failed' ? undefined : done.values.get('id');
  return typeof keyId === 'string' ? { kind: 'own', keyId } : { kind: 'unsaid' };
}
