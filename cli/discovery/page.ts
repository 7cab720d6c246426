/** The findings as one page of HTML, to be sent to somebody: no script, nothing loaded from anywhere. */
import type { Discovered } from './discover.ts';
import type { Finding } from './finding.ts';

const style = `body{font:14px system-ui,sans-serif;margin:2rem;color:#1b1b1b;background:#fff}table{border-collapse:collapse}
th,td{text-align:left;padding:.3rem .8rem;border-bottom:1px solid #ddd;vertical-align:top}.expired,.soon{color:#a4262c}
.no-expiry,.shared,.in-no-vault{color:#8a5a00}@media(prefers-color-scheme:dark){body{color:#eee;background:#1b1b1b}td,th{border-color:#444}}`;

/** Every text of others is escaped. Pure. */
export function pageOf({ findings, blind, vaults }: Discovered, now: Date): string {
  const rows = findings.map(rowOf).join('\n');
  const unseen = blind
    .map(
      ({ what, why, fix }) =>
        `<li>${escaped(what)}: ${escaped(why)}${fix === undefined ? '' : `<br><code>${escaped(fix)}</code>`}</li>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Secrets found by Keyturn</title>
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'"><style>${style}</style></head>
<body><h1>Secrets, most urgent first</h1>
<p>${findings.length} findings in ${vaults} vaults, ${escaped(now.toISOString().slice(0, 16).replace('T', ' '))} UTC.</p>
${unseen === '' ? '' : `<h2>Not looked at</h2><ul>${unseen}</ul>`}
<table><thead><tr><th>Risk</th><th>What</th><th>Vault</th><th>Name</th><th>Kind</th><th>Expires</th><th>Renewed by</th><th>Notes</th></tr></thead>
<tbody>
${rows}
</tbody></table></body></html>
`;
}

function rowOf({ risks, what, vault = '', name, kind, expiresAt, renewedBy, notes }: Finding): string {
  const cells = [what, vault, name, kind, expiresAt?.slice(0, 10) ?? 'never', renewedBy, notes.join(' ')];
  const [first = 'none'] = risks;
  const risk = `<td class="${first}">${risks.join(', ') || 'none'}</td>`;
  return `<tr>${risk}${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
}

function escaped(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (sign) => named[sign] ?? sign).replaceAll(/\p{Cc}/gu, ' ');
}
