/** One thing that was looked at in a deployment. */
export interface Finding {
  readonly name: string;
  /** `unknown`: it could not be looked at, mostly for want of a right. */
  readonly state: 'passed' | 'failed' | 'unknown';
  readonly detail: string;
  /** A line to paste, where it did not pass. */
  readonly fix?: string;
}

export const passed = (name: string, detail: string): Finding => ({ name, state: 'passed', detail });
export const failed = (name: string, detail: string, fix: string): Finding => ({ name, state: 'failed', detail, fix });
export const unknown = (name: string, detail: string, fix: string): Finding => ({
  name,
  state: 'unknown',
  detail,
  fix,
});
