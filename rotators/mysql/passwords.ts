/** How an account is given a password, keeps a second one, and loses it: one file for both servers, since only this differs. */
import { createHash } from 'node:crypto';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type AccountState, type Method, nativePlugin } from './accounts.ts';
import { type Fault, fault } from './fault.ts';
import { accountName, accountText, literal } from './quote.ts';
import type { Session } from './session.ts';

export interface Work {
  readonly session: Session;
  readonly state: AccountState;
  /** Whether the account lets this password in now. Only a login tells on MySQL: its hashes are salted. */
  readonly logsIn: (password: SecretText) => Promise<boolean | Fault>;
  readonly newPassword: () => SecretText;
}

export interface Passwords {
  /** Adds the candidate beside the `known` passwords and drops all others. The first known one is the one that certainly works. */
  add(work: Work, candidate: SecretText, known: readonly SecretText[]): Promise<Fault | undefined>;
  /** Makes the candidate the only password and unlocks the account. */
  replace(work: Work, candidate: SecretText): Promise<Fault | undefined>;
  /** Takes one password away. One that the account does not have is fine. */
  drop(work: Work, previous: SecretText): Promise<Fault | undefined>;
  /** Locks the account behind a password that nobody knows. */
  lock(work: Work): Promise<Fault | undefined>;
  /** IDENTIFIED …, for a new account like the one of `state`, with a password that nobody knows. */
  identified(state: AccountState, password: SecretText): string;
  /** Changes the password of the session's own account, which needs no right. */
  replaceOwn(session: Session, candidate: SecretText): Promise<Fault | undefined>;
  /** Why the account cannot hold two passwords; undefined when it can. */
  whyNotTwo(session: Session, state: AccountState): string | undefined;
  /** Why its password cannot be replaced; undefined when it can. */
  whyNotOne(state: AccountState): string | undefined;
}

const alter = 'CREATE USER on *.*';

/** `*` and the SHA-1 of the SHA-1, as the server stores it: computed here, so that the password itself never reaches server or log. */
export function nativeHash(password: SecretText): string {
  const once = createHash('sha1').update(password.reveal(), 'utf8').digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}

export function passwordsOf(session: Session): Passwords {
  return session.server.flavour === 'MariaDB' ? mariadb : mysql;
}

const otherMethods = (state: AccountState) => state.methods.filter(({ plugin }) => plugin !== nativePlugin);
const nativeHashes = (state: AccountState) =>
  state.methods.flatMap(({ plugin, hash }) => (plugin === nativePlugin ? [hash.toUpperCase()] : []));

function via(methods: readonly Method[]): string {
  const one = ({ plugin, hash }: Method) => (hash === '' ? plugin : `${plugin} USING ${literal(hash)}`);
  return `IDENTIFIED VIA ${methods.map(one).join(' OR ')}`;
}

const native = (hash: string): Method => ({ plugin: nativePlugin, hash });

const mariadb: Passwords = {
  async add({ session, state }, candidate, known) {
    const wanted = nativeHash(candidate);
    const kept = known.map(nativeHash).filter((hash) => hash !== wanted && nativeHashes(state).includes(hash));
    const others = otherMethods(state);
    if (kept.length === 0 && others.length > 0)
      return unsupported(session, mariadb.whyNotOne(state) ?? passwordElsewhere(state));
    return setHashes(session, state, [wanted, ...new Set(kept)], '');
  },

  async replace({ session, state }, candidate) {
    const why = mariadb.whyNotOne(state);
    if (why !== undefined) return unsupported(session, why);
    return setHashes(session, state, [nativeHash(candidate)], state.locked ? ' ACCOUNT UNLOCK' : '');
  },

  async drop({ session, state, newPassword }, previous) {
    const gone = nativeHash(previous);
    const hashes = nativeHashes(state);
    if (!hashes.includes(gone)) return undefined;
    const left = hashes.filter((hash) => hash !== gone);
    return setHashes(session, state, left.length > 0 ? left : [nativeHash(newPassword())], '');
  },

  lock({ session, state, newPassword }) {
    const methods = via([native(nativeHash(newPassword()))]);
    return session.change(`ALTER USER ${accountText(state.account)} ${methods} ACCOUNT LOCK`, alter);
  },

  identified: (_state, password) => via([native(nativeHash(password))]),

  replaceOwn: (session, candidate) =>
    session.change(`SET PASSWORD = ${literal(nativeHash(candidate))}`, 'the right to set its own password'),

  whyNotTwo(session, state) {
    if (session.server.version < 100_400) {
      return `MariaDB ${session.server.text} keeps one password for a login; two need 10.4 or later`;
    }
    return mariadb.whyNotOne(state);
  },

  whyNotOne(state) {
    if (nativeHashes(state).length > 0 || state.methods.length === 0) return undefined;
    return passwordElsewhere(state);
  },
};

function passwordElsewhere(state: AccountState): string {
  const plugins = otherMethods(state).map(({ plugin }) => plugin);
  return `${accountName(state.account)} logs in by ${plugins.join(' or ')}; Keyturn changes passwords of ${nativePlugin} on MariaDB`;
}

// Nothing is sent when the account has these and no others already.
async function setHashes(
  session: Session,
  state: AccountState,
  hashes: readonly string[],
  ending: string,
): Promise<Fault | undefined> {
  const now = nativeHashes(state);
  const same = now.length === hashes.length && hashes.every((hash) => now.includes(hash));
  if (same && ending === '') return undefined;
  const methods = [...hashes.map(native), ...otherMethods(state)];
  return session.change(`ALTER USER ${accountText(state.account)} ${via(methods)}${ending}`, alter);
}

const twoPasswordPlugins = ['caching_sha2_password', 'sha256_password', nativePlugin];

const mysql: Passwords = {
  /**
   * MySQL keeps exactly one older password, and RETAIN overwrites it. When there is one already it may be the published one, behind
   * a candidate of an attempt that crashed. So the live password is made the first one again, which leaves the second alone, before
   * the candidate is put in front of it: the live password works at every moment.
   */
  async add(work, candidate, [live]) {
    const { session, state } = work;
    const why = mysql.whyNotTwo(session, state);
    if (why !== undefined) return unsupported(session, why);
    const has = await work.logsIn(candidate);
    if (has === true) return undefined;
    if (has !== false) return has;
    if (state.hasSecond && live !== undefined) {
      const lives = await work.logsIn(live);
      if (lives !== true && lives !== false) return lives;
      const met = lives ? await alterPassword(session, state, live, '') : undefined;
      if (met !== undefined) return met;
    }
    return alterPassword(session, state, candidate, ' RETAIN CURRENT PASSWORD');
  },

  async replace(work, candidate) {
    const { session, state } = work;
    const why = mysql.whyNotOne(state);
    if (why !== undefined) return unsupported(session, why);
    // An older password would come back to life together with the account.
    const met = state.hasSecond ? await discardOld(session, state) : undefined;
    if (met !== undefined) return met;
    const has = state.locked ? false : await work.logsIn(candidate);
    if (has === true) return undefined;
    if (has !== false) return has;
    return alterPassword(session, state, candidate, state.locked ? ' ACCOUNT UNLOCK' : '');
  },

  async drop(work, previous) {
    const { session, state } = work;
    if (!state.hasSecond) return undefined;
    const has = await work.logsIn(previous);
    if (has === false) return undefined;
    if (has !== true) return has;
    const met = await discardOld(session, state);
    if (met !== undefined) return met;
    const still = await work.logsIn(previous);
    if (still === false) return undefined;
    if (still !== true) return still;
    return fault(
      'rejected',
      session.target,
      `the old password of ${accountName(state.account)} is its first one, not its second`,
    );
  },

  lock: ({ session, state, newPassword }) => alterPassword(session, state, newPassword(), ' ACCOUNT LOCK'),

  identified: (state, password) => `IDENTIFIED WITH ${literal(pluginOf(state))} BY ${literal(password.reveal())}`,

  replaceOwn: (session, candidate) =>
    session.change(
      `ALTER USER USER() IDENTIFIED BY ${literal(candidate.reveal())}`,
      'the right to set its own password',
    ),

  whyNotTwo(session, state) {
    if (session.server.version < 80_014) {
      return `MySQL ${session.server.text} keeps one password for a login; two need 8.0.14 or later`;
    }
    return mysql.whyNotOne(state);
  },

  whyNotOne(state) {
    const plugin = pluginOf(state);
    if (twoPasswordPlugins.includes(plugin)) return undefined;
    return `${accountName(state.account)} logs in by ${plugin}, which keeps no password on the server`;
  },
};

function pluginOf(state: AccountState): string {
  return state.methods[0]?.plugin ?? '';
}

// The plugin is named, because without it the server may fall back to its default and change how the account logs in.
async function alterPassword(
  session: Session,
  state: AccountState,
  password: SecretText,
  ending: string,
): Promise<Fault | undefined> {
  const identified = mysql.identified(state, password);
  return session.change(`ALTER USER ${accountText(state.account)} ${identified}${ending}`, alter);
}

async function discardOld(session: Session, state: AccountState): Promise<Fault | undefined> {
  return session.change(`ALTER USER ${accountText(state.account)} DISCARD OLD PASSWORD`, alter);
}

function unsupported(session: Session, why: string): Fault {
  return fault('unsupported', session.target, why);
}
