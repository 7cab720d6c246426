@description('The network of a closed deployment: subnets, private endpoints of storage account and vaults, and the names that lead to them.')
param name string
param location string
param tags object
param addressPrefix string
@description('Subnets that are there already. Empty: a network is made.')
param appSubnetId string
param endpointSubnetId string
@description('False: the company\'s own policy makes DNS zones and records.')
param dnsZones bool
param storageId string
param vaultIds array

var makes = appSubnetId == ''

module network 'network.bicep' = if (makes) {
  name: 'keyturn-vnet'
  params: { name: name, location: location, tags: tags, addressPrefix: addressPrefix }
}

var networkId = makes
  ? resourceId('Microsoft.Network/virtualNetworks', name)
  : join(take(split(appSubnetId, '/'), 9), '/')
var subnetId = makes ? resourceId('Microsoft.Network/virtualNetworks/subnets', name, 'endpoints') : endpointSubnetId

var zoneNames = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  vault: environment().name == 'AzureCloud'
    ? 'privatelink.vaultcore.azure.net'
    : 'privatelink${replace(environment().suffixes.keyvaultDns, 'vault', 'vaultcore')}'
}

module zones 'dns-zone.bicep' = [
  for zone in items(zoneNames): if (dnsZones) {
    name: 'keyturn-zone-${zone.key}'
    params: { name: zone.value, tags: tags, networkId: networkId }
    dependsOn: [network]
  }
]

module storageEndpoints 'private-endpoint.bicep' = [
  for part in ['blob', 'queue', 'table']: {
    name: 'keyturn-endpoint-${part}'
    params: {
      name: '${name}-${part}'
      location: location
      tags: tags
      subnetId: subnetId
      targetId: storageId
      groupId: part
      dnsZoneId: dnsZones ? resourceId('Microsoft.Network/privateDnsZones', zoneNames[part]) : ''
    }
    dependsOn: [network, zones]
  }
]

module vaultEndpoints 'private-endpoint.bicep' = [
  for vaultId in vaultIds: {
    name: 'keyturn-endpoint-${uniqueString(vaultId)}'
    params: {
      name: '${name}-${last(split(vaultId, '/'))}'
      location: location
      tags: tags
      subnetId: subnetId
      targetId: vaultId
      groupId: 'vault'
      dnsZoneId: dnsZones ? resourceId('Microsoft.Network/privateDnsZones', zoneNames.vault) : ''
    }
    dependsOn: [network, zones]
  }
]

output networkId string = networkId
output appSubnetId string = makes ? network!.outputs.appSubnetId : appSubnetId
output endpointSubnetId string = makes ? network!.outputs.endpointSubnetId : endpointSubnetId
