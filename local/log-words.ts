/** Lines of the app's log in words for people. */
import * as z from 'zod';
import type { LogRecord } from './functions-host/index.ts';
import type { Colour } from './lines.ts';

const line = z.looseObject({
  event: z.string(),
  secret: z.string().optional(),
  step: z.string().optional(),
  ms: z.number().optional(),
  outcome: z.string().optional(),
  detail: z.string().optional(),
  hint: z.string().optional(),
  to: z.string().optional(),
  login: z.string().optional(),
  logins: z.string().optional(),
  code: z.string().optional(),
  evidence: z.string().optional(),
  channel: z.string().optional(),
  noticeId: z.string().optional(),
  version: z.string().optional(),
  consumer: z.string().optional(),
});

export type Told = z.infer<typeof line>;

export interface Words {
  /** Empty for what only a machine wants to know. */
  readonly text: string;
  readonly colour?: Colour;
}

/** What the app said; undefined for a record of the host or a line that is none of the app's. */
export function toldBy(record: LogRecord): Told | undefined {
  if (record.category !== 'user' || !record.message.startsWith('{')) return undefined;
  const parsed = line.safeParse(JSON.parse(record.message));
  return parsed.success ? parsed.data : undefined;
}

/** `steps`: each step of a rotation too. */
export function wordsFor(told: Told, steps: boolean): Words {
  const { event, step = '', ms = 0, outcome = '' } = told;
  switch (event) {
    case 'event-accepted':
      if (told['requestedBy'] === 'new-version') return { text: '' };
      return { text: 'near expiry: the event arrived, a rotation is queued', colour: 'cyan' };
    case 'step':
      if (steps) return { text: `${step}: ${outcome}, ${ms.toFixed(0)} ms`, colour: 'dim' };
      return step === 'verify' && outcome === 'accepted'
        ? { text: 'the new credential is in place and verified', colour: 'dim' }
        : { text: '' };
    case 'rotated':
      return { text: `rotated: ${told.login ?? ''}, published as version ${short(told.to)}`, colour: 'green' };
    case 'notice-delivered':
      return { text: `${told.channel ?? ''} took the signed message "${newsOf(told)}"`, colour: 'cyan' };
    case 'acknowledged':
      return { text: `${told.consumer ?? ''} acknowledged: it uses only ${short(told.version)}`, colour: 'cyan' };
    case 'retired':
      return { text: `${retiredWhy(told)}: the old credential is dead`, colour: 'green' };
    case 'rotation-failed':
      return { text: `failed: ${told.code ?? ''}`, colour: 'red' };
    default:
      return { text: '' };
  }
}

/** Events whose every line is for machines: who asked for what, and what needed nothing. */
const forMachines = ['access-allowed', 'checked', 'event-accepted', 'event-ignored', 'step'];

/** As `wordsFor`, with words for every event that says more than that nothing happened, and with the detail and the next step of trouble. */
export function fullWordsFor(told: Told, level: LogRecord['level'], steps: boolean): Words {
  const { text, colour } = wordsFor(told, steps);
  const { event, detail, hint, version } = told;
  const trouble = level === 'warning' || level === 'error' || level === 'critical';
  if (text === '' && !trouble && forMachines.includes(event)) return { text };
  const of = version === undefined || text !== '' ? '' : ` ${short(version)}`;
  const said = [text === '' ? `${event.replaceAll('-', ' ')}${of}` : text, ...(detail === undefined ? [] : [detail])];
  const ordinary = trouble ? 'red' : 'reset';
  return { text: `${said.join(': ')}${hint === undefined ? '' : `. Next: ${hint}`}`, colour: colour ?? ordinary };
}

/** The id of a message is that of its rotation, with the kind of news behind it unless it is the first. */
function newsOf({ noticeId = '' }: Told): string {
  return noticeId.split('-')[1] ?? 'rotated';
}

function retiredWhy({ evidence }: Told): string {
  return evidence === 'free' ? 'retired early, all have acknowledged' : 'retired at its deadline';
}

export function short(version: string | undefined): string {
  return (version ?? '').slice(0, 8);
}
