@description('A new vault for the secrets that are rotated. Rights are roles, a deleted secret can be had back, and nobody can purge it before its time.')
param name string
param location string
param tags object
@description('True: only private endpoints and Azure\'s trusted services reach it.')
param closed bool

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: closed ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: closed ? 'Deny' : 'Allow'
    }
  }
}

output name string = vault.name
