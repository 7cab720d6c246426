/** A storage account behind wires: it can be taken away, and all that was ever sent to it can be searched. */
import { type Azurite, startAzurite } from '../../local/azurite.ts';
import { startWire, type Wire } from './wire.ts';

export interface WiredStorage extends Azurite {
  cut(): void;
  /** One service accepts and never answers. */
  silence(service: 'blob' | 'queue' | 'table'): void;
  mend(): void;
  refused(): number;
  sent(): string;
}

export async function startWiredStorage(): Promise<WiredStorage> {
  const azurite = await startAzurite();
  const wires: Wire[] = [];
  const order = ['blob', 'queue', 'table'];
  const through = async (url: string): Promise<string> => {
    const wired = new URL(url);
    const wire = await startWire(Number(wired.port));
    wires.push(wire);
    wired.port = String(wire.port);
    return wired.href;
  };
  const [blobUrl, queueUrl, tableUrl] = [
    await through(azurite.blobUrl),
    await through(azurite.queueUrl),
    await through(azurite.tableUrl),
  ];
  const { account, key } = azurite;
  return {
    ...{ account, key, blobUrl, queueUrl, tableUrl },
    connectionString: `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key};BlobEndpoint=${blobUrl};QueueEndpoint=${queueUrl};TableEndpoint=${tableUrl};`,
    cut: () => {
      for (const wire of wires) wire.cut();
    },
    silence: (service) => wires[order.indexOf(service)]?.silence(),
    mend: () => {
      for (const wire of wires) wire.mend();
    },
    refused: () => wires.reduce((sum, wire) => sum + wire.refused(), 0),
    sent: () => wires.map((wire) => wire.sent()).join('\n'),
    close: async () => {
      for (const wire of wires) await wire.close();
      await azurite.close();
    },
  };
}
