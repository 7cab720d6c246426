// What several templates are told. Imported, so that both ways in take the same words.

@export()
@description('A vault whose secrets are rotated. It stands already.')
type vault = {
  @description('Name of the vault.')
  name: string
  @description('Its resource group.')
  resourceGroup: string
  @description('Its subscription; the one of the deployment where this is empty.')
  subscriptionId: string?
  @description('Name of the Event Grid system topic that the vault has already: only one is allowed for a source. Empty: a topic is made. The preflight fills this in.')
  systemTopicName: string?
  @description('Resource group of that topic.')
  systemTopicResourceGroup: string?
}

@export()
@description('When the alert rules fire.')
type thresholds = {
  @description('Hours after a near-expiry event of the vault without a new version of the secret. A log search looks back two days at most.')
  @minValue(1)
  @maxValue(36)
  hoursWithoutRotation: int
  @description('Minutes without a finished sweep.')
  minutesWithoutSweep: 30 | 45 | 60
  @description('Minutes that an old credential may live beyond its deadline.')
  minutesBeyondRetirement: 30 | 60 | 120 | 360
  @description('Answers of 429 in five minutes.')
  @minValue(1)
  throttledCalls: int
}
