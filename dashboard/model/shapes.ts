/** What the API answers, as far as the dashboard shows it. A test holds these shapes against the API's own. */
import * as z from 'zod/mini';

// Compiled validators are made with `new Function`, which the content security policy of the page forbids.
z.config({ jitless: true });

const text = z.string();
const maybe = z.optional(text);
const texts = z.optional(z.array(text));

/** From the one that needs a person most to the one that needs nobody. */
export const states = [
  'drifted',
  'failing',
  'paused',
  'invalid',
  'shared',
  'opted-out',
  'retrying',
  'in-flight',
  'due',
  'overlap',
  'healthy',
  'copy',
  'unmanaged',
] as const;
export type State = (typeof states)[number];

const secretFields = {
  vault: text,
  secret: text,
  state: z.enum(states),
  detail: text,
  since: maybe,
  activity: maybe,
  nextTryAt: maybe,
  pausedBy: maybe,
  pausedUntil: maybe,
  waitsFor: texts,
  reminders: texts,
  candidateOf: maybe,
  source: z.optional(z.object({ vault: text, secret: text, derived: z.boolean() })),
  expired: z.boolean(),
  enabled: z.boolean(),
  createdAt: text,
  contentType: maybe,
  expiresAt: maybe,
  dueAt: maybe,
  rotator: maybe,
  strategy: maybe,
  manual: z.optional(z.boolean()),
  owner: maybe,
  rotationId: maybe,
  retireBy: maybe,
  retired: z.optional(z.boolean()),
  tags: z.record(text, text),
};

export const row = z.object(secretFields);
export type Row = z.infer<typeof row>;

export const freeze = z.object({ frozen: z.boolean(), by: maybe, reason: maybe, since: maybe });
export type Freeze = z.infer<typeof freeze>;

export const overviewLine = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('about'), vaults: z.array(text), freeze: z.optional(freeze), version: text }),
  z.object({ kind: z.literal('rows'), at: text, rows: z.array(row) }),
  z.object({ kind: z.literal('vault-failed'), vault: text, code: text, message: text, hint: text }),
  z.object({ kind: z.literal('end'), etag: text, warnings: z.array(text) }),
]);
export type OverviewLine = z.infer<typeof overviewLine>;

export const me = z.object({
  id: text,
  name: text,
  how: z.enum(['key', 'token', 'platform']),
  person: z.boolean(),
  roles: z.array(text),
  approvals: z.array(text),
});
export type Me = z.infer<typeof me>;

const activityTrouble = z.object({
  failures: z.number(),
  retries: z.number(),
  since: text,
  last: z.object({ code: text, message: text, hint: text, page: text, at: text }),
  nextTryAt: maybe,
  paused: z.boolean(),
  unpublished: z.boolean(),
});
export type ActivityTrouble = z.infer<typeof activityTrouble>;

const version = z.object({
  version: text,
  current: z.boolean(),
  enabled: z.boolean(),
  createdAt: text,
  expiresAt: maybe,
  rotationId: maybe,
  from: maybe,
});
export type Version = z.infer<typeof version>;

const acknowledgements = z.object({
  version: text,
  acknowledged: z.array(z.object({ consumer: text, at: text, afterSeconds: z.number() })),
  missing: z.array(z.object({ consumer: text, forSeconds: z.number() })),
  complete: z.boolean(),
});

export const secret = z.object({
  ...secretFields,
  consumers: texts,
  copies: texts,
  hints: texts,
  version: text,
  versions: z.array(version),
  pending: z.optional(z.object({ secret: text, version: text, createdAt: text })),
  acknowledgements: z.optional(acknowledgements),
  trouble: z.optional(
    z.object({
      rotation: z.optional(activityTrouble),
      retirement: z.optional(activityTrouble),
      check: z.optional(activityTrouble),
    }),
  ),
  warnings: z.array(text),
});
export type Secret = z.infer<typeof secret>;

const step = z.object({ name: text, ms: z.number(), outcome: text });
export type Step = z.infer<typeof step>;

const attempt = z.object({
  rotationId: text,
  activity: z.enum(['rotation', 'retirement']),
  outcome: text,
  reason: text,
  detail: maybe,
  requestedBy: text,
  startedAt: text,
  endedAt: maybe,
  from: maybe,
  to: maybe,
  failure: z.optional(z.object({ code: text, message: text, hint: text, page: text })),
  nextTryAt: maybe,
  warnings: texts,
  steps: z.array(step),
});
export type Attempt = z.infer<typeof attempt>;

export const history = z.object({ attempts: z.array(attempt) });

const delivery = z.object({
  channel: text,
  type: text,
  state: text,
  attempts: z.number(),
  firstAt: text,
  lastAt: maybe,
  nextAt: maybe,
  detail: maybe,
});
export type Delivery = z.infer<typeof delivery>;

const approval = z.object({
  approvalId: text,
  action: text,
  vault: text,
  secret: text,
  matched: z.optional(z.number()),
  asked: z.unknown(),
  reason: text,
  requestedBy: text,
  requestedAt: text,
  expiresAt: text,
  state: z.enum(['waiting', 'approved', 'expired']),
  approvedBy: maybe,
  approvedAt: maybe,
});
export type Approval = z.infer<typeof approval>;
export const oneApproval = approval;
export const approvals = z.object({ approvals: z.array(approval) });

export const rotation = z.object({
  rotationId: text,
  state: text,
  detail: maybe,
  to: maybe,
  nextTryAt: maybe,
  failure: z.optional(z.object({ code: text, message: text, hint: text, page: text })),
  warnings: z.array(text),
  approval: z.optional(approval),
  attempts: z.array(attempt),
  deliveries: z.optional(z.array(delivery)),
});
export type Rotation = z.infer<typeof rotation>;

export const retired = z.object({
  state: z.enum(['retired', 'waiting', 'awaiting-approval']),
  sessions: z.array(text),
  consumers: z.array(text),
  logins: z.array(text),
  retireBy: maybe,
  approval: z.optional(approval),
});

export const paused = z.object({ pausedUntil: maybe });
export const resumed = z.object({ wasPaused: z.boolean(), failuresBefore: z.number() });

export const plan = z.object({
  mode: text,
  outcome: z.enum(['would-rotate', 'would-skip', 'would-fail']),
  reason: text,
  detail: text,
  dueAt: text,
  rotator: text,
  strategy: text,
  admin: text,
  target: text,
  login: maybe,
  overlapSeconds: z.number(),
  validForSeconds: z.number(),
  checks: z.array(z.object({ name: text, state: z.enum(['passed', 'failed', 'unknown']), detail: text, fix: maybe })),
});
export type Plan = z.infer<typeof plan>;

const reach = { reachable: z.boolean(), ms: z.number(), code: maybe, detail: maybe, hint: maybe };
export const health = z.object({
  status: z.enum(['healthy', 'impaired']),
  version: text,
  vaults: z.array(z.object({ ...reach, vault: text, sweptAt: maybe })),
  storage: z.object({ ...reach, services: z.array(z.object({ ...reach, service: text })) }),
  failing: z.optional(z.number()),
  paused: z.optional(z.number()),
  retrying: z.optional(z.number()),
  queues: z.optional(z.array(z.object({ queue: text, messages: z.number() }))),
});
export type Health = z.infer<typeof health>;

/** RFC 9457, with what Keyturn says besides. */
export const problem = z.object({
  title: text,
  detail: text,
  code: text,
  hint: text,
  signIn: maybe,
});
