/** A disk that is full, and memory that is used up, pass: the next attempt comes by itself, and nobody is asked to do anything about a login. */
import { DatabaseError } from 'pg';
import { expect, test } from 'vitest';
import { faultOf as mysqlFault } from '../../rotators/mysql/fault.ts';
import { faultOf as postgresFault } from '../../rotators/postgres/fault.ts';
import { faultOfReply } from '../../rotators/redis/fault.ts';
import { faultOf as sqlServerFault } from '../../rotators/sql-server/fault.ts';

const { signal } = new AbortController();

// Appendix A, class 53: https://www.postgresql.org/docs/current/errcodes-appendix.html
test.each(['53000', '53100', '53200', '53300'])('postgres: SQLSTATE %s is "not now"', (code) => {
  const said = Object.assign(new DatabaseError('no room', 7, 'error'), { code });
  expect(postgresFault(said, []).kind).toBe('busy');
});

// ER_DISK_FULL, ER_OUTOFMEMORY, ER_OUT_OF_SORTMEMORY, ER_OUT_OF_RESOURCES, ER_RECORD_FILE_FULL:
// https://dev.mysql.com/doc/mysql-errors/9.4/en/server-error-reference.html
test.each([1021, 1037, 1038, 1041, 1114])('mysql: error %i is "not now"', (errno) => {
  const said = Object.assign(new Error('no room'), { errno, sqlState: 'HY000' });
  expect(mysqlFault('db:3306', said, 'statement', [], false).fault).toBe('busy');
});

// https://learn.microsoft.com/sql/relational-databases/errors-events/mssqlserver-1105-database-engine-error
test.each([701, 1101, 1105, 9002])('sql-server: error %i is "not now"', (number) => {
  const said = Object.assign(new Error('no room'), { code: 'EREQUEST', number });
  expect(sqlServerFault(said, []).kind).toBe('busy');
});

test.each(['MISCONF Redis is configured to save RDB snapshots', 'OOM command not allowed'])(
  'redis: "%s" is "not now"',
  (text) => {
    const error = Object.assign(new Error(text), { name: 'ReplyError' });
    const args = ['SETUSER', 'orders'];
    const said = faultOfReply({ node: 'db:6379', command: 'ACL', args, error, broken: undefined, signal, secrets: [] });
    expect(said.fault).toBe('busy');
  },
);
