/**
 * An Azure Key Vault on this machine: the secrets API as Microsoft's clients use it, with a movable clock, faults on demand and events.
 *
 * One emulator is one vault, for http and https on one port; start several for several vaults, with one clock for all where wanted.
 *
 *     const vault = await startVaultEmulator({ name: 'local' });
 *     const client = new SecretClient(vault.url, credential, { allowInsecureConnection: true, disableChallengeResourceVerification: true });
 *     vault.onEvent((event) => console.log(event.eventType, event.subject));
 *     vault.faults.add({ match: { operation: 'set' }, when: { calls: [2] }, effect: { kind: 'cut', stage: 'after' } });
 *     vault.clock.advance(60 * 86_400_000);
 *     await vault.close();
 *
 * Another process does the same at the addresses under `/_emulator/` (admin.ts). All of it: docs/emulator.md.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Certificates, makeCertificates } from '../certificates.ts';
import { adminPrefix, createAdmin } from './admin.ts';
import { internalError } from './errors.ts';
import { LocalVault, type VaultOptions } from './local-vault.ts';
import { openPort } from './port.ts';
import { answerVault, send } from './request.ts';

export type { Certificates } from '../certificates.ts';
export type { Call, CallCounts } from './calls.ts';
export type { Clock } from './clock.ts';
export { createClock } from './clock.ts';
export type { VaultEvent, VaultEventData, VaultEventListener, VaultEventType } from './events.ts';
export { vaultEventTypes } from './events.ts';
export type { Fault, FaultRule } from './faults.ts';
export { type LimitOptions, Limits, subscriptionLimits } from './limits.ts';
export type { PolicyOptions } from './policies.ts';
export type { Operation } from './route.ts';

export interface VaultEmulatorOptions extends VaultOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** The only bearer tokens that are accepted. Default: any that is not empty. */
  readonly tokens?: readonly string[];
  /** How often expiry is looked at while the clock runs on by itself, in ms. Default 250. */
  readonly tickMs?: number;
  /** Default: made anew for `127.0.0.1`, `localhost` and the vault's name at Azure. */
  readonly certificates?: Certificates;
  /** Where an error of the emulator itself is told. Default: the standard error stream. */
  readonly onBug?: (error: unknown) => void;
}

interface Opened {
  readonly port: number;
  /** `http://127.0.0.1:PORT`. Clients want `allowInsecureConnection` and `disableChallengeResourceVerification` with it. */
  readonly url: string;
  /** `https://127.0.0.1:PORT`. Clients want `tlsOptions: {ca: certificate}` and `disableChallengeResourceVerification` with it. */
  readonly httpsUrl: string;
  /** PEM of the authority that signed the certificate of the https address. */
  readonly certificate: string;
  /** Ends the port and every connection, and stops looking at expiry. May be called again. */
  close(): Promise<void>;
}

export type VaultEmulator = LocalVault & Opened;

/** Rejects with the system's error (EADDRINUSE) when the port is taken, with a RangeError when an option is wrong. */
export async function startVaultEmulator(options: VaultEmulatorOptions = {}): Promise<VaultEmulator> {
  const hosts = ['127.0.0.1', 'localhost', `${options.name ?? 'local'}.vault.azure.net`];
  const certificates = options.certificates ?? (await makeCertificates({ hosts }));
  const open = await openPort(options.port ?? 0, certificates);
  const url = `http://127.0.0.1:${open.port}`;
  let vault: LocalVault;
  try {
    vault = new LocalVault(options, url);
  } catch (error) {
    await open.close();
    throw error;
  }

  const closing = new AbortController();
  open.serve(answerer(vault, options, closing.signal));
  const evaluate = () => vault.evaluate();
  const stopWatching = vault.clock.onMove(evaluate);
  const tick = setInterval(evaluate, options.tickMs ?? 250);
  tick.unref();
  return Object.assign(vault, {
    port: open.port,
    url,
    httpsUrl: `https://127.0.0.1:${open.port}`,
    certificate: certificates.ca,
    close: () => {
      clearInterval(tick);
      stopWatching();
      closing.abort();
      return open.close();
    },
  });
}

function answerer(vault: LocalVault, options: VaultEmulatorOptions, closing: AbortSignal) {
  const tokens = options.tokens === undefined ? undefined : new Set(options.tokens);
  const gate = {
    vault,
    closing,
    accepts: (token: string) => tokens?.has(token) ?? true,
  };
  const admin = createAdmin(vault);
  const onBug = options.onBug ?? ((error: unknown) => console.error('Vault emulator:', error));
  return (request: IncomingMessage, response: ServerResponse): void => {
    const answered = request.url?.startsWith(adminPrefix)
      ? admin(request, response)
      : answerVault(gate, request, response);
    answered.catch((error: unknown) => {
      onBug(error);
      if (!response.headersSent) send(vault.clock, request, response, internalError());
    });
  };
}
