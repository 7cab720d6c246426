@description('An Azure Automation account for the runbook of docs/runbooks.md. It holds no credential: it runs as its own identity, which has no right until somebody gives it a role of the app.')
param name string
param location string
param tags object
@description('Address of the app.')
param appUrl string
@description('Audience of tokens for the app.')
param audience string

resource account 'Microsoft.Automation/automationAccounts@2024-10-23' = {
  name: name
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    sku: { name: 'Basic' }
    disableLocalAuth: true
    publicNetworkAccess: true
  }

  resource url 'variables' = {
    name: 'KEYTURN_URL'
    properties: {
      value: string(appUrl) == '' ? '""' : '"${appUrl}"'
      isEncrypted: true
    }
  }

  resource tokenAudience 'variables' = {
    name: 'KEYTURN_AUDIENCE'
    properties: {
      value: '"${audience}"'
      isEncrypted: true
    }
  }

  // azd's postprovision hook puts the file into it, because a template can only name an address.
  resource runbook 'runbooks' = {
    name: 'rotate_secret'
    location: location
    properties: {
      runbookType: 'Python3'
      description: 'Rotates one secret now: docs/runbooks.md'
      logProgress: false
      logVerbose: false
    }
  }
}

output principalId string = account.identity.principalId
