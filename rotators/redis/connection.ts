/** One connection to one Redis node: opened without automatic logins or reconnects, every answer a value, nothing secret in it. */
import type { ConnectionOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import type { Credential } from '../../shared/contract/credential.ts';
import type { SecretText } from '../../shared/contract/secret-text.ts';
import { type Fault, fault, faultOfConnection, faultOfReply, secretsIn } from './fault.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export type Reply = { readonly kind: 'reply'; readonly value: unknown } | Fault;

export type Command = readonly [name: string, ...args: readonly (string | number)[]];

export interface RedisConnection {
  readonly address: Address;
  /** Sends one command. Never throws; a connection that broke is a fault. */
  call(command: string, ...args: readonly (string | number)[]): Promise<Reply>;
  /**
   * Sends the commands in one go and gives their answers in the same order. The node runs them in that order, a later one also when an
   * earlier one failed. Never throws.
   */
  calls(commands: readonly Command[]): Promise<readonly Reply[]>;
  /** May be called again. */
  close(): void;
}

export interface OpenOptions {
  readonly address: Address;
  /** Absent: plain. */
  readonly tls?: ConnectionOptions;
  readonly connectTimeoutMs: number;
  /** Ends the connection, and with it every command on it, when it aborts. */
  readonly signal: AbortSignal;
  /** Nothing more is sent when this is 0 or less: Redis cannot be told to refuse a change that comes too late. */
  readonly remainingMs: () => number;
}

export type Opened = { readonly kind: 'open'; readonly connection: RedisConnection } | Fault;

export function nodeName(address: Address): string {
  return `${address.host}:${address.port}`;
}

/** Connects without logging in. */
export async function openRedis(options: OpenOptions): Promise<Opened> {
  const { address, signal, connectTimeoutMs } = options;
  const node = nodeName(address);
  const settings: RedisOptions & { replyMapping?: 'legacy' } = {
    host: address.host,
    port: address.port,
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    commandTimeout: connectTimeoutMs,
    // The library would log in again and again behind our back; a refused login must be an answer.
    retryStrategy: null,
    reconnectOnError: null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    disableClientInfo: true,
    // HELLO, which the third protocol needs, is unknown to servers before 6 and refused before the login.
    protocol: 2,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  };
  if (signal.aborted || options.remainingMs() <= 0) return outOfTime(node);
  const client = new Redis(settings);
  const seen: { last?: Error } = {};
  // The promise of connect() only says "closed"; why it closed comes as an event, before it.
  client.on('error', (error: Error) => {
    seen.last = error;
  });
  const abort = () => client.disconnect();
  signal.addEventListener('abort', abort, { once: true });
  const close = () => {
    signal.removeEventListener('abort', abort);
    client.disconnect();
  };
  try {
    await client.connect();
  } catch (error) {
    close();
    return faultOfConnection(node, seen.last ?? error, signal);
  }
  const secrets: SecretText[] = [];
  const call = async (command: string, ...args: readonly (string | number)[]): Promise<Reply> => {
    // A worker that was frozen wakes up here, before its timers and its signal do.
    if (signal.aborted || options.remainingMs() <= 0) return outOfTime(node);
    secrets.push(...secretsIn(command, args));
    try {
      return { kind: 'reply', value: await client.call(command, ...args) };
    } catch (error) {
      return faultOfReply({ node, command, args, error, broken: seen.last, signal, secrets });
    }
  };
  const calls = (commands: readonly Command[]) => Promise.all(commands.map((command) => call(...command)));
  return { kind: 'open', connection: { address, call, calls, close } };
}

function outOfTime(node: string): Fault {
  return fault('unreachable', node, 'the time for the step ran out');
}

/** Presents a credential. May be sent again with another one. */
export function authCommand({ username, password }: Credential): Command {
  const secret = password.reveal();
  return username === undefined || username === '' ? ['AUTH', secret] : ['AUTH', username, secret];
}
