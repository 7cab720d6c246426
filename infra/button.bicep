// Behind the button "Deploy to Azure": the same as main.bicep in a resource group that is there. A button runs no hooks, so people come in
// by API keys, or by an Entra application that is there already.
import { vault, thresholds } from 'modules/types.bicep'

@description('Region of everything but vaults that stand already. The preflight says whether it has Flex Consumption.')
param location string = resourceGroup().location

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

@description('Client id of an Entra application that has the four roles (docs/deploy.md). Empty: API keys alone.')
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

@description('Address of the released package: keyturn-VERSION.zip.')
param packageUri string

@description('Make the secret keyturn-selftest in the new vault, which the first sweep rotates. False from the second deployment on: each one would write a version.')
param selftest bool = true

@description('Leave this as it is.')
@secure()
param selftestValue string = newGuid()

@description('Leave this as it is.')
param now string = utcNow()

module keyturn 'keyturn.bicep' = {
  name: 'keyturn'
  params: {
    token: toLower(uniqueString(resourceGroup().id))
    location: location
    tags: {}
    azdServiceName: ''
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
    selftest: selftest
    selftestValue: selftestValue
    selftestExpires: dateTimeToEpoch(dateTimeAdd(now, 'P1D'))
  }
}

output appName string = keyturn.outputs.appName
output appUrl string = keyturn.outputs.appUrl
output vaultNames array = keyturn.outputs.vaultNames
@description('The line that shows that the first rotation is done.')
output look string = 'az keyvault secret list-versions --vault-name ${keyturn.outputs.vaultNames[0]} -n keyturn-selftest --query "length(@)"   # 2 after the first quarter of an hour'
