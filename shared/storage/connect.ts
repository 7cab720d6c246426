/** The three clients of the app's storage account. They open no connection until they are used. */
import type { TokenCredential } from '@azure/core-auth';
import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import type { StorageConnection } from '../config/storage-connection.ts';

// A lease that takes long to get is worth less, and a rotation comes again from its queue: short tries, and few.
const retryOptions = { maxTries: 3, tryTimeoutInMs: 10_000, retryDelayInMs: 250, maxRetryDelayInMs: 2_000 };
const tableRetryOptions = { maxRetries: 2, retryDelayInMs: 250, maxRetryDelayInMs: 2_000 };

/**
 * Longest time of one call with all its tries, in ms. The clients' own time of a try does not end one: a service that accepts a connection and
 * never answers held a call for minutes.
 */
const longestCallMs = 7_000;

export interface StorageClients {
  readonly blobs: BlobServiceClient;
  readonly queues: QueueServiceClient;
  readonly table: (name: string) => TableClient;
  /** To be given to each call, anew: its deadline. */
  readonly within: () => { readonly abortSignal: AbortSignal };
}

/**
 * `credential` is used only where the connection is by identity. Plain http has been refused by the settings but for loopback. `callMs` is for
 * tests.
 */
export function connectStorage(
  connection: StorageConnection,
  credential: TokenCredential,
  callMs = longestCallMs,
): StorageClients {
  const within = () => ({ abortSignal: AbortSignal.timeout(callMs) });
  if (connection.kind === 'connection-string') {
    const text = connection.value.reveal();
    const plain = /(^|;)\s*(TableEndpoint=http:|DefaultEndpointsProtocol=http;|UseDevelopmentStorage=true)/i.test(
      `${text};`,
    );
    return {
      within,
      blobs: BlobServiceClient.fromConnectionString(text, { retryOptions }),
      queues: QueueServiceClient.fromConnectionString(text, { retryOptions }),
      table: (name) =>
        TableClient.fromConnectionString(text, name, {
          retryOptions: tableRetryOptions,
          allowInsecureConnection: plain,
        }),
    };
  }
  return {
    within,
    blobs: new BlobServiceClient(connection.blobServiceUri, credential, { retryOptions }),
    queues: new QueueServiceClient(connection.queueServiceUri, credential, { retryOptions }),
    table: (name) => new TableClient(connection.tableServiceUri, name, credential, { retryOptions: tableRetryOptions }),
  };
}
