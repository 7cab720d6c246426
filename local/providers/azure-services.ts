/** How each service answers Resource Manager calls about keys. Written from the services' specifications, apart from Keyturn's table. */

type Body = Readonly<Record<string, unknown>> | undefined;

export interface Service {
  readonly apiVersion: string;
  /** Which slots the resource has, and how long its keys are in bytes. */
  readonly slots: readonly string[];
  readonly list: string;
  readonly listing: (keys: ReadonlyMap<string, string>, ids: ReadonlyMap<string, string>) => unknown;
  /** The slot that an action with a body regenerates; undefined is a bad request or an unknown action. */
  readonly regenerates: (action: string, body: Body, ids: ReadonlyMap<string, string>) => string | undefined;
  /** `inline`: 200. `operation`: 202 with Azure-AsyncOperation. `location`: 202 with Location. `empty`: 202 alone. `none`: 204. */
  readonly answer: 'inline' | 'operation' | 'location' | 'empty' | 'none';
}

function only(body: Body, field: string): string | undefined {
  const value = body?.[field];
  return typeof value === 'string' && Object.keys(body ?? {}).length === 1 ? value : undefined;
}

function byBody(slots: readonly string[], action: string, field: string): Pick<Service, 'regenerates' | 'slots'> {
  return {
    slots,
    regenerates: (asked, body) => {
      const slot = only(body, field);
      return asked === action && slot !== undefined && slots.includes(slot) ? slot : undefined;
    },
  };
}

function byPath(paths: Readonly<Record<string, string>>): Pick<Service, 'regenerates' | 'slots'> {
  return { slots: Object.values(paths), regenerates: (asked, body) => (body === undefined ? paths[asked] : undefined) };
}

const fields = (names: Readonly<Record<string, string>>) => (keys: ReadonlyMap<string, string>) =>
  Object.fromEntries(Object.entries(names).map(([slot, field]) => [field, keys.get(slot)]));

const rule = (apiVersion: string, field: string): Service => ({
  apiVersion,
  ...byBody(['PrimaryKey', 'SecondaryKey'], 'regenerateKeys', field),
  list: 'listKeys',
  listing: (keys) => ({
    primaryKey: keys.get('PrimaryKey'),
    secondaryKey: keys.get('SecondaryKey'),
    primaryConnectionString: `Endpoint=sb://ns/;SharedAccessKeyName=r;SharedAccessKey=${keys.get('PrimaryKey')}`,
    secondaryConnectionString: `Endpoint=sb://ns/;SharedAccessKeyName=r;SharedAccessKey=${keys.get('SecondaryKey')}`,
    keyName: 'r',
  }),
  answer: 'inline',
});

const primarySecondary = (apiVersion: string, answer: Service['answer']): Service => ({
  apiVersion,
  ...byBody(['Primary', 'Secondary'], 'regenerateKey', 'keyType'),
  list: 'listKeys',
  listing: fields({ Primary: 'primaryKey', Secondary: 'secondaryKey' }),
  answer,
});

const configurationSlots = ['Primary', 'Secondary', 'Primary Read Only', 'Secondary Read Only'] as const;

/** By type, in lower case. */
export const services: Readonly<Record<string, Service>> = {
  'microsoft.storage/storageaccounts': {
    apiVersion: '2025-08-01',
    ...byBody(['key1', 'key2'], 'regenerateKey', 'keyName'),
    list: 'listKeys',
    listing: (keys) => ({
      keys: [...keys].map(([keyName, value]) => ({
        keyName,
        value,
        permissions: 'FULL',
        creationTime: '2026-01-01T00:00:00Z',
      })),
    }),
    answer: 'inline',
  },
  'microsoft.documentdb/databaseaccounts': {
    apiVersion: '2025-10-15',
    ...byBody(['primary', 'secondary', 'primaryReadonly', 'secondaryReadonly'], 'regenerateKey', 'keyKind'),
    list: 'listKeys',
    listing: fields({
      primary: 'primaryMasterKey',
      secondary: 'secondaryMasterKey',
      primaryReadonly: 'primaryReadonlyMasterKey',
      secondaryReadonly: 'secondaryReadonlyMasterKey',
    }),
    answer: 'operation',
  },
  'microsoft.cache/redis': primarySecondary('2024-11-01', 'inline'),
  'microsoft.cache/redisenterprise/databases': primarySecondary('2025-07-01', 'location'),
  'microsoft.servicebus/namespaces/authorizationrules': rule('2021-11-01', 'keyType'),
  'microsoft.servicebus/namespaces/queues/authorizationrules': rule('2021-11-01', 'keyType'),
  'microsoft.servicebus/namespaces/topics/authorizationrules': rule('2021-11-01', 'keyType'),
  'microsoft.eventhub/namespaces/authorizationrules': rule('2024-01-01', 'keyType'),
  'microsoft.eventhub/namespaces/eventhubs/authorizationrules': rule('2024-01-01', 'keyType'),
  'microsoft.relay/namespaces/authorizationrules': rule('2017-04-01', 'keyType'),
  'microsoft.relay/namespaces/hybridconnections/authorizationrules': rule('2017-04-01', 'keyType'),
  'microsoft.relay/namespaces/wcfrelays/authorizationrules': rule('2017-04-01', 'keyType'),
  'microsoft.notificationhubs/namespaces/authorizationrules': rule('2017-04-01', 'policyKey'),
  'microsoft.notificationhubs/namespaces/notificationhubs/authorizationrules': rule('2017-04-01', 'policyKey'),
  'microsoft.cognitiveservices/accounts': {
    apiVersion: '2025-09-01',
    ...byBody(['Key1', 'Key2'], 'regenerateKey', 'keyName'),
    list: 'listKeys',
    listing: fields({ Key1: 'key1', Key2: 'key2' }),
    answer: 'inline',
  },
  'microsoft.search/searchservices': {
    apiVersion: '2025-05-01',
    ...byPath({ 'regenerateAdminKey/primary': 'primary', 'regenerateAdminKey/secondary': 'secondary' }),
    list: 'listAdminKeys',
    listing: fields({ primary: 'primaryKey', secondary: 'secondaryKey' }),
    answer: 'inline',
  },
  'microsoft.apimanagement/service/subscriptions': {
    apiVersion: '2024-05-01',
    ...byPath({ regeneratePrimaryKey: 'Primary', regenerateSecondaryKey: 'Secondary' }),
    list: 'listSecrets',
    listing: fields({ Primary: 'primaryKey', Secondary: 'secondaryKey' }),
    answer: 'none',
  },
  'microsoft.eventgrid/topics': {
    apiVersion: '2022-06-15',
    ...byBody(['key1', 'key2'], 'regenerateKey', 'keyName'),
    list: 'listKeys',
    listing: fields({ key1: 'key1', key2: 'key2' }),
    answer: 'empty',
  },
  'microsoft.eventgrid/domains': {
    apiVersion: '2022-06-15',
    ...byBody(['key1', 'key2'], 'regenerateKey', 'keyName'),
    list: 'listKeys',
    listing: fields({ key1: 'key1', key2: 'key2' }),
    answer: 'inline',
  },
  'microsoft.signalrservice/signalr': primarySecondary('2023-02-01', 'operation'),
  'microsoft.signalrservice/webpubsub': primarySecondary('2024-03-01', 'location'),
  'microsoft.batch/batchaccounts': {
    apiVersion: '2023-11-01',
    ...byBody(['Primary', 'Secondary'], 'regenerateKeys', 'keyName'),
    list: 'listKeys',
    listing: (keys) => ({ accountName: 'b', primary: keys.get('Primary'), secondary: keys.get('Secondary') }),
    answer: 'inline',
  },
  'microsoft.maps/accounts': {
    apiVersion: '2023-06-01',
    ...byBody(['primary', 'secondary'], 'regenerateKey', 'keyType'),
    list: 'listKeys',
    listing: fields({ primary: 'primaryKey', secondary: 'secondaryKey' }),
    answer: 'inline',
  },
  'microsoft.appconfiguration/configurationstores': {
    apiVersion: '2023-03-01',
    slots: configurationSlots,
    regenerates: (action, body, ids) => {
      const id = only(body, 'id');
      return action === 'regenerateKey' ? [...ids].find(([, known]) => known === id)?.[0] : undefined;
    },
    list: 'listKeys',
    listing: (keys, ids) => ({
      value: [...keys].map(([name, value]) => ({
        id: ids.get(name),
        name,
        value,
        connectionString: `Endpoint=https://store.azconfig.io;Id=${ids.get(name)};Secret=${value}`,
        readOnly: name.endsWith('Read Only'),
      })),
    }),
    answer: 'inline',
  },
  'microsoft.containerregistry/registries': {
    apiVersion: '2025-11-01',
    ...byBody(['password', 'password2'], 'regenerateCredential', 'name'),
    list: 'listCredentials',
    listing: (keys) => ({ username: 'registry', passwords: [...keys].map(([name, value]) => ({ name, value })) }),
    answer: 'inline',
  },
};
