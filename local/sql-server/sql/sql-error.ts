/** An error as SQL Server numbers them (sys.messages). `severity` 20 and more ends the session. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  readonly number: number;
  readonly state: number;
  readonly severity: number;
  /** Whether the rest of the batch is skipped even without XACT_ABORT. */
  readonly endsBatch: boolean;

  constructor(number: number, message: string, about: { state?: number; severity?: number; endsBatch?: boolean } = {}) {
    super(message);
    this.number = number;
    this.state = about.state ?? 1;
    this.severity = about.severity ?? 16;
    this.endsBatch = about.endsBatch ?? false;
  }
}

export const sqlErrors = {
  syntax: (near: string) => new SqlError(102, `Incorrect syntax near '${near}'.`, { severity: 15, endsBatch: true }),
  unclosedString: (rest: string) =>
    new SqlError(105, `Unclosed quotation mark after the character string '${rest}'.`, {
      severity: 15,
      endsBatch: true,
    }),
  identifierTooLong: (start: string) =>
    new SqlError(103, `The identifier that starts with '${start}' is too long. Maximum length is 128.`, {
      severity: 15,
      state: 4,
      endsBatch: true,
    }),
  undeclared: (name: string) =>
    new SqlError(137, `Must declare the scalar variable "${name}".`, { severity: 15, endsBatch: true }),
  unknownFunction: (name: string) =>
    new SqlError(195, `'${name}' is not a recognized built-in function name.`, { severity: 15, endsBatch: true }),
  unknownColumn: (name: string) => new SqlError(207, `Invalid column name '${name}'.`, { endsBatch: true }),
  unknownObject: (name: string) => new SqlError(208, `Invalid object name '${name}'.`, { endsBatch: true }),
  objectDenied: (permission: string, object: string, database: string, schema: string) =>
    new SqlError(
      229,
      `The ${permission} permission was denied on the object '${object}', database '${database}', schema '${schema}'.`,
      { severity: 14, state: 5 },
    ),
  permissionDenied: () => new SqlError(15247, 'User does not have permission to perform this action.'),
  serverStateDenied: (permission: string) =>
    new SqlError(300, `${permission} permission was denied on object 'server', database 'master'.`, { severity: 14 }),
  databaseStateDenied: (database: string) =>
    new SqlError(262, `VIEW DATABASE STATE permission denied in database '${database}'.`, { severity: 14 }),
  databaseUnknown: (name: string) =>
    new SqlError(911, `Database '${name}' does not exist. Make sure that the name is entered correctly.`, {
      endsBatch: true,
    }),
  databaseDenied: (login: string, database: string) =>
    new SqlError(
      916,
      `The server principal "${login}" is not able to access the database "${database}" under the current security context.`,
      { severity: 14, endsBatch: true },
    ),
  loginFailed: (login: string, state: number) =>
    new SqlError(18456, `Login failed for user '${login}'.`, { severity: 14, state }),
  lockedOut: (login: string) =>
    new SqlError(
      18486,
      `Login failed for user '${login}' because the account is currently locked out. The system administrator can unlock it.`,
      { severity: 14 },
    ),
  passwordExpired: (login: string) =>
    new SqlError(18487, `Login failed for user '${login}'. Reason: The password of the account has expired.`, {
      severity: 14,
    }),
  mustChangePassword: (login: string) =>
    new SqlError(18488, `Login failed for user '${login}'. Reason: The password of the account must be changed.`, {
      severity: 14,
    }),
  loginDisabled: (login: string) =>
    new SqlError(18470, `Login failed for user '${login}'. Reason: The account is disabled.`, { severity: 14 }),
  databaseNotOpened: (database: string) =>
    new SqlError(4060, `Cannot open database "${database}" requested by the login. The login failed.`, {
      severity: 11,
    }),
  defaultDatabaseNotOpened: () =>
    new SqlError(4064, 'Cannot open user default database. Login failed.', { severity: 11 }),
  databasePaused: (database: string) =>
    new SqlError(
      40613,
      `Database '${database}' on server 'standin' is not currently available. Please retry the connection later.`,
      { severity: 17 },
    ),
  databaseReadOnly: (database: string) =>
    new SqlError(3906, `Failed to update database "${database}" because the database is read-only.`, {
      endsBatch: true,
    }),
  notAlone: (statement: string) =>
    new SqlError(40530, `The ${statement} statement must be the only statement in the batch.`, { endsBatch: true }),
  notOnAzure: (option: string) =>
    new SqlError(40517, `Keyword or statement option '${option}' is not supported in this version of SQL Server.`, {
      endsBatch: true,
    }),
  incompatible: () => new SqlError(402, 'The data types are incompatible in the operator.', { endsBatch: true }),
  unknownProcedure: (name: string) => new SqlError(2812, `Could not find stored procedure '${name}'.`, { state: 62 }),
  unknownHandle: (handle: number) =>
    new SqlError(8179, `Could not find prepared statement with handle ${handle}.`, { state: 8 }),
  unknownRequest: (type: number) =>
    new SqlError(
      4002,
      `The incoming tabular data stream (TDS) protocol stream is incorrect. Request type ${type} is not known here.`,
    ),
  cannotAlter: (verb: string, what: string, name: string) =>
    new SqlError(
      15151,
      `Cannot ${verb} the ${what} '${name}', because it does not exist or you do not have permission.`,
    ),
  notFound: (what: string, name: string) =>
    new SqlError(15151, `Cannot find the ${what} '${name}', because it does not exist or you do not have permission.`),
  principalExists: (name: string) => new SqlError(15025, `The server principal '${name}' already exists.`),
  userExists: (name: string) =>
    new SqlError(15023, `User, group, or role '${name}' already exists in the current database.`, { severity: 16 }),
  loginHasUser: () => new SqlError(15063, 'The login already has an account under a different user name.'),
  notALogin: (name: string) => new SqlError(15007, `'${name}' is not a valid login or you do not have permission.`),
  oldPasswordWrong: () =>
    new SqlError(15211, 'Old (current) password incorrect for user. The password has not been changed.'),
  passwordTooShort: () =>
    new SqlError(
      15116,
      'Password validation failed. The password does not meet the operating system policy requirements because it is too short.',
    ),
  passwordTooSimple: () =>
    new SqlError(
      15118,
      'Password validation failed. The password does not meet the operating system policy requirements because it is not complex enough.',
    ),
  mustChangeUnchecked: () => new SqlError(15099, 'The MUST_CHANGE option cannot be used when CHECK_EXPIRATION is OFF.'),
  notContained: () => new SqlError(33233, 'You can only create a user with a password in a contained database.'),
  lockTimeout: () => new SqlError(1222, 'Lock request time out period exceeded.', { state: 56 }),
  sessionUnknown: (id: number) => new SqlError(6106, `Process ID ${id} is not an active process ID.`),
  killSelf: () => new SqlError(6104, 'Cannot use KILL to kill your own process.'),
  killDenied: () => new SqlError(6102, 'User does not have permission to use the KILL statement.', { severity: 14 }),
  useUnsupported: () =>
    new SqlError(
      40508,
      'USE statement is not supported to switch between databases. Use a new connection to connect to a different database.',
      { endsBatch: true },
    ),
  masterOnly: () => new SqlError(5001, 'User must be in the master database.'),
  noTransaction: (verb: string) => new SqlError(3902, `The ${verb} request has no corresponding BEGIN TRANSACTION.`),
};
