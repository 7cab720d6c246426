/** A described request with its variables filled in, each escaped for where it stands. */
import { randomUUID } from 'node:crypto';
import type { Call } from '../../shared/http/client.ts';
import type { Authentication, BodyDescription, RequestDescription } from './description.ts';
import { Filling, type Variables } from './template.ts';

export type BuildOutcome =
  | { readonly kind: 'built'; readonly call: Call }
  /** A gap in a template, or a value that does not fit where it stands. Nothing is sent. */
  | { readonly kind: 'unfit'; readonly detail: string };

/** Headers that say who asks. Client credentials are exchanged before and come as `bearer`. */
export type Credentials = Exclude<Authentication, { kind: 'client-credentials' }>;

/** `query` is added to the description's, for following pages. */
export function buildRequest(
  request: RequestDescription,
  credentials: Credentials,
  variables: Variables,
  query: Readonly<Record<string, string>> = {},
): BuildOutcome {
  const filling = new Filling(variables);
  const url = buildUrl(request, filling, query);
  const body = request.body === undefined ? undefined : buildBody(request.body, filling);
  const headers: Record<string, string> = { accept: 'application/json', ...authHeaders(credentials, filling) };
  for (const [name, text] of Object.entries(request.headers)) headers[name.toLowerCase()] = headerValue(text, filling);
  if (body !== undefined) headers['content-type'] = body.contentType;
  if (url === undefined || filling.problems.length > 0) {
    return { kind: 'unfit', detail: filling.problems.join('; ') || 'the address is not one' };
  }
  return {
    kind: 'built',
    call: { method: request.method, url, headers, ...(body === undefined ? {} : { body: body.text }) },
  };
}

function buildUrl(
  request: RequestDescription,
  filling: Filling,
  more: Readonly<Record<string, string>>,
): URL | undefined {
  const text = filling.fill(request.url, (value) => {
    // encodeURIComponent leaves dots alone, and a segment of dots would climb to another path.
    if (/^\.*$/.test(value)) filling.problem('a part of the address is empty or consists of dots');
    return encodeURIComponent(value);
  });
  const url = URL.parse(text);
  if (url === null) return undefined;
  for (const [name, value] of Object.entries(request.query))
    url.searchParams.set(
      name,
      filling.fill(value, (one) => one),
    );
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, value);
  return url;
}

function headerValue(template: string, filling: Filling): string {
  return filling.fill(template, (value) => {
    if (/^[\x20-\x7e]*$/.test(value)) return value;
    filling.problem('a header would hold characters that headers cannot hold');
    return '';
  });
}

function authHeaders(credentials: Credentials, filling: Filling): Record<string, string> {
  switch (credentials.kind) {
    case 'none':
      return {};
    case 'bearer':
      return { authorization: `Bearer ${headerValue(credentials.token, filling)}` };
    case 'basic': {
      const username = filling.fill(credentials.username, (value) => value);
      if (username.includes(':')) filling.problem('the login of Basic authentication holds a colon');
      const password = filling.fill(credentials.password, (value) => value);
      return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
    }
    case 'headers':
      return Object.fromEntries(
        Object.entries(credentials.headers).map(([name, text]) => [name.toLowerCase(), headerValue(text, filling)]),
      );
  }
}

function buildBody(body: BodyDescription, filling: Filling): { readonly text: string; readonly contentType: string } {
  switch (body.kind) {
    case 'json':
      // Values are put into the parsed form, so that no value can close a string.
      return { text: JSON.stringify(fillJson(body.value, filling)), contentType: 'application/json' };
    case 'form':
      return {
        text: new URLSearchParams(filledFields(body.fields, filling)).toString(),
        contentType: 'application/x-www-form-urlencoded',
      };
    case 'multipart':
      return multipart(filledFields(body.fields, filling));
    case 'raw': {
      const text = filling.fill(body.text, (value) => {
        // What a raw body means is not known here, so only characters that mean nothing anywhere are let in.
        if (!/^[\w.:+=@-]*$/.test(value))
          filling.problem('a raw body would hold characters that may mean something in it');
        return value;
      });
      return { text, contentType: body.contentType };
    }
  }
}

function filledFields(fields: Readonly<Record<string, string>>, filling: Filling): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, filling.fill(text, (value) => value)]));
}

// The boundary is random and drawn after the values are known, so none of them can hold it.
function multipart(fields: Readonly<Record<string, string>>): { readonly text: string; readonly contentType: string } {
  const boundary = `keyturn-${randomUUID()}`;
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return { text: `${parts.join('')}--${boundary}--\r\n`, contentType: `multipart/form-data; boundary=${boundary}` };
}

function fillJson(value: unknown, filling: Filling): unknown {
  if (typeof value === 'string') return filling.data(value);
  if (Array.isArray(value)) return value.map((item) => fillJson(item, filling));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillJson(item, filling)]));
}
