import type { RotatorEntry } from '../shared/contract/rotator.ts';
import { apiKey } from './api-key/entry.ts';
import { mysql } from './mysql/entry.ts';
import { postgres } from './postgres/entry.ts';
import { redis } from './redis/entry.ts';
import { sqlServer } from './sql-server/entry.ts';

/** Every kind of target Keyturn knows. Drivers are loaded by an entry only when a secret needs them. */
export const rotators: readonly RotatorEntry[] = [apiKey, mysql, postgres, redis, sqlServer];
