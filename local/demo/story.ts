/** What happens, told while it happens. */
import type { LogRecord } from '../functions-host/index.ts';
import { type Colour, hanging, paint } from '../lines.ts';
import { type Told, toldBy, wordsFor } from '../log-words.ts';

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
    const told = toldBy(record);
    if (told === undefined) return;
    this.told.push(told);
    const { text, colour } = wordsFor(told, this.#steps);
    if (text !== '') this.tell(told.secret ?? '', text, colour);
  }
}
