/** The setting that holds the storage account of the queues. */
export const storageConnection = 'AzureWebJobsStorage';
