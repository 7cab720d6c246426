/** `@keyturn/consumer/mssql`: the pool for `mssql`. Apart from the rest, so that its types need this driver alone. */
export {
  type MssqlModule,
  type MssqlTransaction,
  type RotatingMssqlPool,
  type RotatingMssqlPoolOptions,
  rotatingMssqlPool,
} from './pools/sql-server.ts';
export type { MssqlRequest } from './pools/sql-server-request.ts';
