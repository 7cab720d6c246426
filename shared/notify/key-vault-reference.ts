/**
 * App Service and Functions cache Key Vault references for up to a day. This makes one site read them again, and looks whether it did.
 * Source: Microsoft's page "Use Key Vault references as app settings", and the operations `config/configreferences` of Microsoft.Web.
 */
import * as z from 'zod';
import type { ChannelOf } from '../config/channels.ts';
import type { Notice } from '../contract/notice.ts';
import { type Failure, failure } from '../errors.ts';
import type { About } from './answer.ts';
import { type Arm, armFor } from './arm.ts';
import type { Sender, SenderEnvironment, SendOutcome } from './sender.ts';

const apiVersion = '2022-03-01';
const pollMs = 2_000;
const mostPolls = 8;

const page = z.object({
  value: z.array(
    z.object({
      name: z.string().default(''),
      properties: z.object({
        reference: z.string().nullish(),
        status: z.string().nullish(),
        vaultName: z.string().nullish(),
        secretName: z.string().nullish(),
        activeVersion: z.string().nullish(),
      }),
    }),
  ),
  nextLink: z.string().nullish(),
});

type Reference = z.output<typeof page>['value'][number];

/** Refreshes, waits until all references to the secret are resolved to its newest version, and restarts the site where that is wanted. */
export function keyVaultReferenceSender(
  channel: string,
  { site, restart }: ChannelOf<'key-vault-reference'>,
  environment: SenderEnvironment,
): Sender {
  return {
    async send(notice, signal) {
      const about = { secret: notice.secret, channel };
      const arm = armFor(environment, about, signal);
      const version = await newestVersion(environment, notice, signal);
      if (typeof version !== 'string') return version;
      const refreshed = await arm.post(`${site}/config/configreferences/appsettings/refresh`, apiVersion);
      if (refreshed.kind === 'failed') return refreshed;
      const resolved = await untilResolved({ arm, about, site, notice, version, environment, signal });
      if (resolved.kind === 'failed' || !restart || resolved.references === 0) return withDetail(resolved);
      const restarted = await arm.post(`${site}/restart`, apiVersion);
      return restarted.kind === 'failed' ? restarted : withDetail(resolved, ', and the site restarted');
    },
  };
}

type Resolved = { readonly kind: 'resolved'; readonly references: number };

function withDetail(resolved: Resolved | Failure, more = ''): SendOutcome {
  if (resolved.kind === 'failed') return resolved;
  return { kind: 'delivered', detail: `${resolved.references} references hold the newest version${more}` };
}

/** A late message must not wait for a version that was replaced in the meantime. */
async function newestVersion(
  { vaults }: SenderEnvironment,
  notice: Notice,
  signal: AbortSignal,
): Promise<string | Failure> {
  const listed = await vaults.get(notice.vault.toLowerCase())?.versions(notice.secret, { signal });
  if (listed?.kind === 'failed') return listed;
  return listed?.versions[0]?.version ?? notice.version ?? '';
}

interface Looking {
  readonly arm: Arm;
  readonly about: About;
  readonly site: string;
  readonly notice: Notice;
  readonly version: string;
  readonly environment: SenderEnvironment;
  readonly signal: AbortSignal;
}

async function untilResolved(looking: Looking): Promise<Resolved | Failure> {
  const { arm, about, site, notice, version, environment, signal } = looking;
  let last = '';
  for (let polls = 0; polls < mostPolls && !signal.aborted; polls++) {
    if (polls > 0) await environment.wait(pollMs, signal);
    const listed = await arm.list(`${site}/config/configreferences/appsettings`, apiVersion, page);
    if (listed.kind === 'failed') return listed;
    const ours = listed.items.filter((one) => leadsTo(one, notice));
    const pinned = ours.filter(isPinned);
    if (pinned.length > 0) {
      const detail = `${names(pinned)} of the site names one version of the secret; take the version out of the reference`;
      return failure('channel-refused', { ...about, detail });
    }
    const open = ours.filter((one) => !holds(one, version));
    if (open.length === 0) return { kind: 'resolved', references: ours.length };
    last = open.map((one) => `${one.name}: ${one.properties.status ?? 'no status'}`).join(', ');
  }
  return failure('channel-unreachable', {
    ...about,
    detail: `not all references hold the new version yet (${last.slice(0, 300)})`,
  });
}

function leadsTo({ properties }: Reference, { vault, secret }: Notice): boolean {
  return same(properties.vaultName, vault) && same(properties.secretName, secret);
}

function same(one: string | null | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}

/** `…/secrets/NAME/VERSION)` or `SecretVersion=…`. Such a reference never follows a rotation. */
function isPinned({ properties }: Reference): boolean {
  return /\/secrets\/[0-9a-z-]+\/[0-9a-f]{32}|SecretVersion=[0-9a-f]{32}/i.test(properties.reference ?? '');
}

function holds({ properties }: Reference, version: string): boolean {
  return properties.status === 'Resolved' && same(properties.activeVersion, version);
}

function names(references: readonly Reference[]): string {
  return references.map((one) => one.name).join(', ');
}
