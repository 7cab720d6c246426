/** The key slots of a resource: listed, matched with a credential, regenerated. */
import * as z from 'zod';
import type { Credential } from '../../shared/contract/credential.ts';
import type { Step } from '../../shared/contract/rotator.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import { type Failure, failure } from '../../shared/errors.ts';
import { nextLink } from '../../shared/http/resource-manager.ts';
import { startWaiting } from '../common/patience.ts';
import type { Arm, ArmRequest } from './connect.ts';
import type { KeyPlace, SlotRow } from './table.ts';
import type { AzureKeysTags } from './tags.ts';

export interface Key {
  readonly slot: string;
  readonly value: SecretText;
  /** The id of the key, where the service gives keys ids (App Configuration). */
  readonly id?: string;
}

export type Listing = { readonly kind: 'listed'; readonly keys: readonly Key[] } | Failure;

const answerShape = z.record(z.string(), z.unknown());
const itemsShape = z.array(z.looseObject({ value: z.string().min(1), id: z.string().optional() }));
const pagesAtMost = 10;
const settlePatience = { intervalMs: 1_000, deadlineMs: 60_000 };

/** The right to do an action on a resource, as a role definition writes it. */
export function permissionFor(options: AzureKeysTags, action: string): string {
  return `${options.type}/${action.split('/')[0] ?? action}/action`;
}

/** Lists all keys of the resource. Changes nothing. */
export async function listKeys(arm: Arm, step: Step<AzureKeysTags>): Promise<Listing> {
  const { row, resource } = step.options;
  const permission = permissionFor(step.options, row.list);
  const keys: Key[] = [];
  let request: ArmRequest = { method: 'POST', path: `${resource}/${row.list}`, apiVersion: row.apiVersion, permission };
  for (let page = 0; page < pagesAtMost; page += 1) {
    const outcome = await arm.send(step, request);
    if (outcome.kind === 'failed') return outcome;
    const read = readKeys(row.keys, outcome.body);
    if (read === undefined) return notUnderstood(step);
    keys.push(...read);
    const next = row.keys.at === 'items' && row.keys.paged === true ? nextLink(outcome.body) : undefined;
    if (next === undefined) return { kind: 'listed', keys };
    request = { ...request, path: next };
  }
  return { kind: 'listed', keys };
}

/** The slot that holds the credential. Exactly one, or nothing is known. */
export function slotOf(keys: readonly Key[], credential: Credential): Key | undefined {
  const holders = keys.filter((key) => key.value.equals(credential.password));
  return holders.length === 1 ? holders[0] : undefined;
}

/** Makes the service forget the key of a slot, waits until it did, and gives back the new one. Calling it again makes another key. */
export async function regenerate(arm: Arm, step: Step<AzureKeysTags>, row: SlotRow, old: Key): Promise<Key | Failure> {
  const { resource, row: kind } = step.options;
  if (step.signal.aborted || step.remainingMs() <= 0) {
    return failure('lease-lost', { secret: step.secret, step: `regenerate ${row.slot}` });
  }
  const permission = permissionFor(step.options, row.action);
  const body = row.body === 'id' ? { id: old.id ?? '' } : row.body;
  const started = await arm.send(step, {
    method: 'POST',
    path: `${resource}/${row.action}`,
    apiVersion: kind.apiVersion,
    permission,
    ...(body === undefined ? {} : { body }),
  });
  const finished = await arm.finish(step, started, permission);
  if (finished.kind === 'failed') return finished;
  return awaitChange(arm, step, old);
}

// Some services answer before the listing shows the new key, so the answer is never taken as the proof: the listing is.
async function awaitChange(arm: Arm, step: Step<AzureKeysTags>, old: Key): Promise<Key | Failure> {
  const waiting = startWaiting(step, settlePatience);
  for (;;) {
    const listing = await listKeys(arm, step);
    if (listing.kind === 'failed') return listing;
    const now = listing.keys.find((key) => key.slot === old.slot);
    if (now !== undefined && !now.value.equals(old.value)) return now;
    if (!(await waiting.again())) {
      const detail = `the key of slot ${old.slot} has not changed yet`;
      return failure('target-busy', { secret: step.secret, target: step.options.name, detail });
    }
  }
}

function readKeys(place: KeyPlace, body: unknown): Key[] | undefined {
  const answer = answerShape.safeParse(body);
  if (!answer.success) return undefined;
  return place.at === 'fields' ? readFields(place.fields, answer.data) : readItems(place, answer.data);
}

function readFields(fields: Readonly<Record<string, string>>, answer: Record<string, unknown>): Key[] | undefined {
  const keys: Key[] = [];
  for (const [slot, field] of Object.entries(fields)) {
    const value = answer[field];
    if (typeof value !== 'string' || value === '') return undefined;
    keys.push({ slot, value: new SecretText(value) });
  }
  return keys;
}

function readItems(place: Extract<KeyPlace, { at: 'items' }>, answer: Record<string, unknown>): Key[] | undefined {
  const items = itemsShape.safeParse(answer[place.list]);
  if (!items.success) return undefined;
  const keys: Key[] = [];
  for (const item of items.data) {
    const slot = item[place.name];
    if (typeof slot !== 'string') return undefined;
    keys.push({ slot, value: new SecretText(item.value), ...(item.id === undefined ? {} : { id: item.id }) });
  }
  return keys;
}

function notUnderstood(step: Step<AzureKeysTags>): Failure {
  const detail = 'the listing of keys is not in the form of its api-version';
  return failure('target-refused', { secret: step.secret, target: step.options.name, detail });
}
