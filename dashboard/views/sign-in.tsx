import { useState } from 'preact/hooks';
import { type Session, type SessionKeeper, signInAddress } from '../state/session.ts';
import type { Store } from '../state/store.ts';
import type { Theme } from '../state/theme.ts';
import { ProblemNote, Title } from './parts.tsx';
import { ThemeButton } from './theme-button.tsx';

interface Props {
  readonly keeper: SessionKeeper;
  readonly session: Exclude<Session, { kind: 'signed-in' }>;
  readonly theme: Store<Theme>;
}

/** What everybody sees who is not signed in. It knows nothing of any vault. */
export function SignIn({ keeper, session, theme }: Props) {
  return (
    <>
      <header class="top">
        <span class="brand">
          <span aria-hidden="true" class="mark" />
          Keyturn
        </span>
        <div class="who">
          <ThemeButton theme={theme} />
        </div>
      </header>
      <main class="sign-in" id="main">
        {session.kind === 'starting' ? (
          <p role="status">Asking the app who you are …</p>
        ) : (
          <>
            <Title>Sign in</Title>
            {session.kind === 'problem' && <ProblemNote problem={session} />}
            {session.kind === 'signed-out' && session.signIn !== undefined && (
              <p>
                <a class="button first" href={signInAddress(session.signIn)}>
                  Sign in with Microsoft
                </a>
              </p>
            )}
            <KeyForm keeper={keeper} said={session.detail} />
          </>
        )}
      </main>
    </>
  );
}

function KeyForm({ keeper, said }: { readonly keeper: SessionKeeper; readonly said: string }) {
  const [sent, setSent] = useState(false);
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    if (!(form instanceof HTMLFormElement)) return;
    const key = new FormData(form).get('key');
    form.reset();
    setSent(true);
    if (typeof key === 'string' && key.trim() !== '') await keeper.withKey(key.trim());
  };
  return (
    <form autocomplete="off" onSubmit={(event) => void submit(event)}>
      <label for="key">An API key</label>
      <p class="muted" id="key-help">
        It is kept in the memory of this page alone, and forgotten when you close or reload it.
      </p>
      <input
        aria-describedby="key-help key-said"
        autocomplete="off"
        id="key"
        name="key"
        required
        spellcheck={false}
        type="password"
      />
      <button type="submit">Use the key</button>
      <p class="bad-text" id="key-said" role="status">
        {sent ? `Not signed in: ${said}.` : ''}
      </p>
    </form>
  );
}
