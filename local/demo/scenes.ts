import { keyScenes } from './key-scenes.ts';
import { mariadbScene } from './mariadb-scene.ts';
import { postgresScenes } from './postgres-scenes.ts';
import { redisClusterScene, redisScene } from './redis-scenes.ts';
import type { Scene } from './scene.ts';
import { sqlServerScene } from './sql-server-scene.ts';

/** One secret for every kind of target that Keyturn knows. */
export function allScenes(): readonly Scene[] {
  return [...postgresScenes(), sqlServerScene(), mariadbScene(), redisScene(), redisClusterScene(), ...keyScenes()];
}
