/** Attacks on Redis by somebody who may edit one secret, or who is let in as a replica, played on real servers. */
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as dialTls } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../local/certificates.ts';
import { type RedisServer, startRedis } from '../../local/redis.ts';
import type { Endpoint } from '../../shared/contract/rotator.ts';
import { newPassword } from '../conformance/step.ts';
import { admin, adminCredential, asOwner, endpointOf, loadRedis, logsInAt, users } from './redis-bench.ts';
import { applied, makeUser, stepAt } from './redis-rig.ts';

const running: { stop(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
});

async function keep(starting: Promise<RedisServer>): Promise<RedisServer> {
  const server = await starting;
  running.push(server);
  return server;
}

interface Trap {
  readonly port: number;
  /** Everything that was sent to it. */
  heard(): string;
}

/** Listens where the intruder announces itself, and keeps what it is told. */
async function trap(host: string, tls?: { readonly cert: string; readonly key: string }): Promise<Trap> {
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const listen = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => heard.push(data));
  };
  const server: Server = tls === undefined ? createServer(listen) : createTlsServer(tls, listen);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  running.push({
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the trap has no port');
  return { port: address.port, heard: () => Buffer.concat(heard).toString('latin1') };
}

/** A client that may replicate announces itself as a replica at an address of its choice. */
async function announce(socket: Socket, at: { readonly host: string; readonly port: number }): Promise<void> {
  let answers = '';
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    answers += data.toString('latin1');
  });
  running.push({ stop: async () => void socket.destroy() });
  socket.write('AUTH intruder intruders-own-password\r\n');
  socket.write(`REPLCONF listening-port ${at.port}\r\nREPLCONF ip-address ${at.host}\r\n`);
  await expect.poll(() => answers, { timeout: 10_000, interval: 20 }).toBe('+OK\r\n+OK\r\n+OK\r\n');
  // Only after it has read the answers is it let in as a replica.
  socket.write('PSYNC ? -1\r\n');
  await expect.poll(() => answers, { timeout: 10_000, interval: 20 }).toContain('FULLRESYNC');
}

const intruder = 'user intruder on >intruders-own-password -@all +psync +replconf +ping';

describe('a client that announces itself as a replica', () => {
  test('at another host gets no password over a plain connection: that host is not one that the connection names', async () => {
    const server = await keep(startRedis({ acl: [...users, intruder] }));
    const current = await makeUser([server]);
    const caught = await trap('127.0.0.2');
    await announce(dial(server.port, server.host), { host: '127.0.0.2', port: caught.port });
    const rotator = await loadRedis();
    const step = stepAt(server, current);
    const candidate = { ...current, password: newPassword() };
    const refused = { code: 'target-refused', message: expect.stringContaining(`127.0.0.2:${caught.port}`) };
    expect(await rotator.verify(step, current)).toMatchObject(refused);
    expect(await rotator.apply(step, candidate, current)).toMatchObject(refused);
    expect(await rotator.retire(step, current)).toMatchObject(refused);
    await rotator.inUse(step, current);
    await rotator.check(step);
    expect(caught.heard()).toBe('');
    expect(await logsInAt([server], candidate)).toBe(false);
  });

  test('with a good certificate of its own gets no password over TLS: it is not valid for the host that the connection names', async () => {
    const certificates = await makeCertificates({ hosts: ['localhost'] });
    const own = await makeCertificates({ hosts: ['127.0.0.1'] });
    const server = await keep(startRedis({ acl: [...users, intruder], tls: certificates }));
    const caught = await trap('127.0.0.1', own);
    const { ca } = certificates;
    await announce(dialTls({ host: 'localhost', port: server.port, ca }), { host: '127.0.0.1', port: caught.port });
    const endpoint: Endpoint = { host: 'localhost', port: server.port, options: { scheme: 'rediss' } };
    // Both authorities are trusted: the intruder's certificate is a good one, for another name.
    const rotator = await loadRedis({ trustedCertificates: [ca, own.ca] });
    const current = { username: 'nobody', password: newPassword() };
    const step = stepAt({ host: 'localhost', port: server.port }, current, 'dual-password', {
      endpoint,
      adminEndpoint: endpoint,
    });
    expect(await rotator.verify(step, current)).toMatchObject({
      code: 'target-tls',
      message: expect.stringContaining(`127.0.0.1:${caught.port}`),
    });
    expect(caught.heard()).not.toContain(admin.password);
  });

  test.each(['the settings list', 'the value lists'])(
    'at a host that %s is a node, with a certificate of its own name',
    async (what) => {
      const certificates = await makeCertificates({ hosts: ['localhost'] });
      const own = await makeCertificates({ hosts: ['127.0.0.1'] });
      const server = await keep(startRedis({ acl: [...users, intruder], tls: certificates }));
      const node = await trap('127.0.0.1', own);
      const { ca } = certificates;
      await announce(dialTls({ host: 'localhost', port: server.port, ca }), { host: '127.0.0.1', port: node.port });
      const adminEndpoint: Endpoint = { host: 'localhost', port: server.port, options: { scheme: 'rediss' } };
      const hosts = [adminEndpoint, { host: '127.0.0.1', port: node.port }];
      const inSettings = what === 'the settings list';
      const rotator = await loadRedis({
        trustedCertificates: [ca, own.ca],
        connectTimeoutMs: 500,
        ...(inSettings ? { listsHost: (host: string) => host === '127.0.0.1' } : {}),
      });
      const current = { username: 'nobody', password: newPassword() };
      const endpoint = inSettings ? adminEndpoint : { ...adminEndpoint, hosts };
      const step = stepAt(server, current, 'dual-password', { endpoint, adminEndpoint });
      await rotator.verify(step, current);
      expect(node.heard()).toContain(admin.password);
    },
  );

  test('that is named by the connection is a node like any other', async () => {
    const primary = await keep(
      startRedis({ acl: users, replicateAs: { username: 'owner', password: 'owner-of-a-throwaway-server' } }),
    );
    const replica = await keep(
      startRedis({
        acl: users,
        replicaOf: primary,
        replicateAs: { username: 'owner', password: 'owner-of-a-throwaway-server' },
        settings: ['replica-announce-ip 127.0.0.3'],
      }),
    );
    const seen = async () => String(await asOwner(primary, 'INFO', 'replication'));
    await expect.poll(seen, { timeout: 10_000, interval: 20 }).toMatch(/127\.0\.0\.3.*state=online/);
    const current = await makeUser([primary, replica]);
    const endpoint: Endpoint = { ...endpointOf(primary), hosts: [primary, { host: '127.0.0.3', port: replica.port }] };
    const rotator = await loadRedis();
    // The replica listens on 127.0.0.1 alone: what matters is that the address is tried, and named when it gives no answer.
    const named = stepAt(primary, current, 'dual-password', { endpoint, adminEndpoint: endpoint });
    expect(await rotator.verify(named, current)).toMatchObject({ kind: 'unreachable' });
    expect(await rotator.verify(stepAt(primary, current), current)).toMatchObject({ code: 'target-refused' });
  });
});

describe('a forged version that names a powerful user with a junk password', () => {
  test.each([
    '+@all',
    '+@admin',
    '+@dangerous',
    '+config|set',
    '-@all +acl',
    '-@all +psync +replconf',
    '-@all (+module|load ~* &*)',
    '-@all +monitor',
  ])('%s: it gets no password of it, whatever the version before logs in as', async (written) => {
    const rules = written.startsWith('-@all (') ? ['-@all', written.slice('-@all '.length)] : written.split(' ');
    const server = await keep(startRedis({ acl: users }));
    const mine = await makeUser([server]);
    const dba = await makeUser([server], 'dba', rules);
    const before = await asOwner(server, 'ACL', 'LIST');
    const rotator = await loadRedis();
    const current = { username: dba.username, password: newPassword() };
    for (const strategy of ['dual-password', 'single-user'] as const) {
      const candidate = { ...current, password: newPassword() };
      const outcome = await rotator.apply(stepAt(server, current, strategy), candidate, mine);
      expect(outcome).toMatchObject({ code: 'login-not-safe' });
    }
    expect(await asOwner(server, 'ACL', 'LIST')).toEqual(before);
    expect(await applied(rotator, stepAt(server, dba))).toMatchObject({ username: 'dba' });
  });

  test('and a retirement of another user’s password is refused, untouched', async () => {
    const server = await keep(startRedis({ acl: users }));
    const [mine, theirs] = [await makeUser([server]), await makeUser([server])];
    const before = await asOwner(server, 'ACL', 'LIST');
    const outcome = await (await loadRedis()).retire(stepAt(server, mine), theirs);
    expect(outcome).toMatchObject({ code: 'login-not-safe' });
    expect(await asOwner(server, 'ACL', 'LIST')).toEqual(before);
  });

  test('an application that may do all but administer is no powerful user', async () => {
    const server = await keep(startRedis({ acl: users }));
    for (const rules of [
      ['+@all', '-@admin'],
      ['+@all', '-@dangerous'],
      ['+@read', '+@write', '+config|get'],
    ]) {
      const user = await makeUser([server], `app-${rules.join('')}`.replaceAll(/\W/g, ''), rules);
      const unknown = { ...user, password: newPassword() };
      const outcome = await (await loadRedis()).apply(
        stepAt(server, unknown),
        { ...user, password: newPassword() },
        unknown,
      );
      expect(outcome).toMatchObject({ kind: 'applied' });
    }
  });
});

test('the admin’s password goes to the hosts of its own connection only, whatever hosts the value lists', async () => {
  const server = await keep(startRedis({ acl: users }));
  const current = await makeUser([server]);
  const caught = await trap('127.0.0.2');
  const endpoint: Endpoint = { ...endpointOf(server), hosts: [server, { host: '127.0.0.2', port: caught.port }] };
  const rotator = await loadRedis();
  const step = stepAt(server, current, 'dual-password', { endpoint });
  await rotator.verify(step, current);
  await rotator.apply(step, { ...current, password: newPassword() }, current);
  expect(caught.heard()).not.toContain(adminCredential.password.reveal());
});
