using '../../infra/main.bicep'

param environmentName = 'keyturn-closed'
param location = 'westeurope'
param privateNetwork = true
param vaultRole = 'built-in'
param newVaultName = 'contoso-new'
param vaults = [
  { name: 'contoso-kv', resourceGroup: 'shared-rg' }
  {
    name: 'payroll-kv'
    resourceGroup: 'payroll-rg'
    subscriptionId: '22222222-2222-2222-2222-222222222222'
    systemTopicName: 'payroll-events'
    systemTopicResourceGroup: 'events-rg'
  }
]
param settings = { KEYTURN_OVERLAP: 'P3D' }
param apiKeys = 'ci:operator:0000000000000000000000000000000000000000000000000000000000000000'
param notificationTopic = true
param automationAccount = true
param packageUri = 'https://releases.contoso.test/keyturn-0.1.0.zip'
param alwaysReady = 1
