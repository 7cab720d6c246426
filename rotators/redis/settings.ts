/** Passwords that live in a node's settings. */
import * as z from 'zod';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import type { Command, Reply } from './connection.ts';
import type { Fault } from './fault.ts';

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

export const secretQuestions: readonly Command[] = [
  ['CONFIG', 'GET', 'requirepass'],
  ['CONFIG', 'GET', 'masterauth'],
  ['CONFIG', 'GET', 'masteruser'],
];

/** What of the settings holds passwords, by the answers. They stay inside this process. */
export function secretsIn(answers: readonly Reply[]): Secrets | Fault {
  const met = answers.find((answer) => answer.kind === 'fault');
  if (met !== undefined) return met;
  const [requirepass = '', masterauth = '', masteruser = ''] = answers.map(settingIn);
  return { kind: 'secrets', requirepass, masterauth, masteruser };
}

const settingReply = z.array(z.string());

/** The value in an answer to CONFIG GET; empty where there is no such setting. */
export function settingIn(answer: Reply): string {
  const [, value = ''] = answer.kind === 'fault' ? [] : (settingReply.safeParse(answer.value).data ?? []);
  return value;
}

/** Whether the node logs in at its primary as this user, so that a new password has to reach it too. */
export function replicatesAs(secrets: Secrets, user: string): boolean {
  if (secrets.masterauth === '') return false;
  return (secrets.masteruser === '' ? defaultUser : secrets.masteruser) === user;
}

/** Settings hold passwords in clear: there is no hash for them. The server keeps them out of its monitor and slow log. */
export function settingCommand(setting: 'requirepass' | 'masterauth', password: SecretText): Command {
  return ['CONFIG', 'SET', setting, password.reveal()];
}
