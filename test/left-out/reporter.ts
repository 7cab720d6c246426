import type { Reporter } from 'vitest/node';
import { lastLines, type Plan } from './plan.ts';

/** Ends a run with what it left out. The last of the reporters, so that its lines come last. */
export class LeftOutReporter implements Reporter {
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  onTestRunEnd(): void {
    for (const line of lastLines(this.#plan)) console.log(line);
  }
}
