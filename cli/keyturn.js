#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the rest does not fail on its first type: it hands over to the project's own, or says so.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const own = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

if (major > 22 || (major === 22 && minor >= 18)) {
  const { main } = await import('./main.ts');
  await main();
} else if (existsSync(own)) {
  // Ctrl-C reaches both; the one that works says what it means.
  process.on('SIGINT', () => undefined);
  const { status } = spawnSync(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else {
  console.error(`keyturn takes Node 22.18 or later, and this is ${process.versions.node}: run "npm ci" in its folder.`);
  process.exitCode = 2;
}
