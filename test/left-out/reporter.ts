import { writeFileSync } from 'node:fs';
import type { Reporter } from 'vitest/node';
import { lastLines, type Plan } from './plan.ts';

/**
 * Ends a run with what it left out. The last of the reporters, so that its lines come last. `list`: where the names of the files are written
 * too, a line each.
 */
export class LeftOutReporter implements Reporter {
  readonly #plan: Plan;

  readonly #list: string | undefined;

  constructor(plan: Plan, list: string | undefined) {
    this.#plan = plan;
    this.#list = list;
  }

  onTestRunEnd(): void {
    for (const line of lastLines(this.#plan)) console.log(line);
    if (this.#list !== undefined) writeFileSync(this.#list, `${[...this.#plan.lacking.keys()].join('\n')}\n`);
  }
}
