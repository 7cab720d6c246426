/** What each operation does to the store and answers. */
import { type Answer, ok } from './answer.ts';
import { maxBackupVersions, readBackup, writeBackup } from './backup.ts';
import {
  badParameter,
  beingDeleted,
  deletedSecretNotFound,
  hindered,
  malformedBackup,
  purgeProtected,
  restoreConflict,
  secretDisabled,
  secretNotFound,
} from './errors.ts';
import { parseRestore, parseSet, parseUpdate } from './input.ts';
import { listingOf, pageBody, readPageRequest } from './paging.ts';
import type { Route } from './route.ts';
import type { DeletedSecret, SecretStore, StoredSecret, StoredVersion, VersionInput } from './store.ts';
import type { Wire } from './wire.ts';

export interface OperationContext {
  readonly vault: string;
  readonly store: SecretStore;
  readonly wire: Wire;
  readonly purgeProtection: boolean;
  readonly numberVersion: () => number;
  /** What a policy says to a version that is to be made now. */
  readonly denial: (name: string, input: VersionInput) => Answer | undefined;
}

export interface OperationRequest {
  readonly route: Route;
  /** Absolute, without the query. */
  readonly address: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

export function perform(context: OperationContext, request: OperationRequest): Answer {
  switch (request.route.operation) {
    case 'set':
      return set(context, request);
    case 'get':
      return get(context, request);
    case 'update':
      return update(context, request);
    case 'delete':
      return withSecret(context, request, (secret) => ok(context.wire.deleted(context.store.delete(secret))));
    case 'backup':
      return withSecret(context, request, backup);
    case 'restore':
      return restore(context, request);
    case 'list':
      return list(context, request);
    case 'versions':
      return versions(context, request);
    case 'list-deleted':
      return listDeleted(context, request);
    case 'get-deleted':
      return withDeleted(context, request, (secret) => ok(context.wire.deleted(secret)));
    case 'recover':
      return recover(context, request);
    case 'purge':
      return purge(context, request);
  }
}

function set({ store, wire, denial }: OperationContext, { route, body }: OperationRequest): Answer {
  const parsed = parseSet(body);
  if (parsed.kind === 'refused') return parsed.answer;
  const denied = denial(route.name, parsed.value.input);
  if (denied !== undefined) return denied;
  const written = store.set(route.name, parsed.value.value, parsed.value.input);
  return written.kind === 'hindered'
    ? hindered(route.name, written.by)
    : ok(wire.withValue(written.secret, written.version));
}

function get(context: OperationContext, request: OperationRequest): Answer {
  return withVersion(context, request, (secret, version) =>
    version.enabled ? ok(context.wire.withValue(secret, version)) : secretDisabled('get'),
  );
}

function update(context: OperationContext, request: OperationRequest): Answer {
  return withVersion(context, request, (secret, version) => {
    const parsed = parseUpdate(request.body);
    if (parsed.kind === 'refused') return parsed.answer;
    const changed = context.store.update(secret, version, parsed.value);
    return ok(context.wire.version(changed.secret, changed.version));
  });
}

function backup(secret: StoredSecret): Answer {
  return secret.versions.size > maxBackupVersions
    ? badParameter(`The secret has more than ${maxBackupVersions} versions and cannot be backed up.`)
    : ok({ value: writeBackup(secret) });
}

function restore({ store, wire, numberVersion }: OperationContext, { body }: OperationRequest): Answer {
  const parsed = parseRestore(body);
  if (parsed.kind === 'refused') return parsed.answer;
  const backedUp = readBackup(parsed.value);
  if (backedUp === undefined) return malformedBackup();
  const { name } = backedUp;
  const versions = backedUp.versions.map((version) => ({ ...version, number: numberVersion() }));
  const restored = store.restore(name, versions);
  // A purge that is still going on shows as this conflict too: callers repeat until it is over.
  const conflict = restoreConflict(`${wire.address}/secrets/${name}/${versions.at(-1)?.id ?? ''}`);
  switch (restored.kind) {
    case 'written':
      return ok(wire.version(restored.secret, restored.version));
    case 'hindered':
      return restored.by === 'deleted' ? hindered(name, restored.by) : conflict;
    case 'exists':
      return conflict;
  }
}

function list({ store, wire }: OperationContext, { query, address }: OperationRequest): Answer {
  const asked = readPageRequest(query, listingOf(new URL(address).pathname));
  if (asked.kind === 'refused') return asked.answer;
  const { items, next } = store.page(Number(asked.page.cursor ?? 0), asked.page.limit);
  const body = items.map((secret) => wire.listed(secret));
  return ok(pageBody(body, address, query, next));
}

function listDeleted({ store, wire }: OperationContext, { query, address }: OperationRequest): Answer {
  const asked = readPageRequest(query, listingOf(new URL(address).pathname));
  if (asked.kind === 'refused') return asked.answer;
  const { items, next } = store.deletedPage(Number(asked.page.cursor ?? 0), asked.page.limit);
  const body = items.map((secret) => wire.deletedListed(secret));
  return ok(pageBody(body, address, query, next));
}

function versions({ store, wire }: OperationContext, { route, query, address }: OperationRequest): Answer {
  const asked = readPageRequest(query, listingOf(new URL(address).pathname));
  if (asked.kind === 'refused') return asked.answer;
  const secret = store.find(route.name);
  // The service lists the versions of an unknown name as none, not as an error.
  if (secret === undefined) return ok(pageBody([], address, query));
  const { items, next } = store.versionPage(secret, String(asked.page.cursor ?? ''), asked.page.limit);
  const body = items.map((version) => wire.version(secret, version));
  return ok(pageBody(body, address, query, next));
}

function recover(context: OperationContext, request: OperationRequest): Answer {
  return withDeleted(context, request, (deleted) => {
    const secret = context.store.recover(deleted);
    return ok(context.wire.version(secret, secret.newest));
  });
}

function purge(context: OperationContext, request: OperationRequest): Answer {
  return withDeleted(context, request, (deleted) => {
    if (context.purgeProtection) return purgeProtected(context.vault);
    context.store.purge(deleted);
    return { status: 204 };
  });
}

function withSecret(
  { store }: OperationContext,
  { route }: OperationRequest,
  then: (secret: StoredSecret) => Answer,
): Answer {
  const secret = store.find(route.name);
  return secret === undefined ? secretNotFound(route.name) : then(secret);
}

function withVersion(
  context: OperationContext,
  request: OperationRequest,
  then: (secret: StoredSecret, version: StoredVersion) => Answer,
): Answer {
  return withSecret(context, request, (secret) => {
    const { version } = request.route;
    if (version === undefined) return then(secret, secret.newest);
    const found = secret.versions.get(version);
    return found === undefined ? secretNotFound(`${request.route.name}/${version}`) : then(secret, found);
  });
}

function withDeleted(
  { store }: OperationContext,
  { route }: OperationRequest,
  then: (secret: DeletedSecret) => Answer,
): Answer {
  const deleted = store.findDeleted(route.name);
  if (deleted !== undefined) return then(deleted);
  // Reading says "not found" until the deletion is complete, which is what a poller waits on; acting on it is a conflict.
  if (route.operation !== 'get-deleted' && store.deletedHindrance(route.name) !== undefined) return beingDeleted();
  return route.operation === 'recover' ? secretNotFound(route.name) : deletedSecretNotFound(route.name);
}
