/** What happens, told while it happens. */
import { styleText } from 'node:util';
import * as z from 'zod';
import type { LogRecord } from '../functions-host/index.ts';

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

type Colour = Parameters<typeof styleText>[0];

/** Prints for people; says nothing where a machine reads. Colours only on a terminal that shows them. */
export class Story {
  readonly told: Told[] = [];
  readonly #quiet: boolean;
  readonly #startedMs = performance.now();

  constructor(quiet: boolean) {
    this.#quiet = quiet;
  }

  say(text: string, colour: Colour = 'reset'): void {
    if (this.#quiet) return;
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1).padStart(5);
    console.log(`${paint('dim', `${seconds} s`)}  ${paint(colour, text)}`);
  }

  heading(text: string): void {
    if (!this.#quiet) console.log(`\n${paint('bold', text)}`);
  }

  /** A line of the app's log. */
  hear(record: LogRecord): void {
    if (record.category !== 'user') return;
    const parsed = line.safeParse(JSON.parse(record.message));
    if (!parsed.success) return;
    this.told.push(parsed.data);
    const { text, colour } = wordsFor(parsed.data);
    if (text !== '') this.say(text, colour);
  }
}

export function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

function wordsFor(told: Told): { readonly text: string; readonly colour?: Colour } {
  const { event, secret = '', step = '', ms = 0, outcome = '' } = told;
  const name = secret.padEnd(16);
  switch (event) {
    case 'event-accepted':
      if (told['requestedBy'] === 'new-version') return { text: '' };
      return { text: `${name} near expiry: event taken, rotation enqueued`, colour: 'cyan' };
    case 'step':
      return { text: `${name} ${step.padEnd(13)} ${`${ms.toFixed(0)} ms`.padStart(7)}  ${outcome}`, colour: 'dim' };
    case 'rotated':
      return {
        text: `${name} rotated: ${told.login ?? ''} is published as version ${short(told.to)}`,
        colour: 'green',
      };
    case 'notice-delivered':
      return {
        text: `${name} told: ${told.channel ?? ''} has taken the signed message "${newsOf(told)}"`,
        colour: 'cyan',
      };
    case 'acknowledged':
      return {
        text: `${name} acknowledged: ${told.consumer ?? ''} uses version ${short(told.version)} and no other`,
        colour: 'cyan',
      };
    case 'retired':
      return {
        text: `${name} retired ${retiredWhy(told)}: the old credential (${told.logins ?? ''}) is dead, its version disabled`,
        colour: 'green',
      };
    case 'rotation-failed':
      return { text: `${name} failed: ${told.code ?? ''}`, colour: 'red' };
    default:
      return { text: '' };
  }
}

/** The id of a message is that of its rotation, with the kind of news behind it unless it is the first. */
function newsOf({ noticeId = '' }: Told): string {
  return noticeId.split('-')[1] ?? 'rotated';
}

function retiredWhy({ evidence }: Told): string {
  return evidence === 'free' ? 'early, as everybody has acknowledged' : 'at its deadline';
}

export function short(version: string | undefined): string {
  return (version ?? '').slice(0, 8);
}
