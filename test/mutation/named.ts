/**
 * Faults that tests once missed, put back one at a time. `search` stands exactly once in the deployed code, in whatever file: a test fails
 * when it does not, so that a fault is moved along with the code it was in.
 */
export interface Named {
  /** What goes wrong. */
  readonly name: string;
  readonly search: string;
  readonly replacement: string;
}

export const named: readonly Named[] = [
  {
    name: 'confirm ignores which version a stamp replaced',
    search: 'stamp?.rotationId === rotationId && stamp.from === secret.version',
    replacement: 'stamp?.rotationId === rotationId',
  },
  {
    name: 'no wait between looks after a lost write',
    search: 'if (ms > 0) await wait(ms, signal);',
    replacement: '',
  },
  {
    name: 'one look after a lost write',
    search: "published.code === 'vault-unreachable' ? settleMs : [0]",
    replacement: "published.code === 'vault-unreachable' ? [0] : [0]",
  },
  {
    name: 'a version that somebody else published meanwhile goes unnoticed',
    search: 'if (newest.version !== secret.version) return overtaken(current, draft, newest, listed.versions);',
    replacement: '',
  },
  {
    name: 'a version that somebody else published before ours is buried in silence',
    search: 'createdAt >= read.createdAt &&',
    replacement: 'false &&',
  },
  {
    name: 'the previous version is never probed',
    search: 'await firstAccepted(await readPrevious(vault, current, time.signal), asking)',
    replacement: "await firstAccepted({ kind: 'listed', candidates: [] }, asking)",
  },
  {
    name: 'the published password is not put back after a refusal',
    search: 'await goBack(work, found, applied.credential);',
    replacement: ';',
  },
  {
    name: 'a refused candidate is never tried again',
    search: 'const mostRounds = 3;',
    replacement: 'const mostRounds = 1;',
  },
  {
    name: 'drift is reported from a look without a lease',
    search: "seen.kind === 'drifted' ? await lookUndisturbed(deps, vault, seen, signal) : seen",
    replacement: 'seen',
  },
  {
    name: 'a lease is trusted to its last millisecond',
    search: 'leaseMarginMs = 5_000',
    replacement: 'leaseMarginMs = 0',
  },
  {
    name: 'a step may take as long as the lease is renewed',
    search: 'stepLimitMs = 180_000',
    replacement: 'stepLimitMs = Number.POSITIVE_INFINITY',
  },
  {
    name: 'a step ends when the lease of its start does, renewed or not',
    search: 'else timer = setTimeout(arm, leftMs);',
    replacement: 'else timer = setTimeout(() => controller.abort(), leftMs);',
  },
  {
    name: 'Postgres makes a change that comes too late',
    search: `BEGIN\${fence}\${changes}\${fence}\\nEND`,
    replacement: `BEGIN\${changes}\\nEND`,
  },
  {
    name: 'Postgres makes a change that waited too long for a lock',
    search: `BEGIN\${fence}\${changes}\${fence}\\nEND`,
    replacement: `BEGIN\${fence}\${changes}\\nEND`,
  },
  {
    name: 'MariaDB compares the time after the change',
    search: `IF UNIX_TIMESTAMP(SYSDATE(6)) > \${deadline} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the change came too late'; END IF; \${onlyIfWritable} \${statement};`,
    replacement: `\${onlyIfWritable} \${statement}; IF UNIX_TIMESTAMP(SYSDATE(6)) > \${deadline} THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the change came too late'; END IF;`,
  },
  {
    name: 'SQL Server compares the time after the change',
    search: `[\`\${at.use}\${head}\`, ...body]`,
    replacement: '[at.use, ...body, head]',
  },
  {
    name: 'sessions of Keyturn itself count as consumers on Postgres',
    search: ` AND application_name <> \${quoteText(applicationName)}`,
    replacement: '',
  },
  {
    name: 'the session that looks counts as a consumer on MySQL',
    search: 'row.user === user && row.id !== session.id',
    replacement: 'row.user === user',
  },
  {
    name: 'sessions of Keyturn itself count as consumers on SQL Server',
    search: 'ours: program === applicationName,',
    replacement: 'ours: false,',
  },
  {
    name: 'the session that looks counts as a consumer on Redis',
    search: "client.get('user') === user && client.get('id') !== String(own.value)",
    replacement: "client.get('user') === user",
  },
  {
    name: 'a key is sent to a host that the description does not name',
    search: 'if (!description.hosts.includes(url.host))',
    replacement: 'if (false)',
  },
  {
    name: 'a key is sent to a host that the settings do not name',
    search: 'if (!allowed.includes(url.host) && !(isLoopback(url.hostname) && allowed.includes(url.hostname)))',
    replacement: 'if (false)',
  },
  {
    name: 'the listing of a vault ends with its first page',
    search: "yield { kind: 'page', secrets, readAt: outcome.readAt, ...next };",
    replacement: "yield { kind: 'page', secrets, readAt: outcome.readAt, ...next }; return;",
  },
  {
    name: 'the listing of versions ends with its first page',
    search: 'versions.push(...page.map(readVersionProperties));',
    replacement: 'versions.push(...page.map(readVersionProperties)); break;',
  },
  {
    name: 'one success is enough, whatever the description asks for',
    search: 'streak >= how.successes',
    replacement: 'streak >= 1',
  },
  {
    name: 'one success is enough for a client secret',
    search: 'const successesWanted = 3;',
    replacement: 'const successesWanted = 1;',
  },
  {
    name: 'a target that goes by an old copy of a login is believed',
    search: "if (overtaken === true && strategyTraits[current.policy.strategy].pending === 'before-apply') {",
    replacement: 'if (false) {',
  },
  {
    name: 'the planned end of a credential waits for the platform where its worker died',
    search: 'if (work.isWoken === true) return end();',
    replacement: 'return end();',
  },
  {
    name: 'an emergency that was found half done waits for the platform where its worker died again',
    search: 'if (isWoken || request.rotationId === undefined) return retireUnderLease({ ...work, isWoken });',
    replacement: 'return retireUnderLease({ ...work, isWoken: true });',
  },
  {
    name: 'the news of an end is lost with its worker',
    search: "await tell(deps, request, { type: 'retired', activity: 'retirement', result });",
    replacement: '',
  },
  {
    name: 'a failed login is made twice by the daily check',
    search: 'before?.undisturbed === true ? seen : undefined',
    replacement: 'undefined',
  },
  {
    name: 'a failed login is made twice for a version of somebody else',
    search: 'before?.undisturbed === true ? refusedBefore : undefined',
    replacement: 'undefined',
  },
  {
    name: 'a repair tries every version, however often its login was refused',
    search: "(this.#counts.get(loginOf(asked) ?? '') ?? 0) >= mostRefused",
    replacement: 'false',
  },
  {
    name: 'what a repair saw refused is tried once more',
    search: "if (before !== undefined) return { kind: 'answer' as const, accepted: false, detail: before.detail };",
    replacement: '',
  },
  {
    name: 'a refusal in the middle of a rotation in place counts',
    search: "if (strategyTraits[now.policy.strategy].pending !== 'before-apply') return looked(true);",
    replacement: 'return looked(true);',
  },
  {
    name: 'a version that was published meanwhile is called refused',
    search: 'if (seen.secret.version !== now.secret.version) return looked(false);',
    replacement: '',
  },
];

export interface Found extends Named {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

const deployed = /^(functions|rotators|shared)\/.*\.ts$/;

/** Every place where a named fault can be put back. More or less than one for a fault is an error of the list. */
export function placesOf(fault: Named, texts: ReadonlyMap<string, string>): readonly Found[] {
  return [...texts]
    .filter(([path]) => deployed.test(path))
    .flatMap(([file, text]) => {
      const starts: number[] = [];
      for (let at = text.indexOf(fault.search); at >= 0; at = text.indexOf(fault.search, at + 1)) starts.push(at);
      return starts.map((start) => ({ ...fault, file, start, end: start + fault.search.length }));
    });
}

/** The named faults with their places. Throws for one that has not exactly one. */
export function findNamed(texts: ReadonlyMap<string, string>): readonly Found[] {
  return named.map((fault) => {
    const [place, ...more] = placesOf(fault, texts);
    if (place === undefined || more.length > 0) {
      throw new Error(`test/mutation/named.ts: "${fault.name}" fits ${more.length + (place ? 1 : 0)} places`);
    }
    return place;
  });
}
