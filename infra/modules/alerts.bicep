import { thresholds } from 'types.bicep'

@description('Alert rules that read what Azure itself writes down, so that they fire when Keyturn is dead too. Each names its page.')
param name string
param location string
param tags object
param workspaceId string
@description('Who is told. Empty: the alerts are seen in the portal alone.')
param actionGroupIds array
@description('Resource ids of the vaults.')
param vaultIds array
@description('Resource ids of the system topics.')
param topicIds array
@description('Principal and client id of the app: everybody else is another writer.')
param principalId string
param clientId string
param limits thresholds
@description('Where the pages are.')
param pages string

// The app writes one line of JSON for each event: docs/on-call/app-down.md shows how they are read.
var lines = 'AppTraces | extend line = parse_json(Message) | extend event = tostring(line.event)'
var secretName = 'extract(@"/secrets/([^/? ]+)", 1, strcat(Id, " ", RequestUri))'
var mine = '(tostring(Identity) has "${principalId}" or tostring(Identity) has "${clientId}")'

var rules = [
  {
    name: 'no-sweep'
    says: 'No sweep has finished: what events miss is found by nobody. The app is stopped, broken or cannot reach a vault.'
    page: 'app-down.md'
    severity: 1
    window: 'PT${limits.minutesWithoutSweep}M'
    every: 'PT15M'
    range: null
    query: '${lines} | where event == "swept"'
    fires: 'LessThan'
    threshold: 1
  }
  {
    name: 'near-expiry-not-rotated'
    says: 'A secret is near its expiry, and nobody has set a new version since: Keyturn is dead, the secret is nobody\'s, or its rotate-before is shorter than 30 days.'
    page: 'rotation-failed.md'
    severity: 2
    window: 'PT1H'
    every: 'PT1H'
    range: 'P2D'
    query: 'AZKVAuditLogs | extend secret = ${secretName} | where secret != "" | summarize seen = maxif(TimeGenerated, OperationName == "SecretNearExpiryEventGridNotification"), written = maxif(TimeGenerated, OperationName == "SecretSet") by _ResourceId, secret | where isnotempty(seen) and seen < ago(${limits.hoursWithoutRotation}h) and (isempty(written) or written < seen)'
    fires: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'paused-or-failing'
    says: 'Secrets are paused, failing or drifted: they will not be rotated until somebody looks.'
    page: 'rotation-failed.md'
    severity: 2
    window: 'PT30M'
    every: 'PT15M'
    range: null
    query: '${lines} | where event == "swept" | summarize arg_max(TimeGenerated, *) by vault = tostring(line.vault) | where toint(line.paused) > 0 or toint(line.failing) > 0 or toint(line.drifted) > 0'
    fires: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'freeze-unreadable'
    says: 'Whether Keyturn is frozen cannot be read, which counts as frozen: nothing that is due is rotated.'
    page: 'vault-trouble.md'
    severity: 2
    window: 'PT30M'
    every: 'PT15M'
    range: null
    query: '${lines} | where event == "freeze-unreadable"'
    fires: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'retirement-late'
    says: 'An old credential lives on beyond its deadline.'
    page: 'old-credential-in-use.md'
    severity: 2
    window: 'PT${limits.minutesBeyondRetirement}M'
    every: 'PT15M'
    range: null
    query: '${lines} | where event == "swept" | summarize least = min(toint(line.retirements)), sweeps = count() by vault = tostring(line.vault) | where least > 0 and sweeps > 1'
    fires: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'poison'
    says: 'A message could not be processed however often it was tried. The line names the secret and the next step.'
    page: 'rotation-failed.md'
    severity: 2
    window: 'PT15M'
    every: 'PT15M'
    range: null
    query: '${lines} | where event == "message-poisoned" or Message has "MaxDequeueCount"'
    fires: 'GreaterThan'
    threshold: 0
  }
  {
    name: 'another-writer'
    says: 'Somebody other than Keyturn has set a version of a secret that Keyturn looks after.'
    page: 'drift.md'
    severity: 3
    window: 'PT15M'
    every: 'PT15M'
    range: 'P2D'
    // Every managed credential is read once a day for its check.
    query: 'let log = AZKVAuditLogs | extend secret = ${secretName}, ours = ${mine}; let managed = log | where OperationName == "SecretGet" and ours | distinct _ResourceId, secret; log | where OperationName == "SecretSet" and HttpStatusCode == 200 and not(ours) and ingestion_time() > ago(15m) | join kind=inner managed on _ResourceId, secret'
    fires: 'GreaterThan'
    threshold: 0
  }
]

resource searches 'Microsoft.Insights/scheduledQueryRules@2025-01-01-preview' = [
  for rule in rules: {
    name: '${name}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Keyturn: ${rule.name}'
      description: '${rule.says} ${pages}${rule.page}'
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      overrideQueryTimeRange: rule.range
      autoMitigate: true
      // The tables are made with the first line that is written to them.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: rule.fires
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: actionGroupIds }
    }
  }
]

resource throttled 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for (vaultId, index) in vaultIds: {
    name: '${name}-throttled-${last(split(vaultId, '/'))}'
    location: 'global'
    tags: tags
    properties: {
      description: 'The vault refuses calls because there are too many. ${pages}vault-trouble.md'
      severity: 2
      enabled: true
      scopes: [vaultId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT5M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: 'throttled'
            metricNamespace: 'Microsoft.KeyVault/vaults'
            metricName: 'ServiceApiResult'
            dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: limits.throttledCalls
          }
        ]
      }
      actions: [for id in actionGroupIds: { actionGroupId: id }]
    }
  }
]

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for topicId in topicIds: {
    name: '${name}-dead-letters-${last(split(topicId, '/'))}'
    location: 'global'
    tags: tags
    properties: {
      description: 'Event Grid gave up on events of a vault. They lie in the container dead-letters. ${pages}app-down.md'
      severity: 2
      enabled: true
      scopes: [topicId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT5M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: 'dead-letters'
            metricNamespace: 'Microsoft.EventGrid/systemTopics'
            metricName: 'DeadLetteredCount'
            timeAggregation: 'Total'
            operator: 'GreaterThan'
            threshold: 0
          }
        ]
      }
      actions: [for id in actionGroupIds: { actionGroupId: id }]
    }
  }
]

resource overview 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Keyturn'
    category: 'workbook'
    sourceId: workspaceId
    version: 'Notebook/1.0'
    serializedData: loadTextContent('workbook.json')
  }
}
