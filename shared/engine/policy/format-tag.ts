/**
 * The tag `format`: how the credential is written in the value. What the tags `field` and `password` say fits behind it, for a secret that
 * needs its tags for other things: `json;field=/orders;length=32;exclude=@`.
 */
import * as z from 'zod';
import type { PasswordRules } from '../../contract/password-rules.ts';
import { type Format, formats, jsonPointer } from '../../secret-value/index.ts';
import { parsePasswordTag } from './password-tag.ts';

export interface FormatTag {
  readonly format: Format;
  readonly field?: string;
  readonly password?: PasswordRules;
}

export const fieldTag = z.string().regex(jsonPointer, 'is a JSON pointer, as /orders/password');

export const formatTag = z.string().transform((text, context): FormatTag => {
  const wrong = (message: string) => {
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  };
  const [, name, rest = ''] = /^([^;]*)(?:;([\s\S]*))?$/.exec(text) ?? [];
  const format = formats.find((each) => each === name?.trim());
  if (format === undefined) return wrong(`is one of ${formats.join(', ')}`);
  const [, field, rules = ''] = /^\s*(?:field=([^;]*)(?:;|$))?([\s\S]*)$/.exec(rest) ?? [];
  if (field !== undefined && !jsonPointer.test(field))
    return wrong('has a field that is no JSON pointer, as /orders/password');
  const password = rules.trim() === '' ? undefined : parsePasswordTag(rules);
  if (password?.kind === 'wrong') return wrong(`says of the password what ${password.detail}`);
  return {
    format,
    ...(field === undefined ? {} : { field }),
    ...(password === undefined ? {} : { password: password.rules }),
  };
});
