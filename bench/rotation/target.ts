import type { Strategy } from '../../shared/contract/strategy.ts';

/** A server for the bench of rotations: how to give it a login, and the least anybody does to change that login's password. */
export interface RotationTarget {
  readonly name: string;
  /** Of the tag. */
  readonly rotator: string;
  readonly strategies: readonly Strategy[];
  /** What the admin connection is, at the given port. */
  admin(port: number): string;
  /** Makes a login that may rotate by the strategy, and gives its value at the given port. */
  addLogin(login: string, password: string, port: number): Promise<string>;
  /** Logs in, sends one statement that changes the password, and leaves. `keep`: the password before goes on working. */
  change(admin: URL, login: string, password: string, keep: boolean): Promise<void>;
  /** Logs in and leaves. */
  enter(value: URL): Promise<void>;
  readonly port: number;
  close(): Promise<void>;
}

export const adminName = 'rotation_admin';
export const adminPassword = 'Password-of-the-rotation-admin-1';

/** A connection string, which the names and passwords of a bench need no quoting in. */
export function addressOf(scheme: string, user: string, password: string, place: string): string {
  return `${scheme}://${user}:${password}@127.0.0.1:${place}`;
}
