@description('One vault: the right of the app, its logs, and the topic of its events.')
param vaultName string
@description('Principal of the app.')
param principalId string
@description('Role that the app gets on the vault.')
param roleDefinitionId string
param workspaceId string
@description('Name of the topic that the vault has already. Empty: one is made.')
param systemTopicName string
param systemTopicResourceGroup string
param tags object

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principalId, roleDefinitionId)
  properties: {
    roleDefinitionId: roleDefinitionId
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// The alert rules read the tables of this setting: they speak when Keyturn itself is dead.
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'keyturn'
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      { category: 'AuditEvent', enabled: true }
      { category: 'AzurePolicyEvaluationDetails', enabled: true }
    ]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module topic 'system-topic.bicep' = if (systemTopicName == '') {
  name: 'keyturn-topic-${uniqueString(vault.id)}'
  params: {
    name: '${vaultName}-events'
    location: vault.location
    source: vault.id
    tags: tags
  }
}

// It has a system-assigned identity already: the preflight adds one, and takes none away.
resource ownTopic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = if (systemTopicName != '') {
  scope: resourceGroup(systemTopicResourceGroup == '' ? resourceGroup().name : systemTopicResourceGroup)
  name: systemTopicName == '' ? 'none' : systemTopicName
}

output vaultUri string = vault.properties.vaultUri
output vaultId string = vault.id
output topicName string = systemTopicName == '' ? topic!.outputs.name : systemTopicName
output topicPrincipalId string = systemTopicName == '' ? topic!.outputs.principalId : ownTopic!.identity.principalId
