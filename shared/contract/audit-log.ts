/** The vault's own log of who did what, where the app may read it. */

export interface MadeVersion {
  readonly vault: string;
  readonly secret: string;
  readonly version: string;
  readonly createdAt: Date;
}

export type WriterOutcome =
  /** `who`: a name for people, with the address it came from. Of a person or an application, and nothing secret. */
  | { readonly kind: 'writer'; readonly who: string }
  /** The log does not hold it, yet or any more. */
  | { readonly kind: 'unknown' }
  /** The log could not be read. */
  | { readonly kind: 'unread'; readonly detail: string };

export interface AuditLog {
  /** Who made a version. Never throws, and answers within a few seconds: whoever asks waits to tell people of it. */
  writerOf(made: MadeVersion, signal: AbortSignal): Promise<WriterOutcome>;
}
