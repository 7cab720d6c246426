/**
 * `npm run compile:infra`: formats the templates, compiles infra/main.json and infra/button.json, and writes down what they would deploy
 * (test/infra/*.snapshot.json). All of that is kept with the sources, so that a change of a template shows what it changes.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bicep } from './index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** A subscription and a tenant that nobody has. */
const ids = '--subscription-id 33333333-3333-3333-3333-333333333333 --tenant-id 44444444-4444-4444-4444-444444444444';

const calls = [
  ['format', '--pattern', join(root, 'infra', '**/*.bicep')],
  ['format', join(root, 'infra', 'main.bicepparam')],
  ...['main', 'button'].map((name) => ['build', join(root, 'infra', `${name}.bicep`)]),
  ...['open', 'closed'].map((name) => [
    ...['snapshot', join(root, 'test', 'infra', `${name}.bicepparam`), '--mode', 'overwrite'],
    ...ids.split(' '),
  ]),
];
for (const args of calls) {
  const { errors } = await bicep(...args);
  if (errors !== '') console.error(errors);
}
console.log('infra/main.json, infra/button.json and test/infra/*.snapshot.json are written');
