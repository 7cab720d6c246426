@description('Where logs go: a Log Analytics workspace, and Application Insights that takes telemetry from identities alone.')
param name string
param location string
param tags object
@description('Principal of the app.')
param principalId string
@description('Resource id of a workspace that is used instead of a new one.')
param workspaceId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = if (workspaceId == '') {
  name: name
  location: location
  tags: tags
  properties: {
    retentionInDays: 30
    sku: { name: 'PerGB2018' }
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspaceId == '' ? workspace.id : workspaceId
    DisableLocalAuth: true
  }
}

var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, principalId, monitoringMetricsPublisher)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

output workspaceId string = workspaceId == '' ? workspace.id : workspaceId
output insightsName string = insights.name
