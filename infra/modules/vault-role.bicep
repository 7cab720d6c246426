targetScope = 'subscription'

@description('What Keyturn does with the secrets of a vault, and nothing else: it deletes and purges nothing. test/infra/least-privilege.test.ts holds this to the calls that the code makes.')
param name string

// A name condition on readMetadata would make the listing fail, so there is none.
var dataActions = [
  'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
  'Microsoft.KeyVault/vaults/secrets/getSecret/action'
  'Microsoft.KeyVault/vaults/secrets/setSecret/action'
  'Microsoft.KeyVault/vaults/secrets/update/action'
  // The name of a stored candidate that a person has deleted is had back.
  'Microsoft.KeyVault/vaults/secrets/recover/action'
]

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, name)
  properties: {
    roleName: name
    description: 'Lists, reads, writes and disables secrets, for an app that rotates them.'
    type: 'CustomRole'
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: dataActions
        notDataActions: []
      }
    ]
    assignableScopes: [subscription().id]
  }
}

output id string = role.id
