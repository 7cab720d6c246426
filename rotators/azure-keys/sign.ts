/** Request signatures of the services' data planes. All take the key as the service lists it: base64. */
import { createHash, createHmac } from 'node:crypto';

export interface Signed {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

function hmac(key: string, text: string): string {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
}

/**
 * SharedKey of Storage (`x-ms-`) and Batch (`ocp-`), for a GET without a body.
 * Source: "Authorize with Shared Key" of Azure Storage, "Authenticate requests" of Azure Batch.
 */
export function signSharedKey(
  url: URL,
  account: string,
  key: string,
  headers: Readonly<Record<string, string>>,
): Signed {
  const canonicalHeaders = Object.entries(headers)
    .map(([name, value]) => `${name}:${value}\n`)
    .sort()
    .join('');
  const query = [...url.searchParams.entries()].map(([name, value]) => `\n${name.toLowerCase()}:${value}`).sort();
  // The eleven standard headers between the verb and the service's own are all empty for such a request.
  const text = `GET${'\n'.repeat(12)}${canonicalHeaders}/${account}${url.pathname}${query.join('')}`;
  return { url, headers: { ...headers, authorization: `SharedKey ${account}:${hmac(key, text)}` } };
}

/** Master-key signature of Cosmos DB for `GET /dbs`. Source: "Access control in the Azure Cosmos DB SQL API". */
export function signCosmos(base: URL, key: string, date: string): Signed {
  const signature = hmac(key, `get\ndbs\n\n${date.toLowerCase()}\n\n`);
  return {
    url: new URL('/dbs', base),
    headers: {
      accept: 'application/json',
      'x-ms-date': date,
      'x-ms-version': '2018-12-31',
      authorization: encodeURIComponent(`type=master&ver=1.0&sig=${signature}`),
    },
  };
}

/** HMAC of App Configuration for a GET without a body. Source: "HMAC authentication" of Azure App Configuration. */
export function signAppConfiguration(url: URL, id: string, key: string, date: string): Signed {
  const content = createHash('sha256').update('').digest('base64');
  const signature = hmac(key, `GET\n${url.pathname}${url.search}\n${date};${url.host};${content}`);
  const names = 'x-ms-date;host;x-ms-content-sha256';
  return {
    url,
    headers: {
      'x-ms-date': date,
      'x-ms-content-sha256': content,
      authorization: `HMAC-SHA256 Credential=${id}&SignedHeaders=${names}&Signature=${signature}`,
    },
  };
}

/** Shared access signature of Service Bus and Event Hubs; the rule's key is used as text, not decoded. Expiry in Unix seconds. */
export function signServiceBus(url: URL, rule: string, key: string, expiresAt: number): Signed {
  const resource = encodeURIComponent(`${url.origin}/`.toLowerCase());
  const signature = createHmac('sha256', key).update(`${resource}\n${expiresAt}`, 'utf8').digest('base64');
  const token = `sr=${resource}&sig=${encodeURIComponent(signature)}&se=${expiresAt}&skn=${encodeURIComponent(rule)}`;
  return { url, headers: { authorization: `SharedAccessSignature ${token}` } };
}
