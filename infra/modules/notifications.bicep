@description('A topic that tells consumers of new versions (docs/notifications.md), and the right of the app to write to it.')
param name string
param location string
param tags object
@description('Principal of the app.')
param principalId string
param publicNetworkAccess 'Enabled' | 'Disabled'

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: publicNetworkAccess
  }
}

var eventGridDataSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'

resource send 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: topic
  name: guid(topic.id, principalId, eventGridDataSender)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventGridDataSender)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

output id string = topic.id
output endpoint string = topic.properties.endpoint
