@description('The events of one vault go to the queue of the app, and an expired secret to whoever is on call, also while Keyturn is dead.')
param topicName string
param storageId string
param eventQueue string
param deadLetterContainer string
@description('Name of the subscription on the topic, which several apps may share.')
param name string
@description('Action groups that are told of an expired secret.')
param actionGroupIds array

// test/infra/template.test.ts holds this to the events that the app takes. Without a filter, events of keys and certificates would come too.
var eventTypes = [
  'Microsoft.KeyVault.SecretNearExpiry'
  'Microsoft.KeyVault.SecretExpired'
  'Microsoft.KeyVault.SecretNewVersionCreated'
]

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource events 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: name
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: { includedEventTypes: eventTypes }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
    // A user-assigned identity could not pass the firewall of the account.
    deliveryWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: storageId
          queueName: eventQueue
          queueMessageTimeToLiveInSeconds: 604800
        }
      }
    }
    deadLetterWithResourceIdentity: {
      identity: { type: 'SystemAssigned' }
      deadLetterDestination: {
        endpointType: 'StorageBlob'
        properties: {
          resourceId: storageId
          blobContainerName: deadLetterContainer
        }
      }
    }
  }
}

resource expired 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = if (!empty(actionGroupIds)) {
  parent: topic
  name: '${name}-expired'
  properties: {
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: { includedEventTypes: ['Microsoft.KeyVault.SecretExpired'] }
    destination: {
      endpointType: 'MonitorAlert'
      properties: {
        severity: 'Sev1'
        actionGroups: actionGroupIds
        description: 'A secret has expired and has no newer version: docs/on-call/rotation-failed.md'
      }
    }
  }
  // Event Grid changes one subscription of a topic at a time.
  dependsOn: [events]
}
