targetScope = 'subscription'

import { vault, thresholds } from 'modules/types.bicep'

@description('Name of the environment: part of the resource group\'s name, and of every other name as a hash.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('Region of everything but vaults that stand already. The preflight says whether it has Flex Consumption.')
param location string

@description('Vaults whose secrets are rotated, wherever they are in the tenant. Empty: a vault is made.')
param vaults vault[] = []

@description('Name of a vault to make, also beside those that stand already.')
@maxLength(24)
param newVaultName string = ''

@description('Role of the app on the vaults: "custom" lists, reads, writes and disables secrets, and nothing else. "built-in" is Key Vault Secrets Officer, where custom roles are not allowed; it may delete and purge too.')
@allowed(['custom', 'built-in'])
param vaultRole string = 'custom'

@description('Further settings of the app, as docs/settings.md names them. Nothing secret belongs here.')
param settings object = {}

@description('Hashes of API keys, NAME:ROLE:SHA256 each, separated by commas (docs/api.md).')
param apiKeys string = ''

@description('Client id of the Entra application whose roles people and machines have. The hook makes it.')
param entraClientId string = ''

@description('True: storage account, new vault and app are reached by private endpoints alone.')
param privateNetwork bool = false

@description('Addresses of the network that is made for it.')
param addressPrefix string = '10.77.0.0/24'

@description('Subnet for the app, delegated to Microsoft.App/environments, and subnet for private endpoints: both or none.')
param appSubnetId string = ''
param endpointSubnetId string = ''

@description('False: a policy of your company makes private DNS zones and records.')
param dnsZones bool = true

@description('Whether the app has a public address. Without one, deployments and action groups reach it from inside the network alone.')
param sitePublicAccess bool = !privateNetwork

@description('Memory of an instance.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances that are always ready for HTTP calls. 0: the app scales to zero.')
@minValue(0)
param alwaysReady int = 0

param zoneRedundant bool = false

@description('Log Analytics workspace to write to. Empty: one is made.')
param workspaceId string = ''

@description('Addresses that alerts are sent to.')
param alertEmails array = []

@description('Action groups that stand already.')
param actionGroupIds array = []

@description('When the alert rules fire.')
param limits thresholds = {
  hoursWithoutRotation: 24
  minutesWithoutSweep: 45
  minutesBeyondRetirement: 60
  throttledCalls: 20
}

@description('Make an Event Grid topic that tells consumers of new versions.')
param notificationTopic bool = false

@description('Make an Automation account with the runbook for on-call.')
param automationAccount bool = false

@description('Address of a released package. Empty: azd or a pipeline deploys it.')
param packageUri string = ''

var tags = { 'azd-env-name': environmentName }
var token = toLower(uniqueString(subscription().id, environmentName, location))

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module keyturn 'keyturn.bicep' = {
  name: 'keyturn'
  scope: group
  params: {
    token: token
    location: location
    tags: tags
    azdServiceName: 'keyturn'
    vaults: vaults
    newVaultName: newVaultName
    vaultRole: vaultRole
    settings: settings
    apiKeys: apiKeys
    entraClientId: entraClientId
    privateNetwork: privateNetwork
    addressPrefix: addressPrefix
    appSubnetId: appSubnetId
    endpointSubnetId: endpointSubnetId
    dnsZones: dnsZones
    sitePublicAccess: sitePublicAccess
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: alwaysReady
    zoneRedundant: zoneRedundant
    workspaceId: workspaceId
    alertEmails: alertEmails
    actionGroupIds: actionGroupIds
    limits: limits
    notificationTopic: notificationTopic
    automationAccount: automationAccount
    packageUri: packageUri
    // The hook makes it by way of the app, so that a second deployment writes no version.
    selftest: false
    selftestValue: ''
    selftestExpires: 0
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output KEYTURN_APP_NAME string = keyturn.outputs.appName
output KEYTURN_URL string = keyturn.outputs.appUrl
output KEYTURN_PRINCIPAL_ID string = keyturn.outputs.principalId
output KEYTURN_VAULT_NAMES string = join(keyturn.outputs.vaultNames, ',')
output KEYTURN_STORAGE_NAME string = keyturn.outputs.storageName
output KEYTURN_AUTOMATION_ACCOUNT string = keyturn.outputs.automationAccountName
