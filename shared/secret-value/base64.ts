/** Base64 (RFC 4648) as values hold it: files, and logins for HTTP's Basic authentication. */

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function decoded(text: string): Buffer | undefined {
  const joined = text.replaceAll(/[\r\n]/g, '');
  return joined !== '' && base64.test(joined) ? Buffer.from(joined, 'base64') : undefined;
}

/** The text that stands in base64; undefined when it is no base64, or not of printable text. */
export function base64Text(text: string): string | undefined {
  const bytes = decoded(text);
  if (bytes === undefined) return undefined;
  const inner = bytes.toString('utf8');
  return Buffer.from(inner).equals(bytes) && !/[^\P{Cc}\t\r\n]/u.test(inner) ? inner : undefined;
}

/** Whether it is one whole DER sequence (X.509, PKCS #8, PKCS #12) in base64: the length that it names is its own. */
export function isDerFile(text: string): boolean {
  const bytes = decoded(text);
  if (bytes === undefined || bytes.length < 64 || bytes[0] !== 0x30) return false;
  if (bytes[1] === 0x81) return bytes.length === 3 + bytes.readUInt8(2);
  return bytes[1] === 0x82 && bytes.length === 4 + bytes.readUInt16BE(2);
}
