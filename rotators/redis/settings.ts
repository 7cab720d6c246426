/** Passwords that live in a node's settings, and how a node is made to remember a change. */
import * as z from 'zod';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import type { Fault } from './fault.ts';
import type { Node } from './fleet.ts';

/** The login every client without a name gets. */
export const defaultUser = 'default';

/** How a node logs in at its primary, and what `requirepass` says. */
export interface Secrets {
  readonly kind: 'secrets';
  readonly requirepass: string;
  readonly masterauth: string;
  /** Empty: `masterauth` is the password of the default user. */
  readonly masteruser: string;
}

const settingReply = z.array(z.string());

/** Reads what of the settings holds passwords. They stay inside this process. */
export async function readSecrets(node: Node): Promise<Secrets | Fault> {
  const read = { requirepass: '', masterauth: '', masteruser: '' };
  for (const name of ['requirepass', 'masterauth', 'masteruser'] as const) {
    const answer = await node.connection.call('CONFIG', 'GET', name);
    if (answer.kind === 'fault') return answer;
    const [, value = ''] = settingReply.safeParse(answer.value).data ?? [];
    read[name] = value;
  }
  return { kind: 'secrets', ...read };
}

/** Whether the node logs in at its primary as this user, so that a new password has to reach it too. */
export function replicatesAs(secrets: Secrets, user: string): boolean {
  if (secrets.masterauth === '') return false;
  return (secrets.masteruser === '' ? defaultUser : secrets.masteruser) === user;
}

export type PasswordSetting = 'requirepass' | 'masterauth';

/** Settings hold passwords in clear: there is no hash for them. The server keeps them out of its monitor and slow log. */
export async function setPasswords(
  node: Node,
  settings: readonly PasswordSetting[],
  password: SecretText,
): Promise<Fault | undefined> {
  for (const setting of settings) {
    const answer = await node.connection.call('CONFIG', 'SET', setting, password.reveal());
    if (answer.kind === 'fault') return answer;
  }
  return undefined;
}

export type Remembered =
  | { readonly kind: 'remembered' }
  /** What changed works until the node is restarted. */
  | { readonly kind: 'forgetful'; readonly node: string; readonly why: string };

/**
 * Makes the node remember its users, and its settings where one was changed: ACL SAVE where it has an ACL file, else CONFIG REWRITE.
 * Never ACL LOAD, which disconnects clients.
 */
export async function remember(node: Node, settingsChanged: boolean): Promise<Remembered | Fault> {
  const saved = await node.connection.call('ACL', 'SAVE');
  if (saved.kind === 'fault') {
    const otherwise = /not configured to use an ACL file/.test(saved.detail) || saved.fault === 'unknown-command';
    if (!otherwise) return forgetfulOr(node, saved);
  }
  if (saved.kind === 'reply' && !settingsChanged) return { kind: 'remembered' };
  const rewritten = await node.connection.call('CONFIG', 'REWRITE');
  return rewritten.kind === 'reply' ? { kind: 'remembered' } : forgetfulOr(node, rewritten);
}

// Only a connection that broke is tried again; any other refusal will be the same next time, and the rotation is worth more.
function forgetfulOr(node: Node, met: Fault): Remembered | Fault {
  return met.fault === 'unreachable' ? met : { kind: 'forgetful', node: node.name, why: met.detail };
}
