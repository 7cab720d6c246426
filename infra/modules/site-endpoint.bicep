@description('The private address of the app, for people, pipelines and consumers inside the network.')
param name string
param location string
param tags object
param siteId string
param subnetId string
param networkId string
param dnsZones bool

var zoneNames = { AzureUSGovernment: 'privatelink.azurewebsites.us', AzureChinaCloud: 'privatelink.chinacloudsites.cn' }
var zoneName = zoneNames[?environment().name] ?? 'privatelink.azurewebsites.net'

module zone 'dns-zone.bicep' = if (dnsZones) {
  name: 'keyturn-zone-sites'
  params: { name: zoneName, tags: tags, networkId: networkId }
}

module endpoint 'private-endpoint.bicep' = {
  name: 'keyturn-endpoint-sites'
  params: {
    name: '${name}-sites'
    location: location
    tags: tags
    subnetId: subnetId
    targetId: siteId
    groupId: 'sites'
    dnsZoneId: dnsZones ? zone!.outputs.id : ''
  }
}
