/**
 * Azure Communication Services, as far as sending e-mail goes: access by key or by token, one operation for each Operation-Id.
 * Sources: the service's description "EmailClient" of 2025-09-01, and Microsoft's page "Sign an HTTP request".
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { type Asked, type Reply, readJson, type StandInServer, startServer } from '../providers/server.ts';

const address = z.strictObject({ address: z.email(), displayName: z.string().optional() });

const message = z.strictObject({
  senderAddress: z.email(),
  recipients: z.strictObject({
    to: z.array(address).min(1),
    cc: z.array(address).optional(),
    bcc: z.array(address).optional(),
  }),
  content: z.strictObject({
    subject: z.string().min(1),
    plainText: z.string().optional(),
    html: z.string().optional(),
  }),
  userEngagementTrackingDisabled: z.boolean().optional(),
});

export type Mail = z.infer<typeof message>;

export interface MailService extends StandInServer {
  /** What went out, each operation once. */
  readonly sent: readonly Mail[];
  /** Operation ids, each time that one was asked for. */
  readonly operations: readonly string[];
}

export interface MailAccess {
  /** Access key, in base64. */
  readonly key: string;
  readonly token: string;
  /** Addresses of verified domains. */
  readonly senders: readonly string[];
  /** The clock of the service, which a test may move. */
  readonly now: () => Date;
}

const toleranceMs = 5 * 60 * 1000;

export async function startMailService(access: MailAccess): Promise<MailService> {
  const sent = new Map<string, Mail>();
  const operations: string[] = [];
  const server = await startServer((asked) => {
    const refused = refusal(asked, access);
    if (refused !== undefined) return refused;
    const id = z.uuid().safeParse(asked.header('operation-id') ?? crypto.randomUUID());
    const mail = message.safeParse(readJson(asked.body));
    if (!id.success || !mail.success) return problem(400, 'BadRequest');
    if (!access.senders.includes(mail.data.senderAddress)) return problem(400, 'DomainNotLinked');
    operations.push(id.data);
    if (!sent.has(id.data)) sent.set(id.data, mail.data);
    const headers = { 'operation-location': `${server.url}/emails/operations/${id.data}`, 'retry-after': '10' };
    return { status: 202, headers, body: { id: id.data, status: 'Running' } };
  });
  return {
    ...server,
    operations,
    get sent() {
      return [...sent.values()];
    },
  };
}

function refusal(asked: Asked, access: MailAccess): Reply | undefined {
  if (asked.method !== 'POST' || asked.path !== '/emails:send') return problem(404, 'NotFound');
  if (asked.url.searchParams.get('api-version') !== '2025-09-01') return problem(400, 'UnsupportedApiVersion');
  const given = asked.header('authorization') ?? '';
  if (given === `Bearer ${access.token}`) return undefined;
  return isSigned(asked, access, given) ? undefined : problem(401, 'Denied');
}

function isSigned(asked: Asked, { key, now }: MailAccess, given: string): boolean {
  const signature = /^HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(.+)$/.exec(given)?.[1];
  const date = asked.header('x-ms-date') ?? '';
  const hash = createHash('sha256').update(asked.body).digest('base64');
  if (signature === undefined || asked.header('x-ms-content-sha256') !== hash) return false;
  if (!(Math.abs(now().getTime() - Date.parse(date)) <= toleranceMs)) return false;
  const text = `POST\n${asked.url.pathname}${asked.url.search}\n${date};${asked.header('host') ?? ''};${hash}`;
  const expected = createHmac('sha256', Buffer.from(key, 'base64')).update(text).digest();
  const sent = Buffer.from(signature, 'base64');
  return sent.length === expected.length && timingSafeEqual(sent, expected);
}

function problem(status: number, code: string): Reply {
  return { status, headers: { 'x-ms-error-code': code }, body: { error: { code, message: code } } };
}
