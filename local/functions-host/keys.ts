/** The keys of a local app. Those not given are made, each start anew. */
import { createHmac, randomBytes } from 'node:crypto';
import type { FunctionKeys, FunctionSummary } from './messages.ts';

export type KnownKeys = Partial<Pick<FunctionKeys, 'master' | 'system' | 'host' | 'functions'>>;

export function makeKeys(known: KnownKeys = {}): FunctionKeys {
  const key = () => randomBytes(40).toString('base64url');
  return {
    master: known.master ?? key(),
    system: known.system ?? key(),
    host: known.host ?? key(),
    functions: { ...known.functions },
  };
}

/**
 * The key of one function. Derived when none was given: an app's functions are known only when it has been loaded, by each instance
 * for itself, and all of them must take the same key.
 */
export function functionKey(keys: FunctionKeys, functionName: string): string {
  const given = Object.hasOwn(keys.functions, functionName) ? keys.functions[functionName] : undefined;
  return given ?? createHmac('sha256', keys.master).update(functionName).digest('base64url');
}

/** The keys with one for every http function, as they are shown to people. */
export function withFunctionKeys(keys: FunctionKeys, functions: readonly FunctionSummary[]): FunctionKeys {
  const http = functions.filter(({ trigger }) => trigger === 'httpTrigger');
  return { ...keys, functions: Object.fromEntries(http.map(({ name }) => [name, functionKey(keys, name)])) };
}
