using '../../infra/main.bicep'

param environmentName = 'keyturn-open'
param location = 'westeurope'
param entraClientId = '11111111-1111-1111-1111-111111111111'
param alertEmails = ['oncall@contoso.test']
