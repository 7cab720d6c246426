import { createServer, connect as dial } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../local/certificates.ts';
import { type RedisServer, startRedis } from '../../local/redis.ts';
import { command, type RedisCluster, startRedisCluster, startRedisSentinel } from '../../local/redis-cluster.ts';
import { parseClusterNodes } from '../../rotators/redis/topology.ts';
import type { Credential } from '../../shared/contract/credential.ts';
import { newPassword } from '../conformance/step.ts';
import { asOwner, loadRedis, logsInAt, owner, users } from './redis-bench.ts';
import { applied, makeUser, stepAt } from './redis-rig.ts';

const running: { stop(): Promise<void> }[] = [];
afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
});

async function keep<Server extends { stop(): Promise<void> }>(starting: Promise<Server>): Promise<Server> {
  const server = await starting;
  running.push(server);
  return server;
}

describe('one server', () => {
  test('the new password is never sent while it is set: only its hash is', async () => {
    const server = await keep(startRedis({ acl: users }));
    const current = await makeUser([server]);
    const sent: Buffer[] = [];
    const tap = createServer((socket) => {
      const onward = dial(server.port, server.host);
      socket.on('data', (data) => sent.push(data)).pipe(onward);
      onward.pipe(socket);
      for (const side of [socket, onward]) side.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => tap.listen(0, '127.0.0.1', resolve));
    const address = tap.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const candidate = await applied(await loadRedis(), stepAt({ host: '127.0.0.1', port }, current));
    tap.close();
    const wire = Buffer.concat(sent).toString();
    expect(wire).toContain('SETUSER');
    expect(wire).not.toContain(candidate.password.reveal());
    expect(wire).not.toContain(current.password.reveal());
  });

  test.each([
    ['an ACL file', { acl: users }],
    ['a configuration file', { configFile: true, settings: users.slice(1) }],
  ])('with %s both passwords, and later the end of the old one, outlive a restart', async (_name, options) => {
    const server = await keep(startRedis(options));
    const current = await makeUser([server]);
    const rotator = await loadRedis();
    const candidate = await applied(rotator, stepAt(server, current));
    await server.restart();
    expect(await logsInAt([server], candidate)).toBe(true);
    expect(await logsInAt([server], current)).toBe(true);
    expect(await rotator.retire(stepAt(server, candidate), current)).toEqual({ kind: 'retired', sessionsEnded: 0 });
    await server.restart();
    expect(await logsInAt([server], candidate)).toBe(true);
    expect(await logsInAt([server], current)).toBe(false);
  });

  test('the password of everybody, kept in requirepass, outlives a restart, and the old one stays dead', async () => {
    const current: Credential = { password: newPassword() };
    const server = await keep(
      startRedis({ configFile: true, password: current.password.reveal(), settings: users.slice(1, 3) }),
    );
    const rotator = await loadRedis();
    for (const strategy of ['single-user', 'dual-password'] as const) {
      const before: Credential = strategy === 'single-user' ? current : { password: newPassword() };
      if (strategy === 'dual-password') {
        await asOwner(server, 'CONFIG', 'SET', 'requirepass', before.password.reveal());
      }
      const candidate = await applied(rotator, stepAt(server, before, strategy));
      await rotator.retire(stepAt(server, candidate, strategy), before);
      await server.restart();
      expect(await logsInAt([server], candidate)).toBe(true);
      expect(await logsInAt([server], before)).toBe(false);
    }
  });

  test('that keeps nothing on disk is rotated with a warning that names it', async () => {
    const server = await keep(startRedis({ settings: users.slice(1, 3) }));
    const current = await makeUser([server]);
    const rotator = await loadRedis();
    const step = stepAt(server, current);
    const outcome = await rotator.apply(step, { ...current, password: newPassword() }, current);
    expect(outcome).toMatchObject({ kind: 'applied' });
    const warnings = outcome.kind === 'applied' ? outcome.warnings : undefined;
    expect(warnings).toHaveLength(1);
    expect(warnings?.[0]).toContain(`${server.host}:${server.port}`);
    expect(warnings?.[0]).toContain('aclfile');
  });

  test('a user that takes any password is left as it is, because a first password would lock its clients out', async () => {
    const server = await keep(startRedis({ acl: users }));
    const current = await makeUser([server]);
    await asOwner(server, 'ACL', 'SETUSER', current.username, 'nopass');
    const before = await asOwner(server, 'ACL', 'LIST');
    const outcome = await (await loadRedis()).apply(
      stepAt(server, current),
      { ...current, password: newPassword() },
      current,
    );
    expect(outcome).toMatchObject({ kind: 'failed', code: 'target-refused' });
    expect(await asOwner(server, 'ACL', 'LIST')).toEqual(before);
  });

  test('a powerful user whose password nobody knew is not taken over, and neither is the admin', async () => {
    const server = await keep(startRedis({ acl: users }));
    const before = await asOwner(server, 'ACL', 'LIST');
    const rotator = await loadRedis();
    for (const strategy of ['dual-password', 'single-user'] as const) {
      for (const username of [owner.username, 'rotation-admin']) {
        const guessed = { username, password: newPassword() };
        const outcome = await rotator.apply(
          stepAt(server, guessed, strategy),
          { ...guessed, password: newPassword() },
          guessed,
        );
        expect(outcome).toMatchObject({ kind: 'failed', code: 'login-not-safe' });
      }
    }
    expect(await asOwner(server, 'ACL', 'LIST')).toEqual(before);
  });

  test('TLS is verified, on loopback too when it is asked for', async () => {
    const [certificates, others] = [
      await makeCertificates({ hosts: ['localhost'] }),
      await makeCertificates({ hosts: ['localhost'] }),
    ];
    const server = await keep(startRedis({ acl: users, tls: certificates }));
    const current = { username: owner.username, password: newPassword() };
    const step = stepAt({ host: 'localhost', port: server.port }, current);
    const withTls = {
      ...step,
      endpoint: { ...step.endpoint, options: { scheme: 'rediss' } },
      adminEndpoint: { ...step.adminEndpoint, options: { ssl: 'True' } },
    };
    const trusting = await loadRedis({ trustedCertificates: [certificates.ca] });
    expect(await trusting.verify(withTls, current)).toMatchObject({ kind: 'refused' });
    for (const trustedCertificates of [[], [others.ca]]) {
      const rotator = await loadRedis({ trustedCertificates });
      expect(await rotator.verify(withTls, current)).toMatchObject({ kind: 'failed', code: 'target-tls' });
    }
  });
});

describe('a primary and its replica', () => {
  let primary: RedisServer;
  let replica: RedisServer;
  beforeAll(async () => {
    const password = 'password-of-everybody-at-first';
    const options = { password, configFile: true, settings: users.slice(1, 3) };
    primary = await keep(startRedis(options));
    replica = await keep(startRedis({ ...options, replicaOf: primary }));
    await linked(primary, replica);
  });

  test('the replica gets the new password for its primary too, so that the end of the old one cuts nothing', async () => {
    const current: Credential = { password: newPassword() };
    for (const node of [primary, replica]) {
      await asOwner(node, 'CONFIG', 'SET', 'requirepass', current.password.reveal());
      await asOwner(node, 'CONFIG', 'SET', 'masterauth', current.password.reveal());
    }
    const rotator = await loadRedis();
    const candidate = await applied(rotator, stepAt(replica, current));
    expect(await logsInAt([primary, replica], candidate)).toBe(true);
    expect(await rotator.retire(stepAt(replica, candidate), current)).toMatchObject({ kind: 'retired' });
    expect(await logsInAt([primary, replica], current)).toBe(false);
    await asOwner(primary, 'CLIENT', 'KILL', 'TYPE', 'replica');
    await linked(primary, replica);
  });

  test('a node that is down fails the rotation by name, and after it is back the same candidate is applied everywhere', async () => {
    const current = await makeUser([primary, replica]);
    await asOwner(replica, 'CONFIG', 'REWRITE');
    const rotator = await loadRedis();
    const step = stepAt(primary, current);
    const candidate = { ...current, password: newPassword() };
    // The primary forgets a replica that hung up; a Sentinel, like a cluster, does not.
    const sentinel = await keep(startRedisSentinel({ name: 'orders', primary, watchAs: owner }));
    const known = async () => String(await command(sentinel, {}, 'SENTINEL', 'REPLICAS', 'orders'));
    await until(async () => (await known()).includes(`${replica.port}`));
    await replica.halt();
    const viaSentinel = stepAt(sentinel, current);
    expect(await rotator.apply(viaSentinel, candidate, current)).toMatchObject({
      kind: 'failed',
      code: 'target-unreachable',
      message: expect.stringContaining(`${replica.port}`),
    });
    await replica.restart();
    await linked(primary, replica);
    expect(await rotator.apply(viaSentinel, candidate, current)).toMatchObject({ kind: 'applied' });
    expect(await rotator.verify(viaSentinel, candidate)).toEqual({ kind: 'accepted' });
    expect(await logsInAt([primary, replica], candidate)).toBe(true);
    expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
  });

  test('a Sentinel is asked for the primary that the connection names, and one it does not watch is missing', async () => {
    const current = await makeUser([primary, replica]);
    const rotator = await loadRedis();
    const sentinel = await keep(startRedisSentinel({ name: 'orders', primary, watchAs: owner }));
    const naming = (servicename: string) => {
      const step = stepAt(sentinel, current);
      return { ...step, adminEndpoint: { ...step.adminEndpoint, options: { servicename } } };
    };
    const candidate = { ...current, password: newPassword() };
    expect(await rotator.apply(naming('invoices'), candidate, current)).toMatchObject({
      code: 'target-missing',
      message: expect.stringContaining('watches orders, not invoices'),
    });
    expect(await rotator.apply(naming('orders'), candidate, current)).toMatchObject({ kind: 'applied' });
  });

  test('a replacement that stopped half-way is seen as unfinished, and finished by the next attempt', async () => {
    const current = await makeUser([primary, replica]);
    const candidate = { ...current, password: newPassword() };
    await asOwner(replica, 'ACL', 'SETUSER', current.username, 'resetpass', `>${candidate.password.reveal()}`);
    const rotator = await loadRedis();
    const step = stepAt(primary, current, 'single-user');
    expect(await rotator.verify(step, candidate)).toMatchObject({ kind: 'refused' });
    expect(await rotator.verify(step, current)).toEqual({ kind: 'accepted' });
    expect(await rotator.apply(step, candidate, current)).toMatchObject({ kind: 'applied' });
    expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
    expect(await logsInAt([primary, replica], current)).toBe(false);
  });
});

describe('a cluster that grows', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await keep(startRedisCluster({ masters: 3, replicas: 0, acl: users, replicateAs: owner }));
  }, 60_000);

  test('a node that joined after apply is seen before anything is published, and the next attempt covers it', async () => {
    const current = await makeUser(cluster.nodes);
    const [first] = cluster.nodes;
    if (first === undefined) throw new Error('no node');
    const rotator = await loadRedis();
    const step = stepAt(first, current);
    const candidate = await applied(rotator, step);
    const joined = await cluster.addReplica(1);
    expect(await rotator.verify(step, candidate)).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining(`${joined.port}`),
    });
    expect(await rotator.apply(step, candidate, current)).toMatchObject({
      kind: 'failed',
      code: 'target-missing',
      message: expect.stringContaining(`${joined.port}`),
    });
    await asOwner(joined, 'ACL', 'SETUSER', current.username, 'on', `>${current.password.reveal()}`, '~*', '+@all');
    expect(await rotator.apply(step, candidate, current)).toMatchObject({ kind: 'applied' });
    expect(await rotator.verify(step, candidate)).toEqual({ kind: 'accepted' });
    expect(await logsInAt(cluster.nodes, candidate)).toBe(true);
  }, 60_000);
});

test('nodes without an address and strangers shaking hands are no nodes; failed ones are', () => {
  const lines = [
    'a1 10.0.0.1:6379@16379,redis-0.example.com master - 0 0 1 connected 0-5460',
    'a2 10.0.0.2:6379@16379 slave,fail a1 0 0 1 disconnected',
    'a3 :0@0 master,noaddr - 0 0 1 disconnected',
    'a4 10.0.0.4:6379@16379 handshake - 0 0 0 connected',
    'a5 :6380@16380 myself,master - 0 0 2 connected 5461-16383',
    'a6 2001:db8::6:6379@16379 master - 0 0 3 connected',
  ];
  expect(parseClusterNodes(`${lines.join('\n')}\n`, '10.0.0.5')).toEqual([
    { host: 'redis-0.example.com', port: 6379 },
    { host: '10.0.0.2', port: 6379 },
    { host: '10.0.0.5', port: 6380 },
    { host: '2001:db8::6', port: 6379 },
  ]);
});

test('a cluster node that gives no port is no node', () => {
  const lines = [
    '07c3 10.0.0.1:6379@16379,, master - 0 0 1 connected',
    '18d4 10.0.0.2:0@0,, master - 0 0 2 connected',
    '29e5 10.0.0.3:-1@0,, master - 0 0 3 connected',
    '3af6 10.0.0.4:x@0,, master - 0 0 4 connected',
  ];
  expect(parseClusterNodes(lines.join('\n'), 'own')).toEqual([{ host: '10.0.0.1', port: 6379 }]);
});

async function linked(primary: RedisServer, replica: RedisServer): Promise<void> {
  const up = async () => {
    const [here, there] = [
      await asOwner(primary, 'INFO', 'replication'),
      await asOwner(replica, 'INFO', 'replication'),
    ];
    return String(here).includes('state=online') && String(there).includes('master_link_status:up');
  };
  await until(up);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
