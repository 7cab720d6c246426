/**
 * Every failure Keyturn can answer with: one table of codes.
 *
 * A message says what, where and which credential by name; a hint is an order a person can follow. Nothing given to a message may be a
 * secret value. Each code has a page `docs/errors/CODE.md`; a test fails when one is missing.
 */
import { isLoopback } from './loopback.ts';

/**
 * What the engine does with a failure. `retry`: backs off, same step. `blocked`: stops and alerts, keeps the pending candidate.
 * `refused`: the candidate was refused by the target; applied again a bounded number of times. `superseded`: leaves things as they are.
 * `config`: somebody must change a tag, a value or a setting; nothing was touched.
 */
export type FailureClass = 'retry' | 'blocked' | 'refused' | 'superseded' | 'config';

/**
 * What another try without anybody asking would do. `helps`: it may succeed, and costs nothing but itself. `harms`: it may lock a login out
 * or use up a policy's history of passwords, so it waits until somebody has looked.
 */
export type AnotherTry = 'helps' | 'harms';

interface FailureKind<Details> {
  readonly class: FailureClass;
  readonly anotherTry: AnotherTry;
  readonly message: (details: Details) => string;
  readonly hint: (details: Details) => string;
}

/** `detail` is the scrubbed answer of the other side. */
interface At {
  readonly secret: string;
  readonly detail: string;
}

/** One tag that cannot be used, and what it takes. */
export interface TagProblem {
  readonly tag: string;
  readonly detail: string;
}

interface AtChannel extends At {
  /** By its name in the settings. */
  readonly channel: string;
}

interface AtTarget extends At {
  readonly target: string;
}

function kind<Details>(
  failureClass: FailureClass,
  message: (details: Details) => string,
  hint: (details: Details) => string,
  anotherTry: AnotherTry = 'helps',
): FailureKind<Details> {
  return { class: failureClass, anotherTry, message, hint };
}

export const failureKinds = {
  'target-unreachable': kind<AtTarget>(
    'retry',
    (d) => `${d.secret}: ${d.target} gave no answer: ${d.detail}`,
    (d) =>
      `Check that ${d.target} is up and that its firewall lets the function app in, then run "keyturn rotate ${d.secret}". Keyturn tries again by itself.`,
  ),
  'target-busy': kind<AtTarget>(
    'retry',
    (d) => `${d.secret}: ${d.target} could not do it just now: ${d.detail}`,
    () => 'Nothing to do: Keyturn tries again by itself.',
  ),
  'target-read-only': kind<AtTarget>(
    'retry',
    (d) => `${d.secret}: ${d.target} takes no changes now: ${d.detail}`,
    (d) =>
      `If ${d.target} is a replica for good, put the address of its primary into the admin secret of ${d.secret}. Keyturn tries again by itself.`,
  ),
  'target-tls': kind<AtTarget>(
    'blocked',
    (d) => `${d.secret}: the TLS connection to ${d.target} was not trusted: ${d.detail}`,
    () =>
      'Add the certificate authority of the target to KEYTURN_TRUSTED_CERTIFICATES; plain connections are made to loopback only.',
  ),
  'admin-refused': kind<AtTarget & { readonly admin: string }>(
    'blocked',
    (d) => `${d.secret}: ${d.target} refused the admin ${d.admin}: ${d.detail}`,
    (d) => `Put a working connection into the admin secret of ${d.secret}, then run "keyturn rotate ${d.secret}".`,
    'harms',
  ),
  'permission-missing': kind<AtTarget & { readonly permission: string }>(
    'blocked',
    (d) => `${d.secret}: the admin on ${d.target} lacks ${d.permission}: ${d.detail}`,
    (d) => `Grant ${d.permission} to the rotation admin, then run "keyturn rotate ${d.secret}".`,
  ),
  'no-live-credential': kind<{ readonly secret: string; readonly login: string; readonly detail: string }>(
    'blocked',
    (d) => `${d.secret}: no known credential of ${d.login} logs in: ${d.detail}`,
    (d) =>
      `Set the vault's current version of ${d.secret} to a credential that works, or run "keyturn rotate ${d.secret} --force" to have the admin replace it.`,
    'harms',
  ),
  'credential-drifted': kind<
    At & {
      readonly version: string;
      /** The same credential was written back before. */
      readonly again?: boolean;
    }
  >(
    'blocked',
    (d) => `${d.secret}: the target refuses the current credential, version ${d.version}: ${d.detail}`,
    (d) =>
      `${d.again === true ? `Stop what writes it back (docs/other-writers.md), then run` : 'Run'} "keyturn repair ${d.secret}": it goes back to the last version that logs in, or has the admin make a new credential where none does.`,
  ),
  'password-rules': kind<AtTarget>(
    'config',
    (d) => `${d.secret}: no password fits the rules of ${d.target}: ${d.detail}`,
    (d) => `Correct the tag "password" of ${d.secret}, or relax the rules of ${d.target}.`,
  ),
  'candidate-refused': kind<AtTarget & { readonly login: string }>(
    'refused',
    (d) => `${d.secret}: ${d.target} refused the new credential of ${d.login}: ${d.detail}`,
    (d) =>
      `Look at the password rules and the log of ${d.target}, then run "keyturn rotate ${d.secret}". The published credential is unchanged.`,
    'harms',
  ),
  'lesser-rights': kind<AtTarget & { readonly login: string }>(
    'blocked',
    (d) => `${d.secret}: ${d.login} on ${d.target} may do less than the login in use: ${d.detail}`,
    (d) => `Grant the missing rights to ${d.login}, then run "keyturn rotate ${d.secret}".`,
  ),
  'login-shared': kind<{ readonly secret: string; readonly login: string; readonly others: string }>(
    'config',
    (d) => `${d.secret}: nothing was changed, because ${d.login} is also used by ${d.others}`,
    (d) =>
      `Give each secret a login of its own, or declare one as a copy of the other; docs/errors/login-shared.md says how. Then run "keyturn rotate ${d.secret}".`,
  ),
  'opted-out': kind<{ readonly secret: string; readonly vault: string }>(
    'config',
    (d) => `${d.secret}: its newest version in the vault "${d.vault}" has no tag "rotator", and versions before had it`,
    (d) =>
      `If that was an accident, run "keyturn adopt ${d.secret}": it puts the tags of the last managed version back. If it was meant, there is nothing to do.`,
  ),
  'login-not-safe': kind<AtTarget & { readonly login: string }>(
    'blocked',
    (d) => `${d.secret}: ${d.login} on ${d.target} must not be rotated through this secret: ${d.detail}`,
    (d) =>
      `Choose another login with the tag "users" of ${d.secret}, one that may do what the login in use may and no more.`,
  ),
  'target-refused': kind<AtTarget>(
    'blocked',
    (d) => `${d.secret}: ${d.target} refused the change: ${d.detail}`,
    (d) => `Fix what the target names, then run "keyturn rotate ${d.secret}".`,
  ),
  'target-missing': kind<AtTarget>(
    'blocked',
    (d) => `${d.secret}: ${d.target} does not have it: ${d.detail}`,
    (d) => `Create it, or correct the value or the tags of ${d.secret}, then run "keyturn rotate ${d.secret}".`,
  ),
  'slot-unproven': kind<AtTarget>(
    'blocked',
    (d) => `${d.secret}: which key slot of ${d.target} is in use cannot be proven: ${d.detail}`,
    (d) =>
      `Store one of the keys that ${d.target} has now as the value of ${d.secret}, then run "keyturn rotate ${d.secret}". No slot is regenerated on a guess.`,
  ),
  'key-unproven': kind<AtTarget & { readonly login: string; readonly labelPrefix: string }>(
    'blocked',
    (d) => `${d.secret}: ${d.target} does not show that ${d.login} is a key of this secret: ${d.detail}`,
    (d) =>
      `If it is, give it a name at ${d.target} that begins with ${d.labelPrefix}, or revoke it there by hand; then run "keyturn retire ${d.secret}". If it is not, correct the tags "key-id" and "rotation" of ${d.secret}.`,
  ),
  'target-not-allowed': kind<{ readonly secret: string; readonly host: string; readonly named: string }>(
    'config',
    (d) => `${d.secret}: ${d.named} names ${d.host}, which is not a host that this app may connect to`,
    (d) =>
      isLoopback(d.host)
        ? `Correct the host in ${d.named}: loopback is the machine that the app runs on. Then run "keyturn rotate ${d.secret}".`
        : `Correct the host in ${d.named}, or add ${d.host} to KEYTURN_TARGET_HOSTS, then run "keyturn rotate ${d.secret}".`,
  ),
  'host-not-allowed': kind<{ readonly secret: string; readonly host: string }>(
    'config',
    (d) => `${d.secret}: ${d.host} is not a host that this app may send keys to`,
    (d) => `Add ${d.host} to KEYTURN_ALLOWED_HOSTS, then run "keyturn rotate ${d.secret}".`,
  ),
  'description-unfit': kind<At & { readonly provider: string }>(
    'config',
    (d) => `${d.secret}: the description of the provider "${d.provider}" cannot be used: ${d.detail}`,
    () => 'Correct the description in the folder KEYTURN_DESCRIPTIONS; docs/rotators/http-keys.md says what it takes.',
  ),
  'manual-rotation': kind<AtTarget & { readonly link: string }>(
    'blocked',
    (d) => `${d.secret}: a person has to make its next credential, at ${d.target}: ${d.detail}`,
    (d) =>
      `Make a new one by hand (${d.link}), store it with "az keyvault secret set --name ${d.secret} --tags …" and all tags that it has, then revoke the old one there.`,
    'harms',
  ),
  'sessions-open': kind<AtTarget & { readonly login: string; readonly sessions: number; readonly fix: string }>(
    'blocked',
    (d) =>
      `${d.secret}: ${d.target} refuses the old credential of ${d.login}, but ${d.sessions} of its sessions ${d.sessions === 1 ? 'is' : 'are'} still open`,
    (d) => `${d.fix} Then run "keyturn emergency ${d.secret}" again: it ends what is left.`,
  ),
  'credential-revoked': kind<At>(
    'blocked',
    (d) => `${d.secret}: that credential was revoked in an emergency: ${d.detail}`,
    (d) => `Run "keyturn rotate ${d.secret}" for a new credential. The page says who may bring this one back, and how.`,
  ),
  'rehearsal-failed': kind<AtTarget & { readonly check: string; readonly fix: string }>(
    'blocked',
    (d) => `${d.secret}: a rotation at ${d.target} would fail, as a look at "${d.check}" shows: ${d.detail}`,
    (d) => `${d.fix === '' ? 'Correct what the message names.' : d.fix} Then run "keyturn rehearse ${d.secret}".`,
  ),
  'retire-refused': kind<AtTarget & { readonly login: string }>(
    'blocked',
    (d) => `${d.secret}: the old credential of ${d.login} on ${d.target} still logs in: ${d.detail}`,
    (d) => `Make ${d.target} refuse it by hand, then run "keyturn retire ${d.secret}".`,
  ),
  'tag-invalid': kind<{ readonly secret: string; readonly problems: readonly TagProblem[] }>(
    'config',
    (d) => `${d.secret}: ${d.problems.map((problem) => `tag "${problem.tag}": ${problem.detail}`).join('; ')}`,
    (d) =>
      `Correct ${d.problems.map((problem) => `"${problem.tag}"`).join(', ')} of ${d.secret}; docs/tags.md lists what each tag takes.`,
  ),
  'tags-full': kind<At>(
    'config',
    (d) => `${d.secret}: no room for the tags of Keyturn: ${d.detail}`,
    (d) =>
      `Remove a tag of ${d.secret}, or put several of Keyturn's into the one tag "policy" (docs/tags.md): a secret holds 15 tags of 256 characters, and Keyturn needs two.`,
  ),
  'value-unreadable': kind<At>(
    'config',
    (d) => `${d.secret}: the credential was not found in the value: ${d.detail}`,
    (d) => `Correct the value of ${d.secret}, or say how it is written with the tag "format".`,
  ),
  'admin-invalid': kind<At & { readonly admin: string }>(
    'config',
    (d) => `${d.secret}: the admin secret "${d.admin}" cannot be used: ${d.detail}`,
    (d) =>
      `Correct the tag "admin" of ${d.secret} or the value of ${d.admin}: it holds a connection with host, login and password.`,
  ),
  'admin-not-serving': kind<{ readonly secret: string; readonly admin: string; readonly line: string }>(
    'config',
    (d) => `${d.secret}: the admin secret "${d.admin}" does not say that it serves ${d.secret}`,
    (d) => `The owner of ${d.admin} allows it with: ${d.line}`,
  ),
  'host-mismatch': kind<
    At & { readonly admin: string; readonly allow?: { readonly host: string; readonly line: string } }
  >(
    'config',
    (d) => `${d.secret}: the value and the admin ${d.admin} name different hosts: ${d.detail}`,
    (d) =>
      `Use the admin secret of the host that ${d.secret} names. Keyturn never sends admin credentials to a host that an ordinary secret names.${
        d.allow === undefined
          ? ''
          : ` Only if ${d.allow.host} is another name of the same server, the owner of ${d.admin} allows it with: ${d.allow.line}`
      }`,
  ),
  'copy-link': kind<At & { readonly line: string; readonly owner: string }>(
    'config',
    (d) => `${d.secret}: the link is on one side only, so nothing was read or written for it: ${d.detail}`,
    (d) => `If the two belong together, the owner of ${d.owner} allows it with: ${d.line}`,
  ),
  'copy-unfit': kind<At & { readonly copy: string }>(
    'config',
    (d) => `${d.secret}: the credential cannot be written to ${d.copy}: ${d.detail}`,
    (d) => `Correct ${d.copy}, or its entry in the tag "also" of ${d.secret}, then run "keyturn rotate ${d.secret}".`,
  ),
  'copy-behind': kind<At & { readonly copy: string; readonly fix: string }>(
    'retry',
    (d) => `${d.secret}: ${d.copy} could not be brought up to date: ${d.detail}`,
    (d) =>
      `${d.fix} Keyturn tries again on its own, and does not retire the old credential of ${d.secret} before it has succeeded.`,
  ),
  'copy-overwritten': kind<At & { readonly copy: string; readonly version: string }>(
    'blocked',
    (d) =>
      `${d.secret}: version ${d.version} of ${d.copy} replaced the one that Keyturn published there, and holds another credential: ${d.detail}`,
    (d) =>
      `Stop what writes ${d.copy}, then run "keyturn rotate ${d.secret}": it publishes a new credential to all. Until then the old credential of ${d.secret} is not retired.`,
  ),
  'strategy-unsupported': kind<At>(
    'config',
    (d) => `${d.secret}: the strategy is not possible: ${d.detail}`,
    (d) => `Change the tag "strategy" of ${d.secret}, or what it needs.`,
  ),
  'vault-unknown': kind<{ readonly vault: string; readonly secret: string }>(
    'config',
    (d) => `${d.secret}: the vault "${d.vault}" is not one of this app's`,
    () => 'Add the vault to KEYTURN_VAULTS, or remove what names it: an event subscription, or an entry of a tag.',
  ),
  'secret-missing': kind<{ readonly secret: string; readonly vault: string }>(
    'config',
    (d) => `${d.secret}: there is no such secret in the vault "${d.vault}"`,
    () => 'Check the name; a deleted secret can be recovered with "az keyvault secret recover".',
  ),
  'secret-disabled': kind<{ readonly secret: string; readonly vault: string }>(
    'config',
    (d) => `${d.secret}: the newest version in the vault "${d.vault}" is disabled, so nobody can read it`,
    (d) => `Enable it or set a new version, then run "keyturn rotate ${d.secret}".`,
  ),
  'secret-deleted': kind<At>(
    'blocked',
    (d) => `${d.secret}: the name is held by a deleted secret: ${d.detail}`,
    (d) => `Recover it with "az keyvault secret recover --name ${d.secret}"; never purge it.`,
  ),
  'vault-unreachable': kind<At & { readonly vault: string }>(
    'retry',
    (d) => `${d.secret}: the vault "${d.vault}" gave no answer: ${d.detail}`,
    () => 'Check the network rules of the vault. Keyturn tries again by itself.',
  ),
  'vault-throttled': kind<At & { readonly vault: string }>(
    'retry',
    (d) => `${d.secret}: the vault "${d.vault}" is throttling: ${d.detail}`,
    () => 'Nothing to do: Keyturn backs off and tries again by itself.',
  ),
  'vault-busy': kind<At & { readonly vault: string }>(
    'retry',
    (d) => `${d.secret}: the vault "${d.vault}" is still busy with the name: ${d.detail}`,
    () => 'Nothing to do: Keyturn tries again by itself once the vault is done.',
  ),
  'vault-forbidden': kind<At & { readonly vault: string }>(
    'blocked',
    (d) => `${d.secret}: the vault "${d.vault}" refused the function app: ${d.detail}`,
    (d) => `Give the app's identity the role "Key Vault Secrets Officer" on the vault "${d.vault}".`,
  ),
  'vault-refused': kind<At & { readonly vault: string }>(
    'blocked',
    (d) => `${d.secret}: the vault "${d.vault}" refused the request: ${d.detail}`,
    (d) => `Fix what the vault names, then run "keyturn rotate ${d.secret}".`,
  ),
  'storage-unreachable': kind<At>(
    'retry',
    (d) => `${d.secret}: the storage account gave no answer: ${d.detail}`,
    () => 'Check AzureWebJobsStorage and the network rules of the storage account. Keyturn tries again by itself.',
  ),
  'roll-back-impossible': kind<At>(
    'blocked',
    (d) => `${d.secret}: cannot go back: ${d.detail}`,
    (d) => `Rotate forward instead: "keyturn rotate ${d.secret} --force" makes a new credential.`,
  ),
  'pending-taken': kind<At>(
    'config',
    (d) => `${d.secret}: the name for its pending candidate is in use: ${d.detail}`,
    (d) =>
      `Rename the secret that holds the name; Keyturn keeps the pending candidate of ${d.secret} there and does not overwrite what it did not write.`,
  ),
  'deliveries-exhausted': kind<At>(
    'blocked',
    (d) => `${d.secret}: its request was delivered too often without success: ${d.detail}`,
    (d) =>
      `Fix what the errors before name, then run "keyturn rotate ${d.secret}". The sweep tries again by itself while the secret is due.`,
  ),
  'channel-unreachable': kind<AtChannel>(
    'retry',
    (d) => `${d.secret}: the channel "${d.channel}" gave no good answer: ${d.detail}`,
    (d) => `Check that the receiver of "${d.channel}" is up. Keyturn sends it again by itself for 24 hours.`,
  ),
  'channel-refused': kind<AtChannel>(
    'blocked',
    (d) => `${d.secret}: the channel "${d.channel}" refused the message: ${d.detail}`,
    (d) =>
      `Fix the receiver of "${d.channel}", its key or its address in KEYTURN_CHANNELS. Keyturn sends it again by itself for 24 hours.`,
  ),
  'channel-gone': kind<AtChannel>(
    'blocked',
    (d) => `${d.secret}: the receiver of the channel "${d.channel}" accepts no more messages: ${d.detail}`,
    (d) => `Change the address of "${d.channel}" in KEYTURN_CHANNELS, or take the channel out of it.`,
  ),
  'channel-unknown': kind<{ readonly secret: string; readonly channel: string }>(
    'config',
    (d) => `${d.secret}: its tag "notify" names the channel "${d.channel}", which the app does not have`,
    (d) => `Correct the tag "notify" of ${d.secret}, or add "${d.channel}" to KEYTURN_CHANNELS.`,
  ),
  'channel-unusable': kind<AtChannel>(
    'config',
    (d) => `${d.secret}: nothing can be sent to the channel "${d.channel}": ${d.detail}`,
    (d) => `Correct "${d.channel}" in KEYTURN_CHANNELS or the vault secret it names.`,
  ),
  'lease-lost': kind<{ readonly secret: string; readonly step: string }>(
    'superseded',
    (d) => `${d.secret}: stopped before "${d.step}": the lease had no time left`,
    () => 'Nothing to do: the worker that holds the lease now goes on, or the next delivery does.',
  ),
  'newer-version': kind<At>(
    'superseded',
    (d) => `${d.secret}: somebody else published in the meantime: ${d.detail}`,
    (d) => `Look at the newest version of ${d.secret}: it was not made by this rotation.`,
  ),
} as const;

export type FailureCode = keyof typeof failureKinds;

type DetailsOf<Code extends FailureCode> =
  (typeof failureKinds)[Code] extends FailureKind<infer Details> ? Details : never;

/** An expected failure. Returned, never thrown. */
export interface Failure {
  readonly kind: 'failed';
  readonly code: FailureCode;
  readonly class: FailureClass;
  readonly message: string;
  readonly hint: string;
  /** Page with the symptom, the cause and the commands. */
  readonly page: string;
  /** How long the other side asked to be left alone, in s. Only with class `retry`. */
  readonly retryAfterSeconds?: number;
  /** What was underneath, already scrubbed. For the log of a developer, never shown to a caller. */
  readonly cause?: Error;
}

// A mapped type keeps each code tied to its own details, so that no cast is needed below.
const byCode: { readonly [Code in FailureCode]: FailureKind<DetailsOf<Code>> } = failureKinds;

/** Makes the failure of a code. `cause` must be scrubbed already. */
export function failure<Code extends FailureCode>(code: Code, details: DetailsOf<Code>, cause?: Error): Failure {
  const { class: failureClass, message, hint } = byCode[code];
  return {
    kind: 'failed',
    code,
    class: failureClass,
    message: message(details),
    hint: hint(details),
    page: `docs/errors/${code}.md`,
    ...(cause === undefined ? {} : { cause }),
  };
}

/** Whether it may be tried again without anybody asking. A code of another version of Keyturn may. */
export function mayTryAgain(code: string): boolean {
  const known: Readonly<Record<string, FailureKind<never>>> = failureKinds;
  return Object.hasOwn(known, code) ? known[code]?.anotherTry !== 'harms' : true;
}

export function isFailure(outcome: { readonly kind: string }): outcome is Failure {
  return outcome.kind === 'failed';
}

/** Thrown where only a mistake in Keyturn itself can lead. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

const mistakes = /^(TypeError|ReferenceError|RangeError|\$?ZodError|Bug)$/;

/**
 * Throws on what only a mistake in Keyturn leads to, and returns where `thrown` may come of a service or of the way to it. Whoever turns
 * something thrown into a failure calls this first: a mistake told as "unreachable" is tried again for ever, and nobody looks for it.
 *
 * What Node and its clients throw for an address, a header or a broken connection is of the same classes, and carries a code or a cause.
 * The message of a mistake may quote anything, so only where it happened is kept.
 */
export function rethrowBug(thrown: unknown): void {
  if (thrown instanceof Bug) throw thrown;
  if (!(thrown instanceof Error) || !mistakes.test(thrown.name) || 'code' in thrown || thrown.cause !== undefined)
    return;
  const bug = new Bug(`${thrown.name}, a mistake in Keyturn`);
  bug.stack = `Bug: ${bug.message}\n${framesOf(thrown)}`;
  throw bug;
}

/** Where something was thrown, without its message. */
export function framesOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return '';
  const { message, stack = '' } = thrown;
  // A message may have lines that look like frames.
  const frames = stack
    .slice(Math.max(0, stack.indexOf(message)) + message.length)
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
  return frames.slice(0, 8).join('\n');
}
