/**
 * MySQL: an account has a first password and may keep a second, older one. RETAIN CURRENT PASSWORD makes the first one the second; a
 * statement without it leaves the second as it is; DISCARD OLD PASSWORD drops the second, whichever the vault publishes. So which is which
 * is read from the catalogue before anything is changed.
 * https://dev.mysql.com/doc/refman/8.4/en/password-management.html#dual-passwords
 */
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type AccountState, onlyOne, type Place } from './accounts.ts';
import { type Fault, fault } from './fault.ts';
import { nativePlugin } from './hashes.ts';
import type { Passwords, Work } from './passwords.ts';
import { accountName, accountText, literal } from './quote.ts';
import type { Session } from './session.ts';

const alter = 'CREATE USER on *.*';
const plugins = ['caching_sha2_password', 'sha256_password', nativePlugin];

export const mysqlPasswords: Passwords = {
  add: ({ session, states }, candidate, known) =>
    changeAll(session, states, '', async (state) => {
      const set = identify(state, candidate);
      const kept = await placeOfAny(state, known);
      if (kept === 'first') return [`${set} RETAIN CURRENT PASSWORD`];
      const place = await state.placeOf(candidate);
      if (place === 'unreadable' || kept === 'unreadable') return unreadable(session, state);
      const isDone = place === 'first' ? [] : [set];
      // The second password stays where it is a known one, and goes with whatever attempt it was of otherwise.
      return kept === 'second' || state.second === undefined ? isDone : [...isDone, discard(state)];
    }),

  replace: ({ session, states }, candidate, ending) =>
    changeAll(session, states, ending, async (state) => {
      const done = state.second === undefined && ending === '' && (await state.placeOf(candidate)) === 'first';
      return done ? [] : only(state, candidate);
    }),

  async drop({ session, states, newPassword }, previous, published, anyway) {
    return changeAll(session, states, '', async (state) => {
      switch (await state.placeOf(previous)) {
        case 'none':
          return [];
        case 'unreadable':
          return unreadable(session, state);
        case 'second':
          return [discard(state)];
        case 'first':
          if ((await state.placeOf(published)) === 'second') return only(state, published);
          return anyway ? only(state, newPassword()) : onlyOne(session, state);
      }
    });
  },

  lock: ({ session, states, newPassword }) =>
    changeAll(session, states, ' ACCOUNT LOCK', async (state) => [identify(state, newPassword())]),

  identified: (state, password) => `IDENTIFIED WITH ${literal(pluginOf(state))} BY ${literal(password.reveal())}`,

  replaceOwn(session, candidate) {
    // Since 8.0.13 an account may have to give its current password with the new one, and every account may.
    const replace = session.server.version < 80_013 ? '' : ` REPLACE ${literal(session.as.password.reveal())}`;
    const statement = `ALTER USER USER() IDENTIFIED BY ${literal(candidate.reveal())}${replace}`;
    return session.change(statement, 'the right to set its own password');
  },

  whyNotTwo(session, state) {
    if (session.server.version < 80_014) {
      return `MySQL ${session.server.text} keeps one password for a login; two need 8.0.14 or later`;
    }
    if (state.methods[0]?.hash.length === 0 && plugins.includes(pluginOf(state))) {
      return `${accountName(state.account)} has an empty password, which MySQL does not keep beside another one`;
    }
    return mysqlPasswords.whyNotOne(state);
  },

  whyNotOne(state) {
    const plugin = pluginOf(state);
    if (state.rules.moreFactors)
      return `${accountName(state.account)} needs further factors, and a password alone does not log in`;
    if (plugins.includes(plugin)) return undefined;
    return `${accountName(state.account)} logs in by ${plugin}, which keeps no password on the server`;
  },
};

function pluginOf(state: AccountState): string {
  return state.methods[0]?.plugin ?? '';
}

async function placeOfAny(state: AccountState, passwords: readonly SecretText[]): Promise<Place> {
  const places = await Promise.all(passwords.map((password) => state.placeOf(password)));
  return (['first', 'second', 'unreadable'] as const).find((place) => places.includes(place)) ?? 'none';
}

// The plugin is named, because without it the server may fall back to its default and change how the account logs in.
function identify(state: AccountState, password: SecretText): string {
  return `${accountText(state.account)} ${mysqlPasswords.identified(state, password)}`;
}

function discard(state: AccountState): string {
  return `${accountText(state.account)} DISCARD OLD PASSWORD`;
}

/** Both in one statement, so that no crash leaves an older password alive. */
function only(state: AccountState, password: SecretText): readonly string[] {
  return state.second === undefined ? [identify(state, password)] : [identify(state, password), discard(state)];
}

type Changes = readonly string[] | Fault;

/** Changes all accounts in one statement, which MySQL does for all of them or for none. */
async function changeAll(
  session: Session,
  states: Work['states'],
  ending: string,
  changesOf: (state: AccountState) => Promise<Changes>,
): Promise<Fault | undefined> {
  const changes: string[] = [];
  for (const state of states) {
    const these = await changesOf(state);
    if ('kind' in these) return these;
    changes.push(...these);
  }
  if (changes.length === 0) return undefined;
  return session.change(`ALTER USER ${changes.join(', ')}${ending}`, alter);
}

function unreadable(session: Session, state: AccountState): Fault {
  const detail = `${accountName(state.account)} keeps its password in a form that Keyturn does not know, so its first and its second one cannot be told apart`;
  return fault('unsupported', session.target, detail);
}
