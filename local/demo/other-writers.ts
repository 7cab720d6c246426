/** What others do to a vault: an old value written back, as Terraform does it, and one login stored under a second name. */
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { localApiKeys } from '../api-keys.ts';
import type { LocalAzure } from '../azure.ts';
import type { Before } from './outcome.ts';
import { overlap } from './put.ts';
import type { Story } from './story.ts';

export interface OtherWriters {
  /** From the write to the line that says it, in s; absent: nobody said it. */
  readonly noticedAfterSeconds?: number;
  /** The last version that logs in is current again. */
  readonly repaired: boolean;
  /** The code of the refusal to rotate a login that two secrets publish. */
  readonly sharedRefusedWith: string;
  /** Promises that were broken. */
  readonly broken: readonly string[];
}

const noticedWithinMs = 15_000;
const answered = z.looseObject({ code: z.string().optional(), state: z.string().optional() });

/** `old`: the value that `orders-db` had before its rotation, and that is dead by now. */
export async function showOtherWriters(azure: LocalAzure, story: Story, old: Before): Promise<OtherWriters> {
  story.heading('Terraform writes the old value of orders-db back, as its state has it');
  const good = newest(azure, 'orders-db');
  const { rotation: _stamp, ...tags } = good.tags ?? {};
  const startedMs = performance.now();
  const expiresSeconds = azure.vault.clock.nowSeconds() + 60 * 86_400;
  azure.vault.put('orders-db', {
    value: old.value,
    tags,
    contentType: good.contentType ?? 'text/plain',
    expiresSeconds,
  });
  const isNoticed = () => story.told.some(({ event, secret }) => event === 'drifted' && secret === 'orders-db');
  while (!isNoticed() && performance.now() - startedMs < noticedWithinMs) await sleep(50);
  const seconds = isNoticed() ? Math.round((performance.now() - startedMs) / 100) / 10 : undefined;
  if (seconds !== undefined) story.say(`noticed after ${seconds} s: the version logs nobody in`, 'yellow');
  await ask(azure, 'orders-db/repair');
  const repaired = newest(azure, 'orders-db').value === good.value;
  if (repaired) story.say('keyturn repair orders-db: the last version that logs in is current again', 'green');

  story.heading('Somebody stores the login of reports-db under a second name');
  const reports = newest(azure, 'reports-db');
  const { rotation: _made, ...policy } = reports.tags ?? {};
  azure.vault.put('reports-legacy', { value: reports.value, tags: { ...policy, overlap }, expiresSeconds });
  const { code = 'none' } = await ask(azure, 'reports-legacy/rotate');
  const untouched = newest(azure, 'reports-legacy').value === newest(azure, 'reports-db').value;
  story.say(`keyturn rotate reports-legacy: refused with ${code}, and nothing was changed`, 'yellow');
  const broken = [
    ...(seconds === undefined ? ['a version that was written back was not noticed'] : []),
    ...(repaired ? [] : ['a version that was written back was not repaired']),
    ...(code === 'login-shared' && untouched ? [] : ['a login that two secrets publish was rotated']),
  ];
  return {
    ...(seconds === undefined ? {} : { noticedAfterSeconds: seconds }),
    repaired,
    sharedRefusedWith: code,
    broken,
  };
}

function newest({ vault }: LocalAzure, name: string) {
  const found = vault.versions(name).at(-1);
  if (found === undefined) throw new Error(`the demo has no ${name}`);
  return found;
}

async function ask({ host }: LocalAzure, path: string) {
  const answer = await fetch(`${host.url}/api/v1/vaults/local/secrets/${path}?wait=true`, {
    method: 'POST',
    headers: { 'x-keyturn-key': localApiKeys.operator, 'content-type': 'application/json' },
    body: JSON.stringify({ reason: 'the demo' }),
  });
  return answered.parse(await answer.json());
}
