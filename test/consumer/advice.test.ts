/** What npm would publish of the project itself, and what pages tell people to install. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { projectFiles, root } from '../tidy/files.ts';

it('the root package packs the built app and nothing of its sources, tests or pages', { timeout: 60_000 }, async () => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  const [packed] = z.array(z.object({ files: z.array(z.object({ path: z.string() })) })).parse(JSON.parse(stdout));
  const paths = packed?.files.map(({ path }) => path) ?? [];
  expect(paths).toContain('package.json');
  // npm adds the files of "bin" to whatever is listed.
  const meant = (path: string) =>
    path.startsWith('dist/') || ['package.json', 'README.md', 'LICENSE', 'cli/keyturn.js'].includes(path);
  expect(paths.filter((path) => !meant(path))).toEqual([]);
});

it('no page tells people to install a name that nobody has claimed in a registry', () => {
  const pages = projectFiles().filter(({ path }) => path.endsWith('.md'));
  expect(pages.length).toBeGreaterThan(100);
  const advice =
    /\b(?:npm (?:install|i|add)|npx -p|yarn add|pnpm add)(?: -\S+)* (?:@keyturn\/consumer|keyturn)(?:@\S+)?(?=[\s`]|$)/m;
  expect(pages.filter(({ text }) => advice.test(text)).map(({ path }) => path)).toEqual([]);
});
