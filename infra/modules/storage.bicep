@description('Queues, tables, leases and the package of the app. No shared key, no anonymous access.')
param name string
param location string
param tags object
@description('True: only private endpoints and Azure\'s trusted services, Event Grid among them, reach it.')
param closed bool
@description('Principal of the app.')
param principalId string

// What the app and the Functions host do with the account; the names are those of Microsoft's list of built-in roles.
var roles = {
  blob: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // Storage Blob Data Owner: leases, the host's locks, the package
  queue: '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // Storage Queue Data Contributor
  table: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' // Storage Table Data Contributor
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled'
    // Event Grid passes a closed firewall as a trusted service, with the system-assigned identity of its topic.
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: closed ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'

  resource package 'containers' = {
    name: 'package'
    properties: { publicAccess: 'None' }
  }

  resource deadLetters 'containers' = {
    name: 'dead-letters'
    properties: { publicAccess: 'None' }
  }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'

  // The app makes its other queues when it starts. This one is there before an event subscription names it.
  resource secretEvents 'queues' = {
    name: 'secret-events'
  }
}

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(roles): {
    scope: account
    name: guid(account.id, principalId, role.value)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

output id string = account.id
output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
output queueEndpoint string = account.properties.primaryEndpoints.queue
output tableEndpoint string = account.properties.primaryEndpoints.table
output packageContainer string = blobs::package.name
output deadLetterContainer string = blobs::deadLetters.name
output eventQueue string = queues::secretEvents.name
