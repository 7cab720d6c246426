/** Puts the dashboard together: files whose names change with their content, so that a browser keeps them for good, and the page that names them. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';

const source = fileURLToPath(new URL('../dashboard', import.meta.url));

/** Builds into `folder`, below the app's own. `root`: of the project, which paths in the result are relative to. Rejects with esbuild's messages. */
export async function buildDashboard(root: string, folder: string): Promise<Metafile> {
  await mkdir(folder, { recursive: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { app: join(source, 'main.tsx'), style: join(source, 'style.css'), icon: join(source, 'icon.svg') },
    outdir: join(folder, 'assets'),
    entryNames: '[name]-[hash]',
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome120', 'firefox121', 'safari17.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    tsconfig: join(source, 'tsconfig.json'),
    loader: { '.svg': 'copy' },
    minify: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const names = Object.keys(metafile.outputs).map((path) => basename(path));
  const named = (pattern: RegExp) => `/assets/${names.find((name) => pattern.test(name)) ?? ''}`;
  const page = await readFile(join(source, 'index.html'), 'utf8');
  const whole = page
    .replace('SCRIPT_FILE', named(/^app-.*\.js$/))
    .replace('STYLE_FILE', named(/^style-.*\.css$/))
    .replace('ICON_FILE', named(/^icon-.*\.svg$/));
  await writeFile(join(folder, 'index.html'), whole);
  return metafile;
}
