import type { RotatorEntry } from '../shared/contract/rotator.ts';
import { azureKeys } from './azure-keys/entry.ts';
import { entraApp } from './entra-app/entry.ts';
import { httpKeys } from './http-keys/entry.ts';
import { manual } from './manual/entry.ts';
import { mysql } from './mysql/entry.ts';
import { postgres } from './postgres/entry.ts';
import { redis } from './redis/entry.ts';
import { selfIssued } from './self-issued/entry.ts';
import { sqlServer } from './sql-server/entry.ts';

/** Every kind of target Keyturn knows. Drivers are loaded by an entry only when a secret needs them. */
export const rotators: readonly RotatorEntry[] = [
  azureKeys,
  entraApp,
  httpKeys,
  manual,
  mysql,
  postgres,
  redis,
  selfIssued,
  sqlServer,
];
