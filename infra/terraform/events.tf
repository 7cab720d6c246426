resource "azurerm_eventgrid_system_topic" "vault" {
  name                = "${local.vault.name}-events"
  resource_group_name = local.vault.group
  location            = data.azurerm_key_vault.own.location
  source_resource_id  = var.vault_id
  topic_type          = "Microsoft.KeyVault.vaults"

  identity {
    type = "SystemAssigned"
  }
}

resource "azapi_resource" "events" {
  type      = "Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15"
  name      = local.name
  parent_id = azurerm_eventgrid_system_topic.vault.id

  body = {
    properties = {
      eventDeliverySchema = "CloudEventSchemaV1_0"
      filter = {
        includedEventTypes = [
          "Microsoft.KeyVault.SecretNearExpiry",
          "Microsoft.KeyVault.SecretExpired",
          "Microsoft.KeyVault.SecretNewVersionCreated",
        ]
      }
      retryPolicy = {
        maxDeliveryAttempts      = 30
        eventTimeToLiveInMinutes = 1440
      }
      # A user-assigned identity could not pass the firewall of the account.
      deliveryWithResourceIdentity = {
        identity = { type = "SystemAssigned" }
        destination = {
          endpointType = "StorageQueue"
          properties = {
            resourceId                      = azurerm_storage_account.app.id
            queueName                       = azapi_resource.secret_events.name
            queueMessageTimeToLiveInSeconds = 604800
          }
        }
      }
      deadLetterWithResourceIdentity = {
        identity = { type = "SystemAssigned" }
        deadLetterDestination = {
          endpointType = "StorageBlob"
          properties = {
            resourceId        = azurerm_storage_account.app.id
            blobContainerName = azurerm_storage_container.dead_letters.name
          }
        }
      }
    }
  }

  depends_on = [azurerm_role_assignment.events, azurerm_role_assignment.dead_letters]
}

# The alert rules of infra/modules/alerts.bicep read what this writes down.
resource "azurerm_monitor_diagnostic_setting" "vault" {
  name                           = "keyturn"
  target_resource_id             = var.vault_id
  log_analytics_workspace_id     = azurerm_log_analytics_workspace.app.id
  log_analytics_destination_type = "Dedicated"

  enabled_log {
    category = "AuditEvent"
  }

  enabled_log {
    category = "AzurePolicyEvaluationDetails"
  }
}
