/** What the API answers, as far as the CLI looks at it. Everything else is kept, so that `--json` shows the whole answer. */
import * as z from 'zod';

const step = z.looseObject({ name: z.string(), ms: z.number(), outcome: z.string() });
const shownFailure = z.looseObject({ code: z.string(), message: z.string(), hint: z.string(), page: z.string() });
export type ShownFailure = z.infer<typeof shownFailure>;

export const attempt = z.looseObject({
  rotationId: z.string(),
  activity: z.string().optional(),
  outcome: z.string(),
  reason: z.string(),
  detail: z.string().optional(),
  nextTryAt: z.string().optional(),
  warnings: z.array(z.string()).optional(),
  requestedBy: z.string(),
  startedAt: z.string(),
  endedAt: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  failure: shownFailure.optional(),
  steps: z.array(step),
});
export type Attempt = z.infer<typeof attempt>;

const approval = z.looseObject({
  approvalId: z.string(),
  action: z.string(),
  vault: z.string(),
  secret: z.string(),
  matched: z.number().optional(),
  reason: z.string(),
  requestedBy: z.string(),
  expiresAt: z.string(),
  state: z.string(),
  approvedBy: z.string().optional(),
});
export type Approval = z.infer<typeof approval>;

export const approvals = z.looseObject({ approvals: z.array(approval) });

/** What an approved request answers, whatever it was. */
export const approved = z.looseObject({
  vault: z.string().optional(),
  secret: z.string().optional(),
  rotationId: z.string().optional(),
  state: z.string().optional(),
  rotations: z.array(z.looseObject({ vault: z.string(), secret: z.string(), rotationId: z.string() })).optional(),
});

export const rotation = z.looseObject({
  rotationId: z.string(),
  vault: z.string(),
  secret: z.string(),
  state: z.string(),
  requestedBy: z.string(),
  reason: z.string(),
  detail: z.string().optional(),
  hint: z.string().optional(),
  nextTryAt: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  retired: z.boolean(),
  /** What waits for a second person. */
  approval: approval.optional(),
  failure: shownFailure.optional(),
  warnings: z.array(z.string()),
  attempts: z.array(attempt),
  /** Who was told of it, and who is still to be. */
  deliveries: z
    .array(
      z.looseObject({
        channel: z.string(),
        type: z.string(),
        state: z.string(),
        attempts: z.number(),
        detail: z.string().optional(),
      }),
    )
    .optional(),
});
export type Rotation = z.infer<typeof rotation>;

const activityTrouble = z.looseObject({
  failures: z.number(),
  retries: z.number(),
  since: z.string(),
  last: z.looseObject({ code: z.string(), message: z.string(), hint: z.string(), at: z.string() }),
  nextTryAt: z.string().optional(),
  unpublished: z.boolean(),
});
export type ActivityTrouble = z.infer<typeof activityTrouble>;

export const secret = z.looseObject({
  vault: z.string(),
  secret: z.string(),
  state: z.string(),
  detail: z.string(),
  activity: z.enum(['rotation', 'retirement', 'check']).optional(),
  nextTryAt: z.string().optional(),
  pausedBy: z.string().optional(),
  pausedUntil: z.string().optional(),
  waitsFor: z.array(z.string()).optional(),
  reminders: z.array(z.string()).optional(),
  candidateOf: z.string().optional(),
  source: z.looseObject({ vault: z.string(), secret: z.string() }).optional(),
  copies: z.array(z.string()).optional(),
  hints: z.array(z.string()).optional(),
  owner: z.string().optional(),
  manual: z.boolean().optional(),
  enabled: z.boolean(),
  createdAt: z.string(),
  expiresAt: z.string().optional(),
  dueAt: z.string().optional(),
  rotator: z.string().optional(),
  strategy: z.string().optional(),
  consumers: z.array(z.string()).optional(),
  rotationId: z.string().optional(),
  retireBy: z.string().optional(),
  retired: z.boolean().optional(),
  tags: z.record(z.string(), z.string()),
  trouble: z
    .looseObject({
      rotation: activityTrouble.optional(),
      retirement: activityTrouble.optional(),
      check: activityTrouble.optional(),
    })
    .optional(),
});
export type Secret = z.infer<typeof secret>;

export const page = z.looseObject({
  secrets: z.array(secret),
  next: z.string().optional(),
  warnings: z.array(z.string()),
});

export type Page = z.infer<typeof page>;

const acknowledgementFields = {
  version: z.string(),
  acknowledged: z.array(z.looseObject({ consumer: z.string(), at: z.string() })),
  missing: z.array(z.looseObject({ consumer: z.string() })),
  complete: z.boolean(),
};
export const acknowledgements = z.looseObject(acknowledgementFields);

export const inspected = z.looseObject({
  ...secret.shape,
  version: z.string(),
  login: z.string().optional(),
  versions: z.array(
    z.looseObject({
      version: z.string(),
      current: z.boolean(),
      enabled: z.boolean(),
      createdAt: z.string(),
      expiresAt: z.string().optional(),
      rotationId: z.string().optional(),
    }),
  ),
  pending: z.looseObject({ secret: z.string(), version: z.string(), createdAt: z.string() }).optional(),
  acknowledgements: acknowledgements.optional(),
  warnings: z.array(z.string()),
});
export type Inspected = z.infer<typeof inspected>;

const check = z.looseObject({
  name: z.string(),
  state: z.enum(['passed', 'failed', 'unknown']),
  detail: z.string(),
  fix: z.string().optional(),
});
export type CheckView = z.infer<typeof check>;

export const plan = z.looseObject({
  vault: z.string(),
  secret: z.string(),
  version: z.string(),
  mode: z.string(),
  state: z.string(),
  outcome: z.enum(['would-rotate', 'would-skip', 'would-fail']),
  reason: z.string(),
  detail: z.string(),
  dueAt: z.string(),
  expiresAt: z.string().optional(),
  rotator: z.string(),
  strategy: z.string(),
  admin: z.string(),
  target: z.string(),
  login: z.string().optional(),
  overlapSeconds: z.number(),
  validForSeconds: z.number(),
  consumers: z.array(z.string()),
  checks: z.array(check),
});
export type PlanView = z.infer<typeof plan>;

export const history = z.looseObject({ attempts: z.array(attempt) });

export const many = z.looseObject({
  matched: z.number(),
  approval: approval.optional(),
  rotations: z.array(z.looseObject({ vault: z.string(), secret: z.string(), rotationId: z.string() })),
});

export const retirement = z.looseObject({
  rotationId: z.string(),
  vault: z.string(),
  secret: z.string(),
  state: z.enum(['retired', 'waiting', 'awaiting-approval']),
  approval: approval.optional(),
  evidence: z.string().optional(),
  sessions: z.array(z.string()),
  consumers: z.array(z.string()),
  logins: z.array(z.string()),
  sessionsEnded: z.number().optional(),
  sessionsGoOn: z.number().optional(),
  proofs: z.array(z.string()).optional(),
  retireBy: z.string().optional(),
  steps: z.array(step),
});

export const paused = z.looseObject({
  vault: z.string(),
  secret: z.string(),
  pausedBy: z.string(),
  pausedUntil: z.string().optional(),
});

export const resumed = z.looseObject({
  vault: z.string(),
  secret: z.string(),
  wasPaused: z.boolean(),
  failuresBefore: z.number(),
});

export const freeze = z.looseObject({
  frozen: z.boolean(),
  by: z.string().optional(),
  reason: z.string().optional(),
  since: z.string().optional(),
});
export type FreezeView = z.infer<typeof freeze>;

export const rehearsed = z.looseObject({
  vault: z.string(),
  secret: z.string(),
  how: z.enum(['twin', 'looked']),
  detail: z.string(),
  checks: z.array(check),
});

const tagsView = z.record(z.string(), z.string());

/** What opting a secret in would come to. */
export const onboarding = z.looseObject({
  vault: z.string(),
  secret: z.string(),
  guess: z.looseObject({ rotator: z.string().optional(), what: z.string(), because: z.string(), sure: z.boolean() }),
  set: tagsView,
  remove: z.array(z.string()),
  before: tagsView,
  tags: tagsView,
  target: z.string().optional(),
  login: z.string().optional(),
  checks: z.array(check),
  problem: shownFailure.optional(),
});
export type OnboardingView = z.infer<typeof onboarding>;

/** What became of tags, or would. */
export const tagged = z.looseObject({
  vault: z.string(),
  secret: z.string(),
  changed: z.boolean(),
  warnings: z.array(z.string()),
});

const reach = {
  reachable: z.boolean(),
  ms: z.number(),
  code: z.string().optional(),
  detail: z.string().optional(),
  hint: z.string().optional(),
};

export const health = z.looseObject({
  status: z.string(),
  version: z.string(),
  time: z.iso.datetime().optional(),
  vaults: z.array(z.looseObject({ vault: z.string(), ...reach })),
  storage: z.looseObject(reach),
  freeze: freeze.optional(),
  failing: z.number().optional(),
  paused: z.number().optional(),
  retrying: z.number().optional(),
});
export type Health = z.infer<typeof health>;
