@description('The secret that shows that rotations work: the first sweep rotates it.')
param vaultName string
@secure()
param value string
@description('Seconds since 1970.')
param expires int

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName

  resource selftest 'secrets' = {
    name: 'keyturn-selftest'
    tags: { rotator: 'self-issued' }
    properties: {
      value: value
      contentType: 'text/plain'
      attributes: { enabled: true, exp: expires }
    }
  }
}
