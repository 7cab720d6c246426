@description('Whom the alerts tell.')
param name string
param tags object
@description('Addresses of people.')
param emails array

resource group 'Microsoft.Insights/actionGroups@2024-10-01-preview' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'keyturn'
    enabled: true
    emailReceivers: [
      for (email, index) in emails: {
        name: 'person-${index}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

output id string = group.id
