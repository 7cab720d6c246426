@description('The function app on Flex Consumption. Everything it is told stands in its settings, and none of them is a secret.')
param name string
param planName string
param location string
param tags object
@description('Tag by which azd finds the app. Empty for other ways in.')
param azdServiceName string
param identityId string
param identityClientId string
param storageName string
param packageContainer string
param insightsName string
@description('Addresses of the vaults.')
param vaultUris array
@description('Settings of docs/settings.md besides those that this template makes. Theirs win.')
param settings object
@description('Hashes of API keys: NAME:ROLE:SHA256, separated by commas.')
param apiKeys string
@description('Client id of the Entra application whose roles people have. Empty: API keys alone.')
param entraClientId string
@description('Subnet for outgoing traffic, delegated to Microsoft.App/environments. Empty: no virtual network.')
param subnetId string
param publicNetworkAccess 'Enabled' | 'Disabled'
@description('512, 2048 or 4096.')
param instanceMemoryMB int
param maximumInstanceCount int
@description('Instances that the functions of the HTTP API always have ready.')
param alwaysReady int
param zoneRedundant bool
@description('Address of a released package, deployed with the template. Empty: azd or a pipeline deploys it.')
param packageUri string

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

var clouds = { AzureUSGovernment: 'usgov', AzureChinaCloud: 'china' }

var signIn = entraClientId == ''
  ? {}
  : {
      KEYTURN_TENANT_ID: tenant().tenantId
      KEYTURN_API_AUDIENCE: '${entraClientId},api://${entraClientId}'
    }

var made = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AZURE_CLIENT_ID: identityClientId
  AzureWebJobsDisableHomepage: 'true'
  KEYTURN_CREDENTIAL: 'managed-identity'
  KEYTURN_CLOUD: clouds[?environment().name] ?? 'public'
  KEYTURN_VAULTS: join(vaultUris, ',')
  KEYTURN_API_KEYS: apiKeys
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, azdServiceName == '' ? {} : { 'azd-service-name': azdServiceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: publicNetworkAccess
    virtualNetworkSubnetId: subnetId == '' ? null : subnetId
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReady == 0 ? [] : [{ name: 'http', instanceCount: alwaysReady }]
      }
      runtime: { name: 'node', version: '22' }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(made, signIn, settings)
  }

  // Whoever may sign in to the SCM site with a password may read the settings, and deploy.
  resource noPasswordForScm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource noPasswordForFtp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }
}

// Unauthenticated calls reach the app, which refuses them itself: an action group and a machine with a key cannot sign in
// (docs/decisions/8-api-access.md).
resource authentication 'Microsoft.Web/sites/config@2025-03-01' = if (entraClientId != '') {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [entraClientId, 'api://${entraClientId}']
        }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
  // The platform restarts the app for each of them, so one comes after the other.
  dependsOn: [app::appSettings]
}

resource package 'Microsoft.Web/sites/extensions@2025-03-01' = if (packageUri != '') {
  parent: app
  name: 'onedeploy'
  // The types know MSDeploy alone; Microsoft's own samples for Flex Consumption deploy with these properties.
  #disable-next-line BCP187
  properties: {
    packageUri: packageUri
    remoteBuild: false
  }
  dependsOn: [app::appSettings, authentication]
}

output name string = app.name
output id string = app.id
output hostName string = app.properties.defaultHostName
