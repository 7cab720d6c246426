/** A fresh process that loads one built app as the worker does, and prints how long that took in ms and how many functions there are. */
import { provideCoreModule } from '../../local/functions-host/instance/core-module.ts';
import { loadApp } from '../../local/functions-host/instance/load-app.ts';

const registry = provideCoreModule(() => undefined);
const started = performance.now();
await loadApp(process.argv[2] ?? '');
const ms = performance.now() - started;
console.log(JSON.stringify({ ms, functions: registry.functions.size }));
