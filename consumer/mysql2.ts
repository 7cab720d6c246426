/** `@keyturn/consumer/mysql2`: the pool for `mysql2/promise`. Apart from the rest, so that its types need this driver alone. */
export {
  type MysqlExecuteValues,
  type MysqlModule,
  type MysqlQueryValues,
  type RotatingMysqlPool,
  type RotatingMysqlPoolOptions,
  rotatingMysqlPool,
} from './pools/mysql.ts';
