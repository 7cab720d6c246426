@description('A private endpoint of one resource, and the name that leads to it.')
param name string
param location string
param tags object
param subnetId string
@description('Resource that is reached by it.')
param targetId string
@description('Part of the resource: blob, queue, table, vault or sites.')
param groupId string
@description('Private DNS zone. Empty: the company\'s own policy makes the record.')
param dnsZoneId string

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: targetId
          groupIds: [groupId]
        }
      }
    ]
  }

  resource names 'privateDnsZoneGroups' = if (dnsZoneId != '') {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: groupId, properties: { privateDnsZoneId: dnsZoneId } }]
    }
  }
}
