// Everything of Keyturn that stands in one resource group, and what it needs at the vaults. Both ways in use it: main.bicep and button.bicep.
import { vault, thresholds } from 'modules/types.bicep'

@description('Part of every name, unique to this deployment.')
param token string
param location string
param tags object
param azdServiceName string
param vaults vault[]
param newVaultName string
@allowed(['custom', 'built-in'])
param vaultRole string
param settings object
param apiKeys string
param entraClientId string
param privateNetwork bool
param addressPrefix string
param appSubnetId string
param endpointSubnetId string
param dnsZones bool
param sitePublicAccess bool
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReady int
param zoneRedundant bool
param workspaceId string
param alertEmails array
param actionGroupIds array
param limits thresholds
param notificationTopic bool
param automationAccount bool
param packageUri string
@description('Make the secret keyturn-selftest in the new vault, due at once.')
param selftest bool
@description('Its value.')
@secure()
param selftestValue string
@description('When that secret expires, in seconds since 1970.')
param selftestExpires int

var name = 'keyturn-${token}'
var keyVaultSecretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
var pages = 'docs/on-call/'

var makesVault = empty(vaults) || newVaultName != ''
var madeVaultName = newVaultName == '' ? 'kv-${token}' : newVaultName
var made = makesVault
  ? [
      {
        name: madeVaultName
        resourceGroup: resourceGroup().name
        subscriptionId: subscription().subscriptionId
        systemTopicName: ''
        systemTopicResourceGroup: ''
      }
    ]
  : []
var given = map(vaults, one => {
  name: one.name
  resourceGroup: one.resourceGroup
  subscriptionId: empty(one.?subscriptionId) ? subscription().subscriptionId : one.subscriptionId!
  systemTopicName: one.?systemTopicName ?? ''
  systemTopicResourceGroup: one.?systemTopicResourceGroup ?? ''
})
var all = concat(made, given)
var subscriptions = union(map(all, one => one.subscriptionId), [])

module identity 'modules/identity.bicep' = {
  name: 'keyturn-identity'
  params: { name: name, location: location, tags: tags }
}

module storage 'modules/storage.bicep' = {
  name: 'keyturn-storage'
  params: {
    name: 'keyturn${token}'
    location: location
    tags: tags
    closed: privateNetwork
    principalId: identity.outputs.principalId
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'keyturn-monitoring'
  params: {
    name: name
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    workspaceId: workspaceId
  }
}

module newVault 'modules/vault.bicep' = if (makesVault) {
  name: 'keyturn-vault'
  params: { name: madeVaultName, location: location, tags: tags, closed: privateNetwork }
}

module selftestSecret 'modules/selftest-secret.bicep' = if (makesVault && selftest) {
  name: 'keyturn-selftest'
  params: { vaultName: newVault!.outputs.name, value: selftestValue, expires: selftestExpires }
}

module roles 'modules/vault-role.bicep' = [
  for id in subscriptions: if (vaultRole == 'custom') {
    name: 'keyturn-role-${token}'
    scope: subscription(id)
    params: { name: 'Keyturn ${token}' }
  }
]

module access 'modules/vault-access.bicep' = [
  for (one, index) in all: {
    name: 'keyturn-vault-${index}-${token}'
    scope: resourceGroup(one.subscriptionId, one.resourceGroup)
    params: {
      vaultName: one.name
      principalId: identity.outputs.principalId
      roleDefinitionId: vaultRole == 'custom'
        ? subscriptionResourceId(
            one.subscriptionId,
            'Microsoft.Authorization/roleDefinitions',
            guid('/subscriptions/${one.subscriptionId}', 'Keyturn ${token}')
          )
        : subscriptionResourceId(one.subscriptionId, 'Microsoft.Authorization/roleDefinitions', keyVaultSecretsOfficer)
      workspaceId: monitoring.outputs.workspaceId
      systemTopicName: one.systemTopicName
      systemTopicResourceGroup: one.systemTopicResourceGroup
      tags: tags
    }
    dependsOn: [newVault, roles]
  }
]

module eventRights 'modules/event-rights.bicep' = [
  for (one, index) in all: {
    name: 'keyturn-event-rights-${index}'
    params: {
      storageName: storage.outputs.name
      eventQueue: storage.outputs.eventQueue
      deadLetterContainer: storage.outputs.deadLetterContainer
      principalId: access[index].outputs.topicPrincipalId
    }
  }
]

module group 'modules/action-group.bicep' = if (!empty(alertEmails)) {
  name: 'keyturn-action-group'
  params: { name: name, tags: tags, emails: alertEmails }
}

var told = concat(actionGroupIds, empty(alertEmails) ? [] : [resourceId('Microsoft.Insights/actionGroups', name)])

module events 'modules/event-subscription.bicep' = [
  for (one, index) in all: {
    name: 'keyturn-events-${index}-${token}'
    scope: resourceGroup(
      one.subscriptionId,
      one.systemTopicResourceGroup == '' ? one.resourceGroup : one.systemTopicResourceGroup
    )
    params: {
      topicName: access[index].outputs.topicName
      storageId: storage.outputs.id
      eventQueue: storage.outputs.eventQueue
      deadLetterContainer: storage.outputs.deadLetterContainer
      name: name
      actionGroupIds: told
    }
    dependsOn: [eventRights, group]
  }
]

module notifications 'modules/notifications.bicep' = if (notificationTopic) {
  name: 'keyturn-notifications'
  params: {
    name: '${name}-news'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    publicNetworkAccess: 'Enabled'
  }
}

module network 'modules/closed-network.bicep' = if (privateNetwork) {
  name: 'keyturn-network'
  params: {
    name: name
    location: location
    tags: tags
    addressPrefix: addressPrefix
    appSubnetId: appSubnetId
    endpointSubnetId: endpointSubnetId
    dnsZones: dnsZones
    storageId: storage.outputs.id
    vaultIds: [for one in all: resourceId(one.subscriptionId, one.resourceGroup, 'Microsoft.KeyVault/vaults', one.name)]
  }
  dependsOn: [newVault]
}

var signIn = empty(entraClientId) ? '' : 'api://${entraClientId}'

module app 'modules/app.bicep' = {
  name: 'keyturn-app'
  params: {
    name: name
    planName: name
    location: location
    tags: tags
    azdServiceName: azdServiceName
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    packageContainer: storage.outputs.packageContainer
    insightsName: monitoring.outputs.insightsName
    vaultUris: [for one in all: 'https://${one.name}${environment().suffixes.keyvaultDns}']
    settings: union(
      notificationTopic
        ? {
            KEYTURN_CHANNELS: string({ events: { kind: 'event-grid', endpoint: notifications!.outputs.endpoint } })
            KEYTURN_NOTIFY: 'events'
          }
        : {},
      settings
    )
    apiKeys: apiKeys
    entraClientId: entraClientId
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    publicNetworkAccess: sitePublicAccess ? 'Enabled' : 'Disabled'
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    packageUri: packageUri
  }
  dependsOn: [access]
}

// The site's own endpoint comes last: it needs the site, and the site needs the network.
module siteEndpoint 'modules/site-endpoint.bicep' = if (privateNetwork) {
  name: 'keyturn-site-endpoint'
  params: {
    name: name
    location: location
    tags: tags
    siteId: app.outputs.id
    subnetId: network!.outputs.endpointSubnetId
    networkId: network!.outputs.networkId
    dnsZones: dnsZones
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'keyturn-alerts'
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    actionGroupIds: told
    vaultIds: [for one in all: resourceId(one.subscriptionId, one.resourceGroup, 'Microsoft.KeyVault/vaults', one.name)]
    topicIds: [
      for one in all: resourceId(
        one.subscriptionId,
        one.systemTopicResourceGroup == '' ? one.resourceGroup : one.systemTopicResourceGroup,
        'Microsoft.EventGrid/systemTopics',
        one.systemTopicName == '' ? '${one.name}-events' : one.systemTopicName
      )
    ]
    principalId: identity.outputs.principalId
    clientId: identity.outputs.clientId
    limits: limits
    pages: pages
  }
  dependsOn: [events]
}

module automation 'modules/automation.bicep' = if (automationAccount) {
  name: 'keyturn-automation'
  params: {
    name: name
    location: location
    tags: tags
    appUrl: 'https://${app.outputs.hostName}'
    audience: signIn
  }
}

output appName string = app.outputs.name
output appUrl string = 'https://${app.outputs.hostName}'
output principalId string = identity.outputs.principalId
output vaultNames array = [for one in all: one.name]
output storageName string = storage.outputs.name
output automationAccountName string = automationAccount ? name : ''
