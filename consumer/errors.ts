/**
 * What can go wrong between a consumer, its vault, its target and Keyturn. `options`: the call itself is wrong. `vault-unavailable`:
 * no answer, throttled or an outage; tried again. `vault-refused`: no permission, or the secret is missing or disabled; tried again,
 * because people mend it. `value-unreadable`: the value is no connection. `pool-unproven`: the new credential could not be proven, the
 * old pool stays. `connection-lost`: an idle connection ended. `drain-slow`: work still holds connections of the old credential.
 * `acknowledgement-failed`: Keyturn did not take the acknowledgement; tried again. `listener-failed`: a listener of `change` threw.
 * `unsupported`: the driver's call cannot be made on something that swaps its connections. `closed`: used after `close()`.
 */
export type ConsumerErrorCode =
  | 'options'
  | 'vault-unavailable'
  | 'vault-refused'
  | 'value-unreadable'
  | 'pool-unproven'
  | 'connection-lost'
  | 'drain-slow'
  | 'acknowledgement-failed'
  | 'listener-failed'
  | 'unsupported'
  | 'closed';

/** Every error of this client. Its message and its cause never hold a secret value. */
export class ConsumerError extends Error {
  readonly code: ConsumerErrorCode;

  constructor(code: ConsumerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ConsumerError';
    this.code = code;
  }
}

/** Where problems of the background are told. It must not throw; what it throws becomes a warning of the process. */
export type OnError = (error: ConsumerError) => void;

/** Tells a problem, by default as a warning of the process: what nobody listens to must still be seen. */
export function reporter(onError: OnError | undefined): OnError {
  return (error) => {
    if (onError === undefined) return process.emitWarning(error.message, { type: 'KeyturnWarning', code: error.code });
    try {
      onError(error);
    } catch {
      process.emitWarning(`onError threw while it was told: ${error.message}`, { type: 'KeyturnWarning' });
    }
  };
}
