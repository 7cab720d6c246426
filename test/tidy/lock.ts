import * as z from 'zod';

const lockFile = z.object({
  packages: z.record(z.string(), z.object({ optionalDependencies: z.record(z.string(), z.string()).optional() })),
});

/**
 * Packages of other platforms that the lock file leaves out. npm writes it so when the registry does not serve them, and then `npm ci`
 * refuses the file, and a colleague on another platform gets no compiler.
 */
export function missingFromLock(json: unknown): readonly string[] {
  const { packages } = lockFile.parse(json);
  // Node looks in the folder of the package itself, then in each folder above it.
  const folders = (path: string): string[] =>
    path === '' ? [''] : [`${path}/`, ...folders(path.slice(0, Math.max(0, path.lastIndexOf('/node_modules/'))))];
  const isThere = (from: string, name: string) =>
    folders(from).some((folder) => packages[`${folder}node_modules/${name}`] !== undefined);
  return Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isThere(path, name)),
  );
}
