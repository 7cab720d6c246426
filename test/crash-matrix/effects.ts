/**
 * Counts the side effects of each delivery in a worker process, and stops the delivery for good where it was told to: from then on none of
 * its calls returns, until the process is killed.
 *
 * Counted are all writes to vault, leases, queues, tables, and the change and the end of a credential at the target, as a whole and message
 * by message on the wire.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Socket } from 'node:net';
import type { Rotator } from '../../shared/contract/rotator.ts';
import { BlobLeases } from '../../shared/storage/blob-leases.ts';
import { Records } from '../../shared/storage/state/records.ts';
import { StorageQueues } from '../../shared/storage/storage-queues.ts';
import { TableHistory } from '../../shared/storage/table-history.ts';
import { KeyVault } from '../../shared/vault/key-vault.ts';
import type { Point } from './protocol.ts';

export interface Delivery {
  readonly calls: string[];
  readonly point: Point | undefined;
  readonly onStanding: () => void;
  stands: boolean;
}

export const deliveries = new AsyncLocalStorage<Delivery>();
/** Set while a rotator changes something at a target: what is written to a socket then goes there. */
const atTarget = new AsyncLocalStorage<{ readonly delivery: Delivery; readonly name: string; messages: number }>();

const forEver = (): Promise<never> => new Promise(() => undefined);

function stand(delivery: Delivery): Promise<never> {
  if (!delivery.stands) {
    delivery.stands = true;
    delivery.onStanding();
  }
  return forEver();
}

/** One side effect: before it, itself, after it. */
async function effect<Result>(delivery: Delivery, name: string, act: () => Promise<Result>): Promise<Result> {
  if (delivery.stands) return forEver();
  const call = delivery.calls.push(name) - 1;
  const here = delivery.point?.call === call ? delivery.point.when : undefined;
  if (here === 'before') return stand(delivery);
  const result = await act();
  return here === 'after' || delivery.stands ? stand(delivery) : result;
}

type Method = (...args: unknown[]) => Promise<unknown>;

function isMethod(member: unknown): member is Method {
  return typeof member === 'function';
}

function patch(
  prototype: object,
  names: readonly string[],
  around: (name: string, call: () => Promise<unknown>) => Promise<unknown>,
): void {
  for (const name of names) {
    const method: unknown = Reflect.get(prototype, name);
    if (!isMethod(method)) throw new Error(`there is no method ${name}`);
    Reflect.set(prototype, name, function patched(this: unknown, ...args: unknown[]) {
      return around(name, () => Reflect.apply(method, this, args));
    });
  }
}

function countMethods(prototype: object, what: string, names: readonly string[]): void {
  patch(prototype, names, (name, call) => {
    const delivery = deliveries.getStore();
    return delivery === undefined ? call() : effect(delivery, `${what}.${name}`, call).then(withEffects);
  });
}

/** What a call hands out may have effects of its own: a lease is released, a message withdrawn. */
function withEffects(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return result;
  const delivery = deliveries.getStore();
  if (delivery === undefined) return result;
  if ('lease' in result && typeof result.lease === 'object' && result.lease !== null)
    countOn(delivery, result.lease, 'lease', 'release');
  if ('withdraw' in result) countOn(delivery, result, 'queue', 'withdraw');
  return result;
}

function countOn(delivery: Delivery, holder: object, what: string, name: string): void {
  const method: unknown = Reflect.get(holder, name);
  if (!isMethod(method)) return;
  const value = (...args: unknown[]) => effect(delivery, `${what}.${name}`, () => Reflect.apply(method, holder, args));
  Object.defineProperty(holder, name, { value, configurable: true });
}

/** A message to the target counts by itself: what a rotator does is several statements. */
function countMessages(): void {
  const write: unknown = Socket.prototype.write;
  if (typeof write !== 'function') throw new Error('a socket cannot be written to');
  Reflect.set(Socket.prototype, 'write', function counted(this: unknown, ...args: unknown[]) {
    const at = atTarget.getStore();
    if (at !== undefined) {
      const { delivery, name } = at;
      if (delivery.stands) return false;
      at.messages += 1;
      const call = delivery.calls.push(`${name}, message ${at.messages}`) - 1;
      if (delivery.point?.call === call) {
        void stand(delivery);
        return false;
      }
    }
    return Reflect.apply(write, this, args);
  });
}

/** To be called once, before the app is made. */
export function countEffects(): void {
  countMethods(KeyVault.prototype, 'vault', ['write', 'change']);
  countMethods(BlobLeases.prototype, 'lease', ['acquire']);
  countMethods(StorageQueues.prototype, 'queue', ['enqueue']);
  countMethods(TableHistory.prototype, 'history', ['record']);
  countMethods(Records.prototype, 'table', ['put', 'add', 'remove', 'change']);
  countMessages();
}

/** The rotator with its effects counted, and told of every credential that it proposes or brings back. */
export function counted(rotator: Rotator, tell: (credential: object) => void): Rotator {
  return new Proxy(rotator, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const delivery = deliveries.getStore();
        const call = (): unknown => Reflect.apply(member, target, args);
        if (delivery === undefined) return call();
        if (name === 'propose') return toldOf(call(), tell);
        if (name !== 'apply' && name !== 'retire') return call();
        const label = `rotator.${name}`;
        const act = async () => toldOf(await atTarget.run({ delivery, name: label, messages: 0 }, call), tell);
        return effect(delivery, label, act);
      };
    },
  });
}

function toldOf(outcome: unknown, tell: (credential: object) => void): unknown {
  if (typeof outcome !== 'object' || outcome === null) return outcome;
  if ('password' in outcome) tell(outcome);
  if ('credential' in outcome && typeof outcome.credential === 'object' && outcome.credential !== null)
    tell(outcome.credential);
  return outcome;
}
