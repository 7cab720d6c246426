/** When the tag `format` = `raw` is believed: it must not hide an address or a login that stands in the text. */
import { base64Text } from './base64.ts';

// Names are known by their ends, so that `DB_HOST`, "dbHost" and `Data Source` are found alike.
const addressName =
  /(?:host|hostname|server|data ?source|address|addr|endpoint|fqdn|url|uri|dsn)["']?\s{0,9}[:=]\s{0,9}["']?[^\s"']/i;
const addresses = [
  /[\w\]]:\/\//,
  /\bjdbc:/i,
  /@\w{2,20}\(/,
  /^[^\s@/]+@\//,
  /[\w\]]:(?:\d{2,5}|\*)(?=$|[,;/\s?"':])/,
  addressName,
];
const loginName = /(?:user|user[ _-]?id|user[ _-]?name|uid|login)["']?\s{0,9}[:=]\s{0,9}["']?[^\s"']/i;
const loginAtHost = /:[^\s@:]*@[\w[]/;

/** Whether it is `user:password` for HTTP's Basic authentication. */
function isBasicLogin(text: string): boolean {
  const encoded = /^Basic +([A-Za-z0-9+/]+=*)$/i.exec(text.trim())?.[1];
  return encoded !== undefined && base64Text(encoded)?.includes(':') === true;
}

/** What the text holds besides a password, in words; undefined when it holds neither an address nor a login. */
export function addressOrLogin(text: string): string | undefined {
  if (addresses.some((each) => each.test(text))) return 'an address';
  return loginName.test(text) || loginAtHost.test(text) || isBasicLogin(text) ? 'a login' : undefined;
}
