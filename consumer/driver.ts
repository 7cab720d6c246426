import { ConsumerError } from './errors.ts';

/** Loads a driver. Rejects with a `ConsumerError` that names the package where it is not installed. */
export async function installed<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    throw new ConsumerError('options', `the package ${name} is not installed; run: npm install ${name}`, error);
  }
}

/** Node names the package in its message alone. Something that the driver itself lacks is another error, and stays as it is. */
function isMissing(error: unknown, name: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    error.code === 'ERR_MODULE_NOT_FOUND' &&
    error.message.includes(`'${name}'`)
  );
}
