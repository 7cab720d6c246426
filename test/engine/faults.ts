import type { Strategy } from '../../shared/contract/strategy.ts';
import type { WorldKind } from './histories.ts';

/**
 * Faults of the engine, each put back by itself to see that the simulator catches it. `search` stands exactly once in the file, so that a
 * fault moves along with the code it was in.
 */
export interface Fault {
  /** What goes wrong. */
  readonly name: string;
  /** Below shared/engine/. */
  readonly file: string;
  readonly search: string;
  readonly replacement: string;
  /** The strategy that it is looked for in: it shows in no other, or seldom. */
  readonly strategy?: Strategy;
  /** The histories that it is looked for in; absent: those without other writers. */
  readonly world?: WorldKind;
}

const intent: readonly Fault[] = [
  {
    name: 'an emergency is not written down before it begins',
    file: 'rotation/intent.ts',
    search: 'if (requested.emergency !== undefined || intent.revoke === undefined) return',
    replacement: 'if (requested !== undefined) return',
  },
  {
    name: 'the stamp does not say that a credential is to be revoked',
    file: 'rotation/publish.ts',
    search: '...(revoke === undefined ? {} : { revoke }),\n    ...(keyId',
    replacement: '...(keyId',
  },
  {
    name: 'an emergency that somebody else finishes is an ordinary retirement',
    file: 'retirement/end.ts',
    search: 'emergency: revoke !== undefined }, credential)',
    replacement: "emergency: work.request.mode === 'emergency' }, credential)",
  },
  {
    name: 'an unfinished emergency waits for what was asked after it',
    file: 'rotation/rotate.ts',
    search: 'if (stamp?.revoke !== undefined && isRetirementOpen(stamp)) {',
    replacement: 'if (false) {',
  },
  {
    name: 'no wake-up is queued before the first change',
    file: 'rotation/rotate.ts',
    search: 'deps.wakeUps.set(toWakeUp(request))',
    replacement: "Promise.resolve({ kind: 'set' as const, withdraw: async () => undefined })",
    strategy: 'single-user',
  },
];

const oneVersion: readonly Fault[] = [
  {
    name: 'a second request that adopts a stored candidate is not answered by its version',
    file: 'rotation/intent.ts',
    search: '...(also === undefined ? {} : { also })',
    replacement: '...(also === undefined ? {} : {})',
  },
  {
    name: 'a request that was answered by an older version is not recognised',
    file: 'rotation/found.ts',
    search: 'if (made === undefined) return undefined;',
    replacement: 'if (made === undefined || made !== undefined) return undefined;',
  },
  {
    name: 'a stored candidate is not looked for',
    file: 'rotation/probe.ts',
    search: "keepsPending ? await readPending(vault, current, time.signal) : { kind: 'none' as const }",
    replacement: "{ kind: 'none' as const }",
  },
];

const rollBacks: readonly Fault[] = [
  {
    name: 'a roll-back applies nothing',
    file: 'rotation/candidate.ts',
    search: 'work.target.rotator.apply(work.target.stepFor(time), candidate, found.live),',
    replacement:
      "found.fixed === true && found.live === candidate ? Promise.resolve({ kind: 'applied' as const, credential: candidate }) : work.target.rotator.apply(work.target.stepFor(time), candidate, found.live),",
  },
  {
    name: 'a revoked credential is brought back by somebody who does not insist',
    file: 'rotation/roll-back.ts',
    search: 'revoked !== undefined && force !== true',
    replacement: 'revoked !== undefined && force === false',
  },
  {
    name: 'a version whose credential was revoked bears no mark',
    file: 'retirement/end.ts',
    search: '{ tags: withRevoked(secret.tags, revoked) }',
    replacement: '{}',
  },
  {
    name: 'another version with the revoked credential counts as clean',
    file: 'rotation/roll-back.ts',
    search: 'sameCredential(other.credential, credential)) return { revoked',
    replacement: 'other.secret === undefined) return { revoked',
  },
  {
    name: 'a roll-back replaces the password of the login in use',
    file: 'rotation/roll-back.ts',
    search: 'perLogin && credential.username === target.credential.username',
    replacement: 'perLogin && credential.username === undefined',
  },
];

const emergencies: readonly Fault[] = [
  {
    name: 'sessions of a leaked password live on where its login has another one by now',
    file: 'retirement/end.ts',
    search: '(!isSameLogin || revoke !== undefined)',
    replacement: '!isSameLogin',
  },
  {
    name: 'no room is made where an intruder holds every connection',
    file: 'rotation/candidate.ts',
    search: 'return revoke !== undefined && current.policy.admin.kind',
    replacement: 'return revoke === null && current.policy.admin.kind',
  },
  {
    name: 'a target without a free connection is an obstacle to an emergency',
    file: 'rotation/probe.ts',
    search: "!isCrowded || mode !== 'emergency'",
    replacement: '!isCrowded || mode !== undefined',
  },
];

const earlier: readonly Fault[] = [
  {
    name: 'an emergency is about whatever is current when somebody gets to it',
    file: 'rotation/leaked.ts',
    search: "const isEarlier = mode === 'emergency'",
    replacement: "const isEarlier = mode === 'resume'",
  },
  {
    name: 'a forced retirement whose rotation was replaced is forgotten',
    file: 'retirement/retire.ts',
    search: "if (isPast && request.mode === 'emergency')",
    replacement: "if (isPast && request.mode === 'asked' && request.mode === 'emergency')",
  },
  {
    name: 'an emergency about the current version is taken for the unfinished one before it',
    file: 'policy/due.ts',
    search: 'request.version === undefined &&\n  requested',
    replacement: 'requested',
    strategy: 'alternating-users',
  },
];

const others: readonly Fault[] = [
  {
    name: 'a version of somebody else is buried in silence',
    file: 'rotation/overtaken.ts',
    search: '!known.includes(version) &&',
    replacement: 'known.length === 0 &&',
  },
  {
    name: 'a version of somebody else is buried in the second of the one that was read',
    file: 'rotation/overtaken.ts',
    search: 'createdAt >= read.createdAt',
    replacement: 'createdAt > read.createdAt',
  },
  {
    name: 'a worker that finds the version of a dead one does not say what that one overtook',
    file: 'rotation/rotate.ts',
    search: 'const warnings = [...looked.warnings, ...(await untold',
    replacement: 'const warnings = [...(await untold',
  },
  {
    name: 'a stored key that somebody overtook lives on',
    file: 'running/pending.ts',
    search: 'orphan: !looked.published }',
    replacement: 'orphan: false }',
  },
  {
    name: 'an older value that was written back is retired',
    file: 'retirement/end.ts',
    search: 'const isSame = isPublished(credential, target);\n    const isSameLogin',
    replacement: 'const isSame = false;\n    const isSameLogin',
  },
  {
    name: 'a rotation does not wait for the overlap before it',
    file: 'policy/due.ts',
    search: 'isRetirementOpen(stamp) && now < stamp.retireBy\n    ? skip',
    replacement: 'isRetirementOpen(stamp) && now.getTime() === 0\n    ? skip',
  },
  {
    name: 'an unfinished retirement further back is forgotten',
    file: 'retirement/old.ts',
    search: 'looked < mostGenerations',
    replacement: 'looked < 1',
  },
];

const copies: readonly Fault[] = [
  {
    name: 'the source does not say that copies are due',
    file: 'rotation/publish.ts',
    search: '...(current.policy.also.length > 0 ? { copiesDue: true } : {}),',
    replacement: '',
  },
  {
    name: 'an old credential ends although a copy holds it',
    strategy: 'alternating-users',
    file: 'retirement/copies.ts',
    search: 'if (isEmergency || stamp === undefined || policy.also.length === 0)',
    replacement: 'if (stamp === undefined || policy.also.length >= 0)',
  },
  {
    name: 'a copy is written again for the same rotation',
    file: 'copies/carry.ts',
    search: 'if (before.length === 0) return undefined;',
    replacement: 'if (before.length >= 0) return undefined;',
  },
  {
    name: 'a copy that could not be written is forgotten',
    file: 'copies/carry.ts',
    search: 'return allOf(brought.failed) ?? settleCopies(work, source);',
    replacement: 'return settleCopies(work, source);',
  },
];

const events: readonly Fault[] = [
  {
    name: 'our own version is not recognised when its event comes',
    file: 'policy/origin.ts',
    search: 'if (stamp !== undefined && !carried && followsOn(others, stamp))',
    replacement: 'if (stamp === null)',
  },
  {
    name: 'a version with the stamp of another one passes for our own',
    file: 'policy/origin.ts',
    search: 'if (stamp !== undefined && !carried && followsOn(others, stamp))',
    replacement: 'if (stamp !== undefined)',
  },
  {
    name: 'a version of somebody else is accepted without a login',
    file: 'arrival/prove.ts',
    search: "return { kind: 'looked', current, credential, accepted: answer.accepted,",
    replacement: "return { kind: 'looked', current, credential, accepted: true,",
  },
  {
    name: 'nobody is told when the event of a version that does not log in comes',
    file: '../operations/arrival.ts',
    search: 'const untold = await reportDrift(deps, { vault, secret, version, notify, drift });',
    replacement: 'const untold = undefined;',
  },
];

const shared: readonly Fault[] = [
  {
    name: 'a second secret of the login is not noticed',
    file: 'sharing/refuse.ts',
    search: 'return sharing.others.length === 0 ?',
    replacement: 'return sharing.others.length >= 0 ?',
  },
  {
    name: 'the end of an old credential does not look for other secrets that publish it',
    strategy: 'dual-password',
    file: 'retirement/retire.ts',
    search: 'if (isFailure(alone)) return alone;',
    replacement: '',
  },
];

const followed: readonly Fault[] = [
  {
    name: 'a copy is published before the proof',
    file: 'copies/carry.ts',
    search: "if (!proven) return { kind: 'unproven' };",
    replacement: '',
  },
  {
    name: 'copies do not follow a version that was accepted',
    file: 'arrival/go-on.ts',
    search: 'accepted ? withCopiesDue(',
    replacement: 'accepted === null ? withCopiesDue(',
  },
];

const ofWriters = [...events, ...shared, ...followed].map((fault) => ({ ...fault, world: 'writers' as const }));

export const faults: readonly Fault[] = [
  ...intent,
  ...oneVersion,
  ...rollBacks,
  ...emergencies,
  ...earlier,
  ...others,
  ...copies,
  ...ofWriters,
];
