/** Keys and levels. Source: AuthenticationLevelHandler and AuthorizationOptionsExtensions of Azure/azure-functions-host. */
import type { IncomingMessage } from 'node:http';
import { functionKey } from '../keys.ts';
import type { FunctionKeys } from '../messages.ts';

export type Level = 'anonymous' | 'function' | 'system' | 'admin';

/** The level a request's key gives it. `functionName` is the http function it is for, if any. */
export function levelOf(
  request: IncomingMessage,
  query: URLSearchParams,
  keys: FunctionKeys,
  functionName?: string,
): Level {
  const header = request.headers['x-functions-key'];
  // The header decides alone when it is there, even when it is wrong or empty.
  const key = header === undefined ? query.get('code') : Array.isArray(header) ? header[0] : header;
  if (key === null || key === undefined || key === '') return 'anonymous';
  if (key === keys.master) return 'admin';
  if (key === keys.system) return 'system';
  if (key === keys.host) return 'function';
  if (functionName !== undefined && key === functionKey(keys, functionName)) return 'function';
  return 'anonymous';
}

/** Levels must match exactly: a system key opens no function. The master key opens everything. */
export function permits(level: Level, required: Level): boolean {
  return required === 'anonymous' || level === 'admin' || level === required;
}
