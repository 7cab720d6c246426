/** The preflight: what would stop a rotation, seen without changing anything. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { CheckName, RotatorCheck, RotatorEnvironment } from '../../shared/contract/rotator.ts';
import { type Failure, isFailure } from '../../shared/errors.ts';
import { adminName } from '../common/failures.ts';
import { userOf } from './change.ts';
import { adminLogins, fleetOptions, type RedisStep, transportFor } from './connect.ts';
import { adminFailure } from './fault.ts';
import { type Fleet, gather, type Node } from './fleet.ts';
import { lackOf } from './keep.ts';
import { objectionToWatchers } from './sentinels.ts';
import { defaultUser } from './settings.ts';
import { verify } from './verify.ts';

export async function check(step: RedisStep, environment: RotatorEnvironment): Promise<readonly RotatorCheck[]> {
  const admin = await adminLogins(step, [step.current]);
  if (isFailure(admin)) return [failed('admin', admin)];
  const user = userOf(step.current);
  const fleet = await gather(fleetOptions(step, environment, admin.logins, { user, depth: 'everything' }));
  if (fleet.kind === 'fault') return [failed('admin', adminFailure(step, adminName(step), fleet))];
  try {
    const names = fleet.nodes().map((node) => node.name);
    return [
      passed('admin', `${adminName(step)} logs in on ${names.join(', ')}`),
      transport(step, environment, fleet),
      ...logins(step, fleet),
      ...(await sentinels(step, fleet, user)),
      ...(await permissions(step, fleet, admin.logins)),
      ...keeping(fleet),
      await published(step, environment),
    ];
  } finally {
    fleet.close();
  }
}

function passed(name: CheckName, detail: string): RotatorCheck {
  return { name, state: 'passed', detail };
}

function failed(name: CheckName, why: Failure): RotatorCheck {
  return { name, state: 'failed', detail: why.message, fix: why.hint };
}

function transport(step: RedisStep, environment: RotatorEnvironment, fleet: Fleet): RotatorCheck {
  const plain = fleet.nodes().filter((node) => transportFor(step, environment, node.address).kind === 'plain');
  const detail = plain.length === 0 ? 'every connection is TLS, verified' : 'plain connections, to loopback only';
  return passed('transport', detail);
}

function logins(step: RedisStep, fleet: Fleet): RotatorCheck[] {
  const user = userOf(step.current);
  const problems = fleet.nodes().map((node) => loginProblem(step, node, user));
  const checks = problems.filter((problem) => problem !== undefined);
  return checks.length > 0 ? checks : [passed('login', `${user} exists on every node`)];
}

function loginProblem(step: RedisStep, node: Node, user: string): RotatorCheck | undefined {
  const found = node.state?.user ?? { kind: 'missing' };
  if (found.kind === 'missing') {
    const fix = `Create ${user} on ${node.name} with the rules it has elsewhere: ACL SETUSER.`;
    return { name: 'login', state: 'failed', detail: `${node.name} has no user ${user}`, fix };
  }
  if (found.kind === 'user') {
    if (found.takesAnyPassword) {
      const fix = `Give ${user} a password on ${node.name}: ACL SETUSER with a rule that starts with "#".`;
      return { name: 'login', state: 'failed', detail: `${user} on ${node.name} takes any password`, fix };
    }
    if (found.enabled) return undefined;
    const fix = `Switch ${user} on at ${node.name}: ACL SETUSER ${user} on.`;
    return { name: 'login', state: 'failed', detail: `${user} is switched off on ${node.name}`, fix };
  }
  const secrets = node.state?.secrets;
  if (found.fault === 'unknown-command' && step.strategy === 'single-user' && user === defaultUser) {
    if (secrets?.kind === 'secrets' && secrets.requirepass !== '') return undefined;
  }
  return failed('login', adminFailure(step, adminName(step), found));
}

async function sentinels(step: RedisStep, fleet: Fleet, user: string): Promise<RotatorCheck[]> {
  const objection = await objectionToWatchers(fleet, user);
  if (objection !== undefined) return [failed('sentinels', adminFailure(step, adminName(step), objection))];
  const told = fleet.sentinels().map((node) => node.name);
  return told.length === 0 ? [] : [passed('sentinels', `${told.join(', ')} can be told a new password`)];
}

const needed = [
  ['ACL', 'SETUSER', 'anybody'],
  ['ACL', 'SAVE'],
  ['CONFIG', 'GET', 'masterauth'],
  ['CONFIG', 'SET', 'masterauth', 'anything'],
  ['CONFIG', 'REWRITE'],
  ['CLIENT', 'LIST'],
  ['CLIENT', 'KILL', 'USER', 'anybody'],
] as const;

// ACL DRYRUN (Redis 7) tells what a user may do without doing it; without it only the attempt tells.
async function permissions(step: RedisStep, fleet: Fleet, admins: readonly Credential[]): Promise<RotatorCheck[]> {
  const [admin] = admins;
  const [node] = fleet.nodes();
  if (admin === undefined || node === undefined) return [];
  const missing: string[] = [];
  for (const [command, ...args] of needed) {
    const answer = await node.connection.call('ACL', 'DRYRUN', userOf(admin), command, ...args);
    if (answer.kind === 'fault') {
      return [{ name: 'permissions', state: 'unknown', detail: `${node.name} does not tell: ${answer.detail}` }];
    }
    if (answer.value !== 'OK') missing.push(`+${[command, args[0]].join('|').toLowerCase()}`);
  }
  if (missing.length === 0) return [passed('permissions', 'the admin may do all that a rotation needs')];
  const fix = `Grant them to the rotation admin on every node: ACL SETUSER ${userOf(admin)} ${missing.join(' ')}, then ACL SAVE.`;
  const detail = `the admin ${adminName(step)} lacks ${missing.join(', ')}`;
  return [{ name: 'permissions', state: 'failed', detail, fix }];
}

function keeping(fleet: Fleet): RotatorCheck[] {
  const forgetful = fleet.nodes().filter((node) => lackOf(node) === 'users');
  if (forgetful.length === 0) return [passed('persistence', 'every node has a file to keep its users in')];
  const names = forgetful.map((node) => node.name).join(', ');
  const fix = `Start ${names} with an aclfile or a configuration file.`;
  return [{ name: 'persistence', state: 'failed', detail: `${names} forget their users at a restart`, fix }];
}

async function published(step: RedisStep, environment: RotatorEnvironment): Promise<RotatorCheck> {
  const answer = await verify(step, environment, step.current, new WeakMap());
  if (answer.kind === 'accepted') return passed('current credential', `${userOf(step.current)} logs in`);
  if (answer.kind === 'failed') return failed('current credential', answer);
  const detail = 'detail' in answer ? answer.detail : answer.missing.join(', ');
  const fix = `Set the vault's current version of ${step.secret} to a credential that works on every node.`;
  return { name: 'current credential', state: 'failed', detail, fix };
}
