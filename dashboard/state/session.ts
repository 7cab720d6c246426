/** Who is signed in, and how somebody signs in. */
import { type Me, me as meShape } from '../model/shapes.ts';
import type { Client, Problem, SignedOut } from './client.ts';
import { makeStore, type Store } from './store.ts';

export type Session =
  | { readonly kind: 'starting' }
  | { readonly kind: 'signed-in'; readonly me: Me }
  | SignedOut
  /** The app knows the caller and lets them do nothing, or gives no answer. */
  | Problem;

export interface SessionKeeper {
  readonly session: Store<Session>;
  /** Asks the app who is calling. */
  begin(): Promise<void>;
  /** A key that somebody has pasted. It is gone when the page is. */
  withKey(key: string): Promise<void>;
  signOut(): void;
  /** The app has said that it does not know the caller any more. */
  lost(how: SignedOut): void;
}

/** Says that this tab has been to the sign-in page already, so that a person who comes back without a sign-in is not sent there for ever. */
const been = 'keyturn-been-to-sign-in';

export function keepSession(client: () => Client): SessionKeeper {
  const session = makeStore<Session>({ kind: 'starting' });

  async function begin(): Promise<void> {
    const answer = await client().ask('/me', meShape);
    if (answer.kind === 'ok') {
      sessionStorage.removeItem(been);
      session.set({ kind: 'signed-in', me: answer.value });
    } else if (answer.kind === 'problem') session.set(answer);
    else if (answer.kind === 'signed-out' && answer.signIn !== undefined && sessionStorage.getItem(been) === null) {
      sessionStorage.setItem(been, 'yes');
      location.assign(signInAddress(answer.signIn));
    }
  }

  return {
    session,
    begin,
    async withKey(key) {
      client().useKey(key);
      await begin();
    },
    signOut() {
      if (client().hasKey()) {
        client().useKey(undefined);
        session.set({ kind: 'signed-out', detail: 'You have signed out. The key is forgotten.' });
      } else location.assign('/.auth/logout?post_logout_redirect_uri=/');
    },
    lost(how) {
      client().useKey(undefined);
      session.set(how);
    },
  };
}

/** Back to where somebody was. */
export function signInAddress(signIn: string): string {
  return `${signIn}?post_login_redirect_uri=${encodeURIComponent(location.pathname + location.search)}`;
}

/** Whether any of the roles may do what `needed` may; where it holds is decided by the app. */
export function mayDo(me: Me, needed: 'operator' | 'emergency'): boolean {
  const enough = needed === 'operator' ? ['operator', 'emergency'] : ['emergency'];
  return me.roles.some((role) => enough.includes(role.replace(/@.*$/s, '')));
}
