import type { CurrentSecret, WatchedSecret } from '../watch-secret.ts';
import type { Opened } from './generation.ts';

/** What the swap must know of a driver. */
export interface PoolDriver<Pool> {
  /** Makes a pool; it need not connect. `trouble`: where errors of idle connections go, which would end the process otherwise. */
  open(current: CurrentSecret, trouble: (error: unknown) => void): Promise<Opened<Pool>>;
  /** Logs in by a new connection and makes a round trip. */
  prove(pool: Pool): Promise<void>;
  /** Ends a pool. Work is left on it only when nobody waits any longer: it is cut then, as far as the driver can. */
  close(pool: Pool, workLeft: boolean): Promise<void>;
  /** Whether an error of connecting says that the target refused the credential. */
  isRefusal(error: unknown): boolean;
}

export interface RotatingPoolOptions {
  /** The secret the pool is made from, of `watchSecret`. */
  readonly secret: WatchedSecret;
  /** How long the proof of a new pool may take, in ms. Default 15,000. */
  readonly proveTimeoutMs?: number;
  /** After how long `onError` is told that old work still holds old connections, and how often from then on, in ms. Default 60,000. */
  readonly drainNoticeMs?: number;
  /** How long `close` waits for the work under way before it closes the connections under it, in ms. Default 30,000. */
  readonly closeTimeoutMs?: number;
}
