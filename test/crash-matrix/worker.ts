/**
 * A worker process of the crash matrix: the app as functions/compose.ts makes it, with the code behind the queue triggers. Messages come
 * from whoever started it instead of from a queue, each with the point at which its delivery stands still until the process is killed.
 */
import { compose } from '../../functions/compose.ts';
import { type Work, workOf } from '../../functions/work.ts';
import { readSettings } from '../../shared/config/settings.ts';
import { SecretText } from '../../shared/contract/secret-text.ts';
import type { Log, LogFields } from '../../shared/telemetry.ts';
import { countEffects, counted, type Delivery, deliveries } from './effects.ts';
import { type Answer, type Made, type Order, order } from './protocol.ts';

/** What a worker says when a delivery is over. */
const outcomes = new Set(['rotated', 'retired', 'skipped', 'busy', 'retirement-waits']);

function isOutcome(event: string): boolean {
  return outcomes.has(event) || /^(rotation|retirement)-(?!left|not)/.test(event);
}

function credentialOf(credential: object): Made | undefined {
  const text = (name: string): string | undefined => {
    const field: unknown = Reflect.get(credential, name);
    return typeof field === 'string' ? field : undefined;
  };
  if (!('password' in credential) || !(credential.password instanceof SecretText)) return undefined;
  const [username, keyId] = [text('username'), text('keyId')];
  return {
    password: credential.password.reveal(),
    ...(username === undefined ? {} : { username }),
    ...(keyId === undefined ? {} : { keyId }),
  };
}

async function makeWork(): Promise<Work> {
  countEffects();
  const settings = readSettings(process.env);
  if (settings.kind !== 'settings') throw new Error(`the settings are wrong: ${JSON.stringify(settings)}`);
  const app = await compose(settings.settings);
  const load = app.engine.loadRotator;
  const engine = {
    ...app.engine,
    loadRotator: async (entry: Parameters<typeof load>[0]) =>
      counted(await load(entry), (credential) => {
        const made = credentialOf(credential);
        const open = deliveries.getStore();
        if (made !== undefined && open !== undefined) madeBy.get(open)?.push(made);
      }),
  };
  return workOf({ ...app, engine });
}

const madeBy = new WeakMap<Delivery, Made[]>();

function logOf(said: { outcome?: string; detail?: string }): Log {
  const line = (event: string, fields: LogFields = {}): void => {
    if (!isOutcome(event)) return;
    said.outcome = event;
    said.detail = [fields['reason'], fields['code'], fields['detail']].filter((one) => one !== undefined).join(': ');
  };
  return { info: line, warn: line, error: line };
}

async function deliver(work: Work, { id, activity, message, point }: Order): Promise<void> {
  const made: Made[] = [];
  const said: { outcome?: string; detail?: string } = {};
  const answer = (kind: Answer['kind']): void => {
    process.send?.({ id, kind, calls: delivery.calls, made, ...said } satisfies Answer);
  };
  const delivery: Delivery = { calls: [], point, stands: false, onStanding: () => answer('standing') };
  madeBy.set(delivery, made);
  try {
    await deliveries.run(delivery, () => (activity === 'rotation' ? work.rotate : work.retire)(message, logOf(said)));
  } catch (error) {
    said.outcome = 'threw';
    said.detail = error instanceof Error ? error.message : 'something that is no error';
  }
  answer('ended');
}

const work = await makeWork();
process.on('message', (message) => void deliver(work, order.parse(message)));
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
