/** What discovery tells of one thing that holds or is a secret. Nothing in it is of a value. */

/** From the one that needs a person most. */
export const risks = ['expired', 'soon', 'no-expiry', 'shared', 'in-no-vault', 'old', 'odd'] as const;
export type Risk = (typeof risks)[number];

export type What = 'secret' | 'key' | 'certificate' | 'application' | 'resource';

export interface Finding {
  readonly what: What;
  /** The vault, for what is in one. */
  readonly vault?: string;
  readonly name: string;
  /** What it is probably for, in a few words, and how that is known. */
  readonly kind: string;
  readonly because?: string;
  /** The rotator that fits. */
  readonly rotator?: string;
  /** Who renews it: Keyturn, a policy, an issuer, a person, nobody. */
  readonly renewedBy: string;
  readonly expiresAt?: string;
  readonly createdAt?: string;
  readonly risks: readonly Risk[];
  /** What else a person should know, as sentences. */
  readonly notes: readonly string[];
}

/** What could not be looked at, and why; the rest goes on. */
export interface Blind {
  readonly what: string;
  readonly why: string;
  /** A line to paste, where one helps. */
  readonly fix?: string;
}

const soonMs = 30 * 86_400_000;
const oldMs = 365 * 86_400_000;

/** The risks that times alone show. Pure. */
export function risksOfTimes(
  { expiresAt, createdAt }: Pick<Finding, 'expiresAt' | 'createdAt'>,
  now: Date,
): readonly Risk[] {
  const left = expiresAt === undefined ? undefined : Date.parse(expiresAt) - now.getTime();
  const age = createdAt === undefined ? 0 : now.getTime() - Date.parse(createdAt);
  return [
    ...(left === undefined
      ? ['no-expiry' as const]
      : left <= 0
        ? ['expired' as const]
        : left <= soonMs
          ? ['soon' as const]
          : []),
    ...(age > oldMs ? ['old' as const] : []),
  ];
}

/** Most urgent first; what Keyturn looks after comes after what nobody does. Pure. */
export function byRisk(findings: readonly Finding[]): readonly Finding[] {
  const rank = ({ risks: own }: Finding): number => Math.min(...own.map((risk) => risks.indexOf(risk)), risks.length);
  const cared = ({ renewedBy }: Finding): number => (renewedBy === 'nobody' ? 0 : 1);
  const key = ({ vault = '', name }: Finding): string => `${vault}/${name}`;
  return [...findings].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      cared(a) - cared(b) ||
      (a.expiresAt ?? '9').localeCompare(b.expiresAt ?? '9') ||
      key(a).localeCompare(key(b)),
  );
}
