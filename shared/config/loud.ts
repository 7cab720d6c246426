/** Environment variables that make libraries print what they send: passwords of Redis, headers with keys, whole requests. */

/**
 * Read by the package `debug`, which ioredis brings along, when it is loaded: ioredis prints each command with its arguments, AUTH included.
 * Read as well by the logger of Azure's libraries, under the names that begin with `azure`.
 */
const readByLibraries = ['DEBUG'] as const;

/** Takes them out of the environment. Called before anything is loaded that reads them. Gives back the names of those that were set. */
export function removeLoud(environment: Record<string, string | undefined>): readonly string[] {
  const found = readByLibraries.filter((name) => (environment[name] ?? '') !== '');
  for (const name of readByLibraries) delete environment[name];
  return found;
}
