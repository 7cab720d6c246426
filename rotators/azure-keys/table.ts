/**
 * Azure resources that hold two keys, one row each: how Azure Resource Manager lists and regenerates them.
 *
 * Source of every row: the Azure REST API specifications of the api-version in it.
 */

/** One key slot of a resource. Slots come in pairs: while one is published the other is free to be regenerated. */
export interface SlotRow {
  readonly slot: string;
  /** The other slot of the pair, with the same rights. */
  readonly partner: string;
  /** The action that regenerates it, after the resource id. */
  readonly action: string;
  /** Body of that action; App Configuration takes the key's id instead. */
  readonly body?: Readonly<Record<string, string>> | 'id';
}

/** Where the listing has its keys. */
export type KeyPlace =
  /** One field per slot. */
  | { readonly at: 'fields'; readonly fields: Readonly<Record<string, string>> }
  /** One item per slot, told by the field `name`. */
  | { readonly at: 'items'; readonly list: string; readonly name: string; readonly paged?: boolean };

type Properties = Readonly<Record<string, unknown>>;

/** Which data-plane call proves a key; `none` where the service has no cheap one, or none whose address the resource itself names. */
export type LoginName =
  | 'storage'
  | 'cosmos'
  | 'redis'
  | 'redis-enterprise'
  | 'service-bus'
  | 'event-hubs'
  | 'openai'
  | 'search'
  | 'container-registry'
  | 'batch'
  | 'app-configuration'
  | 'none';

export interface ResourceRow {
  /** Types and, between them, where names stand: `Microsoft.Search/searchServices`. */
  readonly types: readonly string[];
  readonly apiVersion: string;
  readonly list: string;
  readonly keys: KeyPlace;
  readonly slots: readonly SlotRow[];
  /** Which resource says whether keys are switched off: the resource itself, or the one that it is part of. */
  readonly switchAt: 'self' | 'owner';
  /** The setting that switched keys off, as a message shows it; undefined while they work. */
  readonly switchedOff: (properties: Properties) => string | undefined;
  readonly login: LoginName;
}

const isSet = (name: string, value: unknown) => (properties: Properties) =>
  properties[name] === value ? `${name} is ${String(value)}` : undefined;
const localAuth = isSet('disableLocalAuth', true);
const neverOff = () => undefined;

function pair(
  first: string,
  second: string,
  regenerate: (slot: string) => Omit<SlotRow, 'slot' | 'partner'>,
): SlotRow[] {
  return [
    { slot: first, partner: second, ...regenerate(first) },
    { slot: second, partner: first, ...regenerate(second) },
  ];
}

const primaryAndSecondary: KeyPlace = {
  at: 'fields',
  fields: { Primary: 'primaryKey', Secondary: 'secondaryKey' },
};
const byKeyType = pair('Primary', 'Secondary', (slot) => ({ action: 'regenerateKey', body: { keyType: slot } }));
const keyFields: KeyPlace = { at: 'fields', fields: { PrimaryKey: 'primaryKey', SecondaryKey: 'secondaryKey' } };
const ruleKeys = {
  list: 'listKeys',
  keys: keyFields,
  slots: pair('PrimaryKey', 'SecondaryKey', (slot) => ({ action: 'regenerateKeys', body: { keyType: slot } })),
  switchAt: 'owner',
  switchedOff: localAuth,
} as const;

export const resourceRows: readonly ResourceRow[] = [
  {
    types: ['Microsoft.Storage/storageAccounts'],
    apiVersion: '2025-08-01',
    list: 'listKeys',
    keys: { at: 'items', list: 'keys', name: 'keyName' },
    slots: pair('key1', 'key2', (slot) => ({ action: 'regenerateKey', body: { keyName: slot } })),
    switchAt: 'self',
    switchedOff: isSet('allowSharedKeyAccess', false),
    login: 'storage',
  },
  {
    types: ['Microsoft.DocumentDB/databaseAccounts'],
    apiVersion: '2025-10-15',
    list: 'listKeys',
    keys: {
      at: 'fields',
      fields: {
        primary: 'primaryMasterKey',
        secondary: 'secondaryMasterKey',
        primaryReadonly: 'primaryReadonlyMasterKey',
        secondaryReadonly: 'secondaryReadonlyMasterKey',
      },
    },
    slots: [
      ...pair('primary', 'secondary', (slot) => ({ action: 'regenerateKey', body: { keyKind: slot } })),
      ...pair('primaryReadonly', 'secondaryReadonly', (slot) => ({ action: 'regenerateKey', body: { keyKind: slot } })),
    ],
    switchAt: 'self',
    switchedOff: localAuth,
    login: 'cosmos',
  },
  {
    types: ['Microsoft.Cache/redis'],
    apiVersion: '2024-11-01',
    list: 'listKeys',
    keys: primaryAndSecondary,
    slots: byKeyType,
    switchAt: 'self',
    switchedOff: isSet('disableAccessKeyAuthentication', true),
    login: 'redis',
  },
  {
    types: ['Microsoft.Cache/redisEnterprise/databases'],
    apiVersion: '2025-07-01',
    list: 'listKeys',
    keys: primaryAndSecondary,
    slots: byKeyType,
    switchAt: 'self',
    switchedOff: isSet('accessKeysAuthentication', 'Disabled'),
    login: 'redis-enterprise',
  },
  {
    types: [
      'Microsoft.ServiceBus/namespaces/authorizationRules',
      'Microsoft.ServiceBus/namespaces/queues/authorizationRules',
      'Microsoft.ServiceBus/namespaces/topics/authorizationRules',
    ],
    apiVersion: '2021-11-01',
    ...ruleKeys,
    login: 'service-bus',
  },
  {
    types: [
      'Microsoft.EventHub/namespaces/authorizationRules',
      'Microsoft.EventHub/namespaces/eventhubs/authorizationRules',
    ],
    apiVersion: '2024-01-01',
    ...ruleKeys,
    login: 'event-hubs',
  },
  {
    types: [
      'Microsoft.Relay/namespaces/authorizationRules',
      'Microsoft.Relay/namespaces/hybridConnections/authorizationRules',
      'Microsoft.Relay/namespaces/wcfRelays/authorizationRules',
    ],
    apiVersion: '2017-04-01',
    ...ruleKeys,
    login: 'none',
  },
  {
    types: [
      'Microsoft.NotificationHubs/namespaces/AuthorizationRules',
      'Microsoft.NotificationHubs/namespaces/notificationHubs/AuthorizationRules',
    ],
    apiVersion: '2017-04-01',
    ...ruleKeys,
    slots: pair('PrimaryKey', 'SecondaryKey', (slot) => ({ action: 'regenerateKeys', body: { policyKey: slot } })),
    login: 'none',
  },
  {
    types: ['Microsoft.CognitiveServices/accounts'],
    apiVersion: '2025-09-01',
    list: 'listKeys',
    keys: { at: 'fields', fields: { Key1: 'key1', Key2: 'key2' } },
    slots: pair('Key1', 'Key2', (slot) => ({ action: 'regenerateKey', body: { keyName: slot } })),
    switchAt: 'self',
    switchedOff: localAuth,
    login: 'openai',
  },
  {
    types: ['Microsoft.Search/searchServices'],
    apiVersion: '2025-05-01',
    list: 'listAdminKeys',
    keys: { at: 'fields', fields: { primary: 'primaryKey', secondary: 'secondaryKey' } },
    slots: pair('primary', 'secondary', (slot) => ({ action: `regenerateAdminKey/${slot}` })),
    switchAt: 'self',
    switchedOff: localAuth,
    login: 'search',
  },
  {
    types: ['Microsoft.ApiManagement/service/subscriptions'],
    apiVersion: '2024-05-01',
    list: 'listSecrets',
    keys: primaryAndSecondary,
    slots: pair('Primary', 'Secondary', (slot) => ({ action: `regenerate${slot}Key` })),
    switchAt: 'self',
    switchedOff: neverOff,
    login: 'none',
  },
  {
    types: ['Microsoft.EventGrid/topics', 'Microsoft.EventGrid/domains'],
    apiVersion: '2022-06-15',
    list: 'listKeys',
    keys: { at: 'fields', fields: { key1: 'key1', key2: 'key2' } },
    slots: pair('key1', 'key2', (slot) => ({ action: 'regenerateKey', body: { keyName: slot } })),
    switchAt: 'self',
    switchedOff: localAuth,
    login: 'none',
  },
  {
    types: ['Microsoft.SignalRService/signalR'],
    apiVersion: '2023-02-01',
    list: 'listKeys',
    keys: primaryAndSecondary,
    slots: byKeyType,
    switchAt: 'self',
    switchedOff: localAuth,
    login: 'none',
  },
  {
    types: ['Microsoft.SignalRService/webPubSub'],
    apiVersion: '2024-03-01',
    list: 'listKeys',
    keys: primaryAndSecondary,
    slots: byKeyType,
    switchAt: 'self',
    switchedOff: localAuth,
    login: 'none',
  },
  {
    types: ['Microsoft.Batch/batchAccounts'],
    apiVersion: '2023-11-01',
    list: 'listKeys',
    keys: { at: 'fields', fields: { Primary: 'primary', Secondary: 'secondary' } },
    slots: pair('Primary', 'Secondary', (slot) => ({ action: 'regenerateKeys', body: { keyName: slot } })),
    switchAt: 'self',
    switchedOff: ({ allowedAuthenticationModes: modes }) =>
      Array.isArray(modes) && !modes.includes('SharedKey') ? 'allowedAuthenticationModes lacks SharedKey' : undefined,
    login: 'batch',
  },
  {
    types: ['Microsoft.Maps/accounts'],
    apiVersion: '2023-06-01',
    list: 'listKeys',
    keys: { at: 'fields', fields: { primary: 'primaryKey', secondary: 'secondaryKey' } },
    slots: pair('primary', 'secondary', (slot) => ({ action: 'regenerateKey', body: { keyType: slot } })),
    switchAt: 'self',
    switchedOff: localAuth,
    login: 'none',
  },
  {
    types: ['Microsoft.AppConfiguration/configurationStores'],
    apiVersion: '2023-03-01',
    list: 'listKeys',
    keys: { at: 'items', list: 'value', name: 'name', paged: true },
    slots: [
      ...pair('Primary', 'Secondary', () => ({ action: 'regenerateKey', body: 'id' })),
      ...pair('Primary Read Only', 'Secondary Read Only', () => ({ action: 'regenerateKey', body: 'id' })),
    ],
    switchAt: 'self',
    switchedOff: localAuth,
    login: 'app-configuration',
  },
  {
    types: ['Microsoft.ContainerRegistry/registries'],
    apiVersion: '2025-11-01',
    list: 'listCredentials',
    keys: { at: 'items', list: 'passwords', name: 'name' },
    slots: pair('password', 'password2', (slot) => ({ action: 'regenerateCredential', body: { name: slot } })),
    switchAt: 'self',
    switchedOff: isSet('adminUserEnabled', false),
    login: 'container-registry',
  },
];
