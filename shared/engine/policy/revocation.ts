/** Who asked, and when: what a tag says of a person, in few characters and without free text. */

/** The end of a credential in an emergency. */
export interface Revocation {
  /** The id of whoever asked, `key:NAME` or `entra:OBJECT-ID`; empty where a tag had no room for it. */
  readonly by: string;
  /** To a second. */
  readonly at: Date;
}

/** `entra:` and an object id. A longer name is cut: it is for people, and nothing is decided by it. */
const longestActor = 42;

/** The id of whoever asked, in letters that need no escape in any tag. */
export function actorId(requestedBy: string): string {
  return requestedBy.replaceAll(/[^\w.:@-]/g, '_').slice(0, longestActor);
}

/** ISO 8601 to a second. */
export function timeText(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** `WHEN,WHO`. */
export function revocationText({ by, at }: Revocation): string {
  return `${timeText(at)},${actorId(by)}`;
}

/** Undefined where the text is none. */
export function readRevocation(text: string): Revocation | undefined {
  const comma = text.indexOf(',');
  const at = new Date(comma < 0 ? text : text.slice(0, comma));
  return Number.isNaN(at.getTime()) ? undefined : { by: comma < 0 ? '' : actorId(text.slice(comma + 1)), at };
}
