@description('The events of one vault. Only one topic is allowed for a source.')
param name string
@description('Location of the vault.')
param location string
@description('Resource id of the vault.')
param source string
param tags object

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: source
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

output name string = topic.name
output principalId string = topic.identity.principalId
