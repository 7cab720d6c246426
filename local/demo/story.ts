/** What happens, told while it happens. */
import * as z from 'zod';
import type { LogRecord } from '../functions-host/index.ts';
import { type Colour, hanging, paint } from './lines.ts';

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

/** Width of the names of secrets, with the space behind them. */
const nameWidth = 16;

/** Prints for people; says nothing where a machine reads. Colours only on a terminal that shows them. */
export class Story {
  readonly told: Told[] = [];
  readonly #quiet: boolean;
  readonly #steps: boolean;
  readonly #startedMs = performance.now();

  constructor({ quiet, steps }: { readonly quiet: boolean; readonly steps: boolean }) {
    this.#quiet = quiet;
    this.#steps = steps;
  }

  say(text: string, colour: Colour = 'reset'): void {
    this.tell('', text, colour);
  }

  /** About one secret: what follows its name stays in a column of its own. */
  tell(secret: string, text: string, colour: Colour = 'reset'): void {
    const seconds = `${((performance.now() - this.#startedMs) / 1000).toFixed(1).padStart(5)} s  `;
    for (const line of hanging(seconds + (secret === '' ? '' : secret.padEnd(nameWidth)), text))
      this.print(paint('dim', line.slice(0, seconds.length)) + paint(colour, line.slice(seconds.length)));
  }

  heading(text: string): void {
    this.print(`\n${paint('bold', text)}`);
  }

  print(line: string, colour: Colour = 'reset'): void {
    if (!this.#quiet) console.log(paint(colour, line));
  }

  /** A line of the app's log. */
  hear(record: LogRecord): void {
    if (record.category !== 'user') return;
    const parsed = line.safeParse(JSON.parse(record.message));
    if (!parsed.success) return;
    this.told.push(parsed.data);
    const { text, colour } = wordsFor(parsed.data, this.#steps);
    if (text !== '') this.tell(parsed.data.secret ?? '', text, colour);
  }
}

function wordsFor(told: Told, steps: boolean): { readonly text: string; readonly colour?: Colour } {
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
