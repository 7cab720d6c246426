/** Certificates for servers of one machine, made on the spot and trusted by nobody but the test that made them. */
import { isIP } from 'node:net';
import { generate } from 'selfsigned';

/** PEM texts. */
export interface Certificates {
  /** The authority: what a client must trust. */
  readonly ca: string;
  /** The server's certificate, for all the hosts asked for. */
  readonly cert: string;
  readonly key: string;
}

const dayMs = 24 * 60 * 60 * 1000;

/** A fresh authority and one certificate of it for the host names and addresses given. Valid for ten years, from yesterday. */
export async function makeCertificates(options: { readonly hosts: readonly string[] }): Promise<Certificates> {
  const common = {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - dayMs),
    notAfterDate: new Date(Date.now() + 3650 * dayMs),
  } as const;
  const authority = await generate([{ name: 'commonName', value: 'Keyturn local authority' }], {
    ...common,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const server = await generate([{ name: 'commonName', value: options.hosts[0] ?? 'localhost' }], {
    ...common,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: options.hosts.map((host) =>
          isIP(host) === 0 ? ({ type: 2, value: host } as const) : ({ type: 7, ip: host } as const),
        ),
      },
    ],
  });
  return { ca: authority.cert, cert: server.cert, key: server.private };
}
