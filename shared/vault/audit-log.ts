/**
 * The vault's audit log in a Log Analytics workspace, by its query API (POST {endpoint}/v1/workspaces/{id}/query, Microsoft's page "Query -
 * Execute"). The table and its columns are those of Microsoft's reference of `AZKVAuditLogs`. Nothing here was tried on Azure.
 */
import * as z from 'zod';
import type { AuditLog, MadeVersion, WriterOutcome } from '../contract/audit-log.ts';
import type { SecretText } from '../contract/secret-text.ts';
import { rethrowBug } from '../errors.ts';
import type { Wire } from '../http/client.ts';
import { identityFault, isIdentityError } from '../http/identity.ts';
import { parseJson } from '../json.ts';

export interface Workspace {
  /** Its id, a GUID. */
  readonly id: string;
  /** Of the query API in the app's cloud. */
  readonly endpoint: string;
  readonly wire: Wire;
  readonly getToken: (scope: string) => Promise<SecretText>;
}

/** Longest time of one look, in ms. */
const lookMs = 3_000;
/** The log's clock and the vault's listing tell the time of one write about as far apart, in ms. */
const apartMs = 5_000;
const minuteMs = 60_000;

/** Reads the workspace with the app's own identity, which needs the role Log Analytics Reader there. */
export function auditLogOf(workspace: Workspace): AuditLog {
  return {
    async writerOf(made, signal) {
      const within = AbortSignal.any([signal, AbortSignal.timeout(lookMs)]);
      const rows = await query(workspace, queryFor(made), timespanOf(made), within);
      if (rows.kind === 'unread') return rows;
      const who = rows.rows.find((row) => isOf(row, made));
      return who === undefined ? { kind: 'unknown' } : { kind: 'writer', who: nameOf(who) };
    },
  };
}

/** Names of vaults and secrets hold letters, digits and dashes alone, so that none can say more than a name. */
function queryFor({ vault, secret }: MadeVersion): string {
  return [
    'AZKVAuditLogs',
    '| where OperationName == "SecretSet" and HttpStatusCode == 200',
    `| where Id startswith "https://${vault}." and Id contains "/secrets/${secret}"`,
    '| project TimeGenerated, Id, CallerIpAddress, Identity',
    '| order by TimeGenerated desc',
    '| take 100',
  ].join('\n');
}

function timespanOf({ createdAt }: MadeVersion): string {
  const [from, to] = [-minuteMs, minuteMs].map((ms) => new Date(createdAt.getTime() + ms).toISOString());
  return `${from}/${to}`;
}

const answered = z.object({
  tables: z.array(z.object({ columns: z.array(z.object({ name: z.string() })), rows: z.array(z.array(z.unknown())) })),
});

const row = z.object({
  TimeGenerated: z.string(),
  Id: z.string(),
  CallerIpAddress: z.string().nullish(),
  /** A column of type `dynamic` comes as text or as an object. */
  Identity: z.preprocess(
    (value) => (typeof value === 'string' ? parseJson(value) : value),
    z
      .object({ claim: z.record(z.string(), z.unknown()) })
      .partial()
      .nullish()
      .catch(undefined),
  ),
});

type Row = z.infer<typeof row>;

async function query(
  { id, endpoint, wire, getToken }: Workspace,
  text: string,
  timespan: string,
  signal: AbortSignal,
): Promise<{ readonly kind: 'rows'; readonly rows: readonly Row[] } | Extract<WriterOutcome, { kind: 'unread' }>> {
  const token = await tokenWithin(getToken(`${endpoint}/.default`), signal);
  if (token.kind === 'unread') return token;
  const headers = {
    accept: 'application/json',
    'content-type': 'application/json',
    authorization: `Bearer ${token.token.reveal()}`,
    prefer: `wait=${lookMs / 1_000}`,
  };
  const url = new URL(`${endpoint}/v1/workspaces/${id}/query`);
  const answer = await wire({ method: 'POST', url, headers, body: JSON.stringify({ query: text, timespan }) }, signal);
  if (answer.kind !== 'answered') return { kind: 'unread', detail: `the log gave ${answer.kind}` };
  if (answer.status !== 200) return { kind: 'unread', detail: `the log answered HTTP ${answer.status}` };
  const read = answered.safeParse(parseJson(answer.body));
  const [table] = read.data?.tables ?? [];
  if (table === undefined) return { kind: 'unread', detail: 'an answer of the log cannot be read' };
  const rows = table.rows.flatMap((values) => {
    const named = row.safeParse(Object.fromEntries(table.columns.map(({ name }, at) => [name, values[at]])));
    return named.success ? [named.data] : [];
  });
  return { kind: 'rows', rows };
}

/** A token may take long to come, and nobody waits for it. */
async function tokenWithin(
  asked: Promise<SecretText>,
  signal: AbortSignal,
): Promise<{ readonly kind: 'token'; readonly token: SecretText } | Extract<WriterOutcome, { kind: 'unread' }>> {
  const late = new Promise<{ readonly kind: 'unread'; readonly detail: string }>((resolve) => {
    signal.addEventListener('abort', () => resolve({ kind: 'unread', detail: 'no token came in time' }), {
      once: true,
    });
  });
  const came = asked.then(
    (token) => ({ kind: 'token' as const, token }),
    (error: unknown) => {
      if (!isIdentityError(error)) rethrowBug(error);
      return { kind: 'unread' as const, detail: identityFault(error).detail };
    },
  );
  return Promise.race([came, late]);
}

/** Whether the row is about that very version. The log may name the secret alone: then the time tells. */
function isOf({ Id, TimeGenerated }: Row, { vault, secret, version, createdAt }: MadeVersion): boolean {
  const url = URL.parse(Id);
  if (url === null || !url.hostname.startsWith(`${vault.toLowerCase()}.`)) return false;
  const [, kind, name = '', one] = url.pathname.split('/');
  if (kind !== 'secrets' || name.toLowerCase() !== secret.toLowerCase()) return false;
  if (one !== undefined && one !== '') return one === version;
  return Math.abs(new Date(TimeGenerated).getTime() - createdAt.getTime()) <= apartMs;
}

const claims = {
  upn: 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn',
  objectId: 'http://schemas.microsoft.com/identity/claims/objectidentifier',
} as const;

/** A person by name, else an application by its id, else an object of Entra by its id. */
function nameOf({ Identity, CallerIpAddress }: Row): string {
  const claim = Identity?.claim ?? {};
  const [upn, application, object] = [claim[claims.upn] ?? claim['upn'], claim['appid'], claim[claims.objectId]].map(
    shown,
  );
  const by = application === '' ? '' : `the application ${application}`;
  const who =
    upn !== '' && by !== '' ? `${upn} with ${by}` : upn || by || (object ? `the object ${object}` : 'somebody');
  const from = shown(CallerIpAddress);
  return from === '' ? who : `${who} from ${from}`;
}

/** It goes into messages: no control characters, and no more than a name needs. */
function shown(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/[^\p{L}\p{N}@._:%+-]/gu, '').slice(0, 128) : '';
}
