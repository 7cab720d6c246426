/** What the stand-in understands of Transact-SQL: exactly this, and anything else is error 102. */
import type { securableClasses } from '../state.ts';

export type Expression =
  | { readonly kind: 'literal'; readonly value: Value }
  | { readonly kind: 'param'; readonly name: string }
  | { readonly kind: 'column'; readonly source?: string; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'compare'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'is-null'; readonly operand: Expression; readonly negated: boolean }
  | { readonly kind: 'in'; readonly operand: Expression; readonly list: readonly Expression[] }
  | { readonly kind: 'logic'; readonly operator: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly operand: Expression };

/** A value of a type that the stand-in carries as it came: it can be selected, and computed with only where `plain` says what it means. */
export class Typed {
  /** TYPE_INFO as the client sent it. */
  readonly info: Buffer;
  /** The value as the client sent it, with its length. */
  readonly data: Buffer;
  readonly plain: null | string | number | boolean | Buffer;

  constructor(info: Buffer, data: Buffer, plain: null | string | number | boolean | Buffer) {
    this.info = info;
    this.data = data;
    this.plain = plain;
  }
}

/** A value of the engine: text, whole numbers, bits, bytes, moments (datetime2, UTC), and whatever else a parameter may be. */
export type Value = null | string | number | boolean | Buffer | Date | Typed;

export interface Source {
  /** Parts of the name as written: schema, then object. */
  readonly parts: readonly string[];
  readonly args?: readonly Expression[];
  readonly alias: string;
  readonly join: 'first' | 'inner' | 'left';
  readonly on?: Expression;
}

export interface Select {
  readonly kind: 'select';
  readonly items: readonly { readonly value: Expression; readonly name: string }[];
  readonly sources: readonly Source[];
  readonly where?: Expression;
}

export interface LoginOptions {
  readonly sid?: string;
  readonly defaultDatabase?: string;
  readonly defaultLanguage?: string;
  readonly checkPolicy?: boolean;
  readonly checkExpiration?: boolean;
  readonly mustChange?: boolean;
}

export interface UserOptions {
  readonly defaultSchema?: string;
  readonly defaultLanguage?: string;
}

export type SecurableClass =
  | 'server'
  | 'server-principal'
  | 'database'
  | 'object'
  | 'schema'
  | 'principal'
  | keyof typeof securableClasses;

export type Statement =
  | Select
  | { readonly kind: 'set'; readonly option: string; readonly value: string | number }
  | { readonly kind: 'use'; readonly database: string }
  | { readonly kind: 'if'; readonly condition: Expression; readonly body: readonly Statement[] }
  | { readonly kind: 'throw'; readonly number: number; readonly message: string; readonly state: number }
  | { readonly kind: 'transaction'; readonly action: 'begin' | 'commit' | 'rollback' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'kill'; readonly session: number }
  | { readonly kind: 'execute'; readonly text: string }
  | { readonly kind: 'call'; readonly procedure: string }
  | { readonly kind: 'flush-logins' }
  | { readonly kind: 'create-login'; readonly name: string; readonly password?: string; readonly options: LoginOptions }
  | { readonly kind: 'alter-login'; readonly name: string; readonly change: LoginChange }
  | { readonly kind: 'drop-login'; readonly name: string }
  | { readonly kind: 'create-user'; readonly name: string; readonly source: UserSource; readonly options: UserOptions }
  | {
      readonly kind: 'alter-user';
      readonly name: string;
      readonly password?: string;
      readonly oldPassword?: string;
      /** The login that the user belongs to from now on. */
      readonly login?: string;
      readonly newName?: string;
      readonly options: UserOptions;
    }
  | { readonly kind: 'drop-user'; readonly name: string }
  | { readonly kind: 'create-role'; readonly name: string; readonly onServer: boolean }
  | {
      readonly kind: 'alter-role';
      readonly onServer: boolean;
      readonly role: string;
      readonly action: 'add' | 'drop';
      readonly member: string;
    }
  | PermissionStatement;

export interface PermissionStatement {
  readonly kind: 'permission';
  readonly action: 'grant' | 'deny' | 'revoke';
  readonly permissions: readonly string[];
  readonly securable?: {
    readonly class: SecurableClass;
    readonly parts: readonly string[];
    readonly columns: readonly string[];
  };
  readonly principal: string;
  readonly withGrantOption: boolean;
}

export type LoginChange =
  | { readonly kind: 'enable' | 'disable' }
  | {
      readonly kind: 'set';
      readonly password?: string;
      readonly oldPassword?: string;
      readonly unlock: boolean;
      readonly newName?: string;
      readonly options: LoginOptions;
    };

export type UserSource =
  | { readonly kind: 'login'; readonly login: string }
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'external' }
  | { readonly kind: 'without-login' };
