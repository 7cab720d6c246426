/**
 * What can go wrong on a connection to Redis, from the first word of an error reply (the server's own prefix, see redis.io "RESP
 * protocol", simple errors) or from the socket.
 */
import { type Credential, credentialName } from '../../shared/contract/credential.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { tlsFault } from '../common/network.ts';
import { copyOf, scrubbedText } from '../common/scrub.ts';

export type FaultKind =
  /** No answer: no evidence about a credential. */
  | 'unreachable'
  | 'untrusted'
  /** The credential was refused. */
  | 'refused'
  | 'busy'
  /** The login may not send the command. */
  | 'forbidden'
  /** The server does not know the command. */
  | 'unknown-command'
  /** It lacks something: a login, a primary. */
  | 'missing'
  /** The login must not be handed out through this secret. */
  | 'unsafe'
  | 'rejected';

export interface Fault {
  readonly kind: 'fault';
  readonly fault: FaultKind;
  /** `host:port`. */
  readonly node: string;
  /** Scrubbed. */
  readonly detail: string;
  /** What was sent, without its arguments. */
  readonly command?: string;
  readonly cause?: Error;
}

export function fault(kind: FaultKind, node: string, detail: string): Fault {
  return { kind: 'fault', fault: kind, node, detail };
}

const busyWords = ['LOADING', 'BUSY', 'MASTERDOWN', 'TRYAGAIN', 'CLUSTERDOWN', 'NOREPLICAS', 'MISCONF', 'OOM'];

// "AUTH called without any password configured" means that the server knows no password at all, so ours does not log in either.
const refusedSentences = /invalid password|without any password configured|no password is set|Authentication required/i;

interface FailedCall {
  readonly node: string;
  readonly command: string;
  readonly args: readonly (string | number)[];
  readonly error: unknown;
  /** The last error of the socket, when there was one. */
  readonly broken: Error | undefined;
  readonly signal: AbortSignal;
  /** Everything secret that was sent on the connection, this command's included. */
  readonly secrets: readonly SecretText[];
}

/** The meaning of a command that failed. */
export function faultOfReply(call: FailedCall): Fault {
  const { node, error, signal } = call;
  if (!(error instanceof Error) || error.name !== 'ReplyError')
    return faultOfConnection(node, call.broken ?? error, signal, call.secrets);
  const detail = withoutArguments(scrubbedText(error.message, call.secrets), call.args);
  const command = nameOf(call.command, call.args);
  return {
    kind: 'fault',
    fault: kindOfReply(error.message),
    node,
    detail,
    command,
    cause: copyOf(error, detail),
  };
}

function kindOfReply(message: string): FaultKind {
  const [word = ''] = message.split(' ');
  if (word === 'WRONGPASS' || word === 'NOAUTH' || refusedSentences.test(message)) return 'refused';
  if (word === 'NOPERM') return 'forbidden';
  if (busyWords.includes(word) || /max number of clients/.test(message)) return 'busy';
  if (/unknown (sub)?command|Unknown subcommand|wrong number of arguments/i.test(message)) return 'unknown-command';
  return 'rejected';
}

/** The meaning of a socket that did not open or broke. */
export function faultOfConnection(
  node: string,
  error: unknown,
  signal: AbortSignal,
  secrets: readonly SecretText[] = [],
): Fault {
  const code = codeOf(error);
  const said = error instanceof Error ? error.message : 'the connection was closed';
  const message = scrubbedText(said, secrets);
  // A server that is full, or in protected mode, says so and hangs up before any command.
  if (error instanceof Error && error.name === 'ReplyError') {
    return { kind: 'fault', fault: kindOfReply(said), node, detail: message, cause: copyOf(error, message) };
  }
  const untrusted = tlsFault(error) !== undefined;
  const detail = signal.aborted ? 'the time for the step ran out' : code === '' ? message : `${message} (${code})`;
  const cause = error instanceof Error ? { cause: copyOf(error, detail) } : {};
  return { kind: 'fault', fault: untrusted ? 'untrusted' : 'unreachable', node, detail, ...cause };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** What is secret among the arguments of a command: https://redis.io/docs/latest/commands/ of AUTH, ACL SETUSER and CONFIG SET. */
export function secretsIn(command: string, args: readonly (string | number)[]): readonly SecretText[] {
  const words = args.map(String);
  const [first = ''] = words;
  if (command === 'AUTH') return words.slice(-1).map((word) => new SecretText(word));
  if (command === 'CONFIG' && first === 'SET') return words.slice(2).map((word) => new SecretText(word));
  if (command !== 'ACL' || first !== 'SETUSER') return [];
  return words.slice(2).flatMap((rule) => (/^[<>#!]./s.test(rule) ? [new SecretText(rule.slice(1))] : []));
}

function withoutArguments(message: string, args: readonly (string | number)[]): string {
  const sentence = message.replace(/,? with args beginning with:.*$/s, '');
  return args
    .map(String)
    .filter((argument) => argument.length >= 4)
    .reduce((text, argument) => text.replaceAll(argument, '[argument]'), sentence);
}

const withSubcommand = ['ACL', 'CONFIG', 'CLIENT', 'CLUSTER', 'SENTINEL'];

function nameOf(command: string, args: readonly (string | number)[]): string {
  const [first] = args;
  return withSubcommand.includes(command) && first !== undefined ? `${command} ${first}` : command;
}

/** The failure to answer with when the admin's connection met a fault. */
export function adminFailure(
  { secret, current }: { readonly secret: string; readonly current: Credential },
  admin: string,
  met: Fault,
): Failure {
  const at = { secret, target: `Redis at ${met.node}`, detail: met.detail };
  switch (met.fault) {
    case 'unreachable':
      return failure('target-unreachable', at, met.cause);
    case 'untrusted':
      return failure('target-tls', at, met.cause);
    case 'refused':
      return failure('admin-refused', { ...at, admin }, met.cause);
    case 'busy':
      return failure('target-busy', at, met.cause);
    case 'forbidden':
      return failure('permission-missing', { ...at, permission: `the right to ${met.command ?? 'do it'}` }, met.cause);
    case 'unknown-command':
      return failure(
        'strategy-unsupported',
        {
          secret,
          detail: `${at.target} does not know ${met.command ?? 'the command'}; access control lists need Redis 6 or later`,
        },
        met.cause,
      );
    case 'unsafe':
      return failure('login-not-safe', { ...at, login: credentialName(current) }, met.cause);
    case 'missing':
      return failure('target-missing', at, met.cause);
    case 'rejected':
      return failure('target-refused', at, met.cause);
  }
}
