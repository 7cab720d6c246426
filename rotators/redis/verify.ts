/** The proof that a credential logs in: on every node, since users do not spread from node to node. */
import type { Credential } from '../../shared/contract/credential.ts';
import type { RotatorEnvironment, VerifyOutcome } from '../../shared/contract/rotator.ts';
import { isFailure } from '../../shared/errors.ts';
import { adminName } from '../common/failures.ts';
import { userOf } from './change.ts';
import { adminLogins, fleetOptions, type RedisStep } from './connect.ts';
import { type Address, authCommand, nodeName } from './connection.ts';
import { adminFailure, type Fault } from './fault.ts';
import { eachAtMost, type FleetOptions, gather, type Node, openAt } from './fleet.ts';

/** The nodes that the proof of an attempt saw last, by its current credential: the same object for all of its calls. */
export type SeenNodes = WeakMap<Credential, readonly Address[]>;

/**
 * Logs in with the credential on every node, each on a fresh connection. Which nodes there are is asked each time. At those that `seen`
 * says the login begins meanwhile: elsewhere it is not known yet whether it is a node of this Redis that listens.
 */
export async function verify(
  step: RedisStep,
  environment: RotatorEnvironment,
  credential: Credential,
  seen: SeenNodes,
): Promise<VerifyOutcome> {
  const admin = await adminLogins(step, [credential, step.current]);
  if (isFailure(admin)) return admin;
  const options = fleetOptions(step, environment, admin.logins, { user: userOf(credential), depth: 'nodes' });
  const [fleet, early] = await Promise.all([
    gather(options),
    loginsAt(options, seen.get(step.current) ?? [], credential),
  ]);
  if (fleet.kind === 'fault') {
    // As itself a login sees the nodes only after it was let in, so what refuses it there is the answer.
    if (fleet.fault === 'unreachable' || step.admin.kind === 'self') return outcomeOf(step, fleet);
    return adminFailure(step, adminName(step), fleet);
  }
  try {
    const nodes = fleet.nodes();
    const answers = await eachAtMost(nodes, async ({ name, address }) =>
      early.has(name) ? early.get(name) : loginAt(options, address, credential),
    );
    const addresses = nodes.map(({ address }) => address);
    seen.set(step.current, addresses);
    return judge(step, nodes, answers, isPublished(step, credential));
  } finally {
    fleet.close();
  }
}

/** What stood in the way of each login, by the name of the node; undefined for one that was let in. */
async function loginsAt(options: FleetOptions, addresses: readonly Address[], credential: Credential) {
  const answers = await eachAtMost(
    addresses,
    async (address): Promise<[string, Fault | undefined]> => [
      nodeName(address),
      await loginAt(options, address, credential),
    ],
  );
  return new Map(answers);
}

/**
 * A candidate has to be let in by every node. The published credential only by one: a crash in the middle of a replacement leaves it
 * on some nodes and the candidate on the others, and the next attempt has to see that there is something to go on with.
 */
function judge(
  step: RedisStep,
  nodes: readonly Node[],
  answers: readonly (Fault | undefined)[],
  published: boolean,
): VerifyOutcome {
  const refused = answers.find((answer) => answer?.fault === 'refused');
  if (published && refused !== undefined && answers.includes(undefined)) return { kind: 'accepted' };
  const first = refused ?? answers.find((answer) => answer !== undefined);
  if (first === undefined) return { kind: 'accepted' };
  const outcome = outcomeOf(step, first);
  if (outcome.kind !== 'refused' || nodes.length === 1) return outcome;
  const count = answers.filter((answer) => answer?.fault === 'refused').length;
  return { kind: 'refused', detail: `${outcome.detail} (${count} of ${nodes.length} nodes refused it)` };
}

function isPublished(step: RedisStep, credential: Credential): boolean {
  return userOf(step.current) === userOf(credential) && step.current.password.equals(credential.password);
}

async function loginAt(options: FleetOptions, address: Address, credential: Credential): Promise<Fault | undefined> {
  const opened = await openAt(address, options);
  if (opened.kind === 'fault') return opened;
  const answer = await opened.connection.call(...authCommand(credential));
  opened.connection.close();
  return answer.kind === 'fault' ? answer : undefined;
}

function outcomeOf(step: RedisStep, met: Fault): VerifyOutcome {
  switch (met.fault) {
    case 'refused':
    // A server without the command has no users, so this credential is none of its.
    case 'unknown-command':
      return { kind: 'refused', detail: `${met.node}: ${met.detail}` };
    case 'unreachable':
      return unreachable(met);
    default:
      return adminFailure(step, adminName(step), met);
  }
}

function unreachable(met: Fault): VerifyOutcome {
  return { kind: 'unreachable', detail: `${met.node}: ${met.detail}` };
}
