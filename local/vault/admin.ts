/**
 * What another process may do to a running emulator, at addresses under `/_emulator/` on the vault's own port. Bodies and answers are JSON;
 * no token is wanted.
 *
 *     GET    /_emulator/                   name, secrets, clock, limits, counts
 *     GET    /_emulator/clock              {now, offsetMs}
 *     POST   /_emulator/clock              {advanceMs}, {advanceDays}, {set: "2030-01-31T00:00:00Z"} or {reset: true}
 *     GET    /_emulator/faults             all faults with their hits
 *     POST   /_emulator/faults             {match?, when?, effect}: see faults.ts; answers {id}
 *     DELETE /_emulator/faults             removes all, or one: /_emulator/faults/ID
 *     GET    /_emulator/calls              {total, challenges, counts, latest}
 *     DELETE /_emulator/calls              counts from 0
 *     GET    /_emulator/limits             the limits in force
 *     POST   /_emulator/limits             {on?, creations?, others?, windowMs?, retryAfter?, countRefused?}
 *     GET    /_emulator/policies           the policies in force
 *     POST   /_emulator/policies           {expirationDate?, contentType?, maximumValidityDays?}: see policies.ts
 *     GET    /_emulator/subscriptions      all made here
 *     POST   /_emulator/subscriptions      {types?}: keeps the events of versions made from now on; answers {id}
 *     GET    /_emulator/subscriptions/ID   {events}: what came since it was asked last
 *     DELETE /_emulator/subscriptions/ID   ends it
 *     POST   /_emulator/reset              forgets secrets, faults, counts and the clock's move
 *
 * Only callers on this machine are answered, only under a name of this machine and only with JSON, so that no web page open in a browser
 * can move the clock.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { type Answer, ok } from './answer.ts';
import { errorAnswer, methodNotAllowed, notFound, payloadTooLarge } from './errors.ts';
import { type VaultEvent, vaultEventTypes } from './events.ts';
import { type Fault, faultSchema } from './faults.ts';
import type { LocalVault } from './local-vault.ts';
import { readBody, send } from './request.ts';

export const adminPrefix = '/_emulator';

const dayMs = 86_400_000;
const clockSchema = z.union([
  z.strictObject({ advanceMs: z.number() }),
  z.strictObject({ advanceDays: z.number() }),
  z.strictObject({ set: z.iso.datetime({ offset: true }) }),
  z.strictObject({ reset: z.literal(true) }),
]);
const limitsSchema = z.strictObject({
  on: z.boolean().exactOptional(),
  creations: z.int().min(1).exactOptional(),
  others: z.int().min(1).exactOptional(),
  windowMs: z.int().min(1).exactOptional(),
  retryAfter: z.boolean().exactOptional(),
  countRefused: z.boolean().exactOptional(),
});
const policiesSchema = z.strictObject({
  expirationDate: z.boolean().exactOptional(),
  contentType: z.boolean().exactOptional(),
  maximumValidityDays: z.int().min(1).nullable().exactOptional(),
});
const subscriptionSchema = z.strictObject({ types: z.array(z.enum(vaultEventTypes)).min(1).optional() });

/** A subscription whose events wait to be fetched. */
interface Mailbox {
  readonly id: string;
  readonly types: readonly string[];
  waiting: VaultEvent[];
  readonly end: () => void;
}

export type Admin = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export function createAdmin(vault: LocalVault): Admin {
  const mailboxes = new Map<string, Mailbox>();
  return async (request, response) => {
    const body = await readBody(request);
    if (body === 'broken-off') return;
    send(vault.clock, request, response, body === 'too-large' ? payloadTooLarge() : answer(request, body));
  };

  function answer(request: IncomingMessage, body: Buffer): Answer {
    const refusal = refuseStranger(request);
    if (refusal !== undefined) return refusal;
    const method = request.method ?? 'GET';
    const [path = ''] = (request.url ?? '').split('?');
    const [, , subject = '', id] = path.split('/');
    switch (subject) {
      case '':
        return method === 'GET' ? ok(overview(vault)) : methodNotAllowed(method);
      case 'clock':
        return clock(vault, method, body);
      case 'faults':
        return faults(vault, method, body, id);
      case 'calls':
        return calls(vault, method);
      case 'limits':
        return limits(vault, method, body);
      case 'policies':
        return policies(vault, method, body);
      case 'subscriptions':
        return subscriptions(vault, mailboxes, method, body, id);
      case 'reset':
        if (method !== 'POST') return methodNotAllowed(method);
        vault.reset();
        return { status: 204 };
      default:
        return notFound();
    }
  }
}

function overview(vault: LocalVault): object {
  return {
    name: vault.name,
    secrets: vault.size,
    clock: clockState(vault),
    limits: vault.limits.options,
    policies: vault.policies.options,
    calls: vault.calls.counts,
  };
}

function clockState({ clock }: LocalVault): object {
  return { now: clock.now().toISOString(), offsetMs: clock.offsetMs };
}

function clock(vault: LocalVault, method: string, body: Buffer): Answer {
  if (method === 'GET') return ok(clockState(vault));
  if (method !== 'POST') return methodNotAllowed(method);
  return withBody(body, clockSchema, (move) => {
    try {
      if ('advanceMs' in move) vault.clock.advance(move.advanceMs);
      else if ('advanceDays' in move) vault.clock.advance(move.advanceDays * dayMs);
      else if ('set' in move) vault.clock.set(new Date(move.set));
      else vault.clock.reset();
    } catch (error) {
      if (error instanceof RangeError) return badRequest(error.message);
      throw error;
    }
    return ok(clockState(vault));
  });
}

function faults(vault: LocalVault, method: string, body: Buffer, id: string | undefined): Answer {
  if (method === 'GET') return ok({ faults: vault.faults.list().map(faultState) });
  if (method === 'POST')
    return withBody(body, faultSchema, (rule) => ({ status: 201, body: { id: vault.faults.add(rule).id } }));
  if (method !== 'DELETE') return methodNotAllowed(method);
  if (id === undefined) vault.faults.clear();
  else if (!vault.faults.remove(id)) return notFound();
  return { status: 204 };
}

function faultState({ id, rule, matched, hits }: Fault): object {
  return { id, ...rule, matched, hits };
}

function calls({ calls: log }: LocalVault, method: string): Answer {
  if (method === 'GET')
    return ok({ total: log.total, challenges: log.challenges, counts: log.counts, latest: log.latest.slice(-100) });
  if (method !== 'DELETE') return methodNotAllowed(method);
  log.reset();
  return { status: 204 };
}

function limits(vault: LocalVault, method: string, body: Buffer): Answer {
  if (method === 'GET') return ok(vault.limits.options);
  if (method !== 'POST') return methodNotAllowed(method);
  return withBody(body, limitsSchema, (options) => {
    vault.limits.set(options);
    return ok(vault.limits.options);
  });
}

function policies(vault: LocalVault, method: string, body: Buffer): Answer {
  if (method === 'GET') return ok(vault.policies.options);
  if (method !== 'POST') return methodNotAllowed(method);
  return withBody(body, policiesSchema, (options) => {
    vault.policies.set(options);
    return ok(vault.policies.options);
  });
}

function subscriptions(
  vault: LocalVault,
  mailboxes: Map<string, Mailbox>,
  method: string,
  body: Buffer,
  id: string | undefined,
): Answer {
  if (id === undefined) {
    if (method === 'GET')
      return ok({
        subscriptions: [...mailboxes.values()].map(({ id, types, waiting }) => ({
          id,
          types,
          waiting: waiting.length,
        })),
      });
    return method === 'POST'
      ? withBody(body, subscriptionSchema, ({ types = vaultEventTypes }) => {
          const mailbox: Mailbox = {
            id: `subscription-${mailboxes.size + 1}-${Date.now().toString(36)}`,
            types,
            waiting: [],
            end: vault.onEvent((event) => mailbox.waiting.push(event), types),
          };
          mailboxes.set(mailbox.id, mailbox);
          return { status: 201, body: { id: mailbox.id } };
        })
      : methodNotAllowed(method);
  }
  const mailbox = mailboxes.get(id);
  if (mailbox === undefined) return notFound();
  if (method === 'GET') {
    const events = mailbox.waiting;
    mailbox.waiting = [];
    return ok({ events });
  }
  if (method !== 'DELETE') return methodNotAllowed(method);
  mailbox.end();
  mailboxes.delete(id);
  return { status: 204 };
}

function withBody<Schema extends z.ZodType>(
  body: Buffer,
  schema: Schema,
  then: (value: z.output<Schema>) => Answer,
): Answer {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    return badRequest('The request body is not valid JSON.');
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? then(parsed.data) : badRequest(z.prettifyError(parsed.error));
}

const badRequest = (message: string) => errorAnswer(400, 'BadRequest', message);

function refuseStranger(request: IncomingMessage): Answer | undefined {
  const { host = '', 'content-type': contentType = '' } = request.headers;
  const loopback = /^(::ffff:)?127\.|^::1$/.test(request.socket.remoteAddress ?? '');
  const ownName = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/i.test(host);
  if (!loopback || !ownName || request.headers.origin !== undefined)
    return errorAnswer(403, 'Forbidden', 'Only programs on this machine may do this, and no web page.');
  if (request.method === 'POST' && !/^application\/json\b/i.test(contentType))
    return errorAnswer(415, 'UnsupportedMediaType', 'Send JSON, with the header "Content-Type: application/json".');
  return undefined;
}
