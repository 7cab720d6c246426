import type { SecretText } from '../contract/secret-text.ts';

/** How the app's storage account is reached: as the settings `AzureWebJobsStorage` or `AzureWebJobsStorage__*` say. */
export type StorageConnection =
  | { readonly kind: 'connection-string'; readonly value: SecretText }
  | {
      readonly kind: 'identity';
      readonly blobServiceUri: string;
      readonly queueServiceUri: string;
      readonly tableServiceUri: string;
    };
