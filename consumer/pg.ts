/** `@keyturn/consumer/pg`: the pool for `pg`. Apart from the rest, so that its types need this driver alone. */
export { type PgModule, type RotatingPgPool, type RotatingPgPoolOptions, rotatingPgPool } from './pools/postgres.ts';
