/** MariaDB: an account has a list of ways in, and each password is one of them. The server takes hashes, so it never sees a password. */
import { type AccountState, type Method, onlyOne } from './accounts.ts';
import type { Fault } from './fault.ts';
import { nativeHash, nativePlugin } from './hashes.ts';
import type { Passwords } from './passwords.ts';
import { accountName, accountText, literal } from './quote.ts';
import type { Session } from './session.ts';

const alter = 'CREATE USER on *.*';

const otherMethods = (state: AccountState) => state.methods.filter(({ plugin }) => plugin !== nativePlugin);
const nativeHashes = (state: AccountState) =>
  state.methods.flatMap(({ plugin, hash }) => (plugin === nativePlugin ? [hash.toString('latin1').toUpperCase()] : []));

function via(methods: readonly Method[]): string {
  const one = ({ plugin, hash }: Method) => (hash.length === 0 ? plugin : `${plugin} USING ${literal(String(hash))}`);
  return `IDENTIFIED VIA ${methods.map(one).join(' OR ')}`;
}

const native = (hash: string): Method => ({ plugin: nativePlugin, hash: Buffer.from(hash) });

export const mariadbPasswords: Passwords = {
  add({ session, states }, candidate, known) {
    const wanted = nativeHash(candidate);
    const hashes = known.map(nativeHash);
    return setAll(session, states, '', (state) => {
      const kept = hashes.filter((hash) => hash !== wanted && nativeHashes(state).includes(hash));
      return [wanted, ...new Set(kept)];
    });
  },

  replace({ session, states }, candidate, ending) {
    return setAll(session, states, ending, () => [nativeHash(candidate)]);
  },

  async drop({ session, states, newPassword }, previous, _published, anyway) {
    const gone = nativeHash(previous);
    const theirs = states.filter((state) => nativeHashes(state).includes(gone));
    const left = (state: AccountState) => nativeHashes(state).filter((hash) => hash !== gone);
    const bare = theirs.find((state) => left(state).length === 0);
    if (bare !== undefined && !anyway) return onlyOne(session, bare);
    return setAll(session, theirs, '', (state) => (left(state).length > 0 ? left(state) : [nativeHash(newPassword())]));
  },

  lock({ session, states, newPassword }) {
    const locked = (state: AccountState) => `${accountText(state.account)} ${via([native(nativeHash(newPassword()))])}`;
    return session.change(`ALTER USER ${states.map(locked).join(', ')} ACCOUNT LOCK`, alter);
  },

  identified: (_state, password) => via([native(nativeHash(password))]),

  replaceOwn: (session, candidate) =>
    session.change(`SET PASSWORD = ${literal(nativeHash(candidate))}`, 'the right to set its own password'),

  whyNotTwo(session, state) {
    if (session.server.version < 100_400) {
      return `MariaDB ${session.server.text} keeps one password for a login; two need 10.4 or later`;
    }
    return mariadbPasswords.whyNotOne(state);
  },

  whyNotOne(state) {
    if (nativeHashes(state).length > 0 || state.methods.length === 0) return undefined;
    const plugins = otherMethods(state).map(({ plugin }) => plugin);
    return `${accountName(state.account)} logs in by ${plugins.join(' or ')}; Keyturn changes passwords of ${nativePlugin} on MariaDB`;
  },
};

/** Gives every account its hashes, in one statement. Those that have them and no others already are left out. */
async function setAll(
  session: Session,
  states: readonly AccountState[],
  ending: string,
  hashesOf: (state: AccountState) => readonly string[],
): Promise<Fault | undefined> {
  const changes = states.flatMap((state) => {
    const [now, wanted] = [nativeHashes(state), hashesOf(state)];
    const same = now.length === wanted.length && wanted.every((hash) => now.includes(hash));
    const methods = [...wanted.map(native), ...otherMethods(state)];
    return same && ending === '' ? [] : [`${accountText(state.account)} ${via(methods)}`];
  });
  if (changes.length === 0) return undefined;
  return session.change(`ALTER USER ${changes.join(', ')}${ending}`, alter);
}
