data "azurerm_client_config" "current" {}

data "azurerm_resource_group" "own" {
  name = var.resource_group
}

data "azurerm_key_vault" "own" {
  name                = local.vault.name
  resource_group_name = local.vault.group
}

resource "random_string" "suffix" {
  length  = 8
  upper   = false
  special = false
}

locals {
  name     = "keyturn-${random_string.suffix.result}"
  location = data.azurerm_resource_group.own.location
  vault = {
    name  = reverse(split("/", var.vault_id))[0]
    group = split("/", var.vault_id)[4]
  }
}

resource "azurerm_user_assigned_identity" "app" {
  name                = local.name
  resource_group_name = data.azurerm_resource_group.own.name
  location            = local.location
}

resource "azurerm_storage_account" "app" {
  name                            = replace(local.name, "-", "")
  resource_group_name             = data.azurerm_resource_group.own.name
  location                        = local.location
  account_tier                    = "Standard"
  account_replication_type        = "LRS"
  shared_access_key_enabled       = false
  allow_nested_items_to_be_public = false
  default_to_oauth_authentication = true
  https_traffic_only_enabled      = true
  min_tls_version                 = "TLS1_2"
}

resource "azurerm_storage_container" "package" {
  name                  = "package"
  storage_account_id    = azurerm_storage_account.app.id
  container_access_type = "private"
}

resource "azurerm_storage_container" "dead_letters" {
  name                  = "dead-letters"
  storage_account_id    = azurerm_storage_account.app.id
  container_access_type = "private"
}

# By azapi: azurerm makes a queue through the account's own address, which takes a right that whoever deploys may lack.
resource "azapi_resource" "secret_events" {
  type      = "Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01"
  name      = "secret-events"
  parent_id = "${azurerm_storage_account.app.id}/queueServices/default"
  body      = { properties = {} }
}

resource "azurerm_log_analytics_workspace" "app" {
  name                = local.name
  resource_group_name = data.azurerm_resource_group.own.name
  location            = local.location
  sku                 = "PerGB2018"
  retention_in_days   = 30
}

resource "azurerm_application_insights" "app" {
  name                          = local.name
  resource_group_name           = data.azurerm_resource_group.own.name
  location                      = local.location
  application_type              = "web"
  workspace_id                  = azurerm_log_analytics_workspace.app.id
  local_authentication_disabled = true
}

resource "azurerm_service_plan" "app" {
  name                = local.name
  resource_group_name = data.azurerm_resource_group.own.name
  location            = local.location
  os_type             = "Linux"
  sku_name            = "FC1"
}

resource "azapi_resource" "app" {
  type      = "Microsoft.Web/sites@2025-03-01"
  name      = local.name
  parent_id = data.azurerm_resource_group.own.id
  location  = local.location

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.app.id]
  }

  body = {
    kind = "functionapp,linux"
    properties = {
      serverFarmId              = azurerm_service_plan.app.id
      httpsOnly                 = true
      keyVaultReferenceIdentity = azurerm_user_assigned_identity.app.id
      siteConfig = {
        minTlsVersion    = "1.2"
        scmMinTlsVersion = "1.2"
        ftpsState        = "Disabled"
        http20Enabled    = true
      }
      functionAppConfig = {
        deployment = {
          storage = {
            type  = "blobContainer"
            value = "${azurerm_storage_account.app.primary_blob_endpoint}${azurerm_storage_container.package.name}"
            authentication = {
              type                           = "UserAssignedIdentity"
              userAssignedIdentityResourceId = azurerm_user_assigned_identity.app.id
            }
          }
        }
        scaleAndConcurrency = {
          instanceMemoryMB     = var.instance_memory_mb
          maximumInstanceCount = 40
          alwaysReady          = var.always_ready == 0 ? [] : [{ name = "http", instanceCount = var.always_ready }]
        }
        runtime = { name = "node", version = "22" }
      }
    }
  }

  depends_on = [azurerm_role_assignment.storage]
}

resource "azapi_resource" "settings" {
  type      = "Microsoft.Web/sites/config@2025-03-01"
  name      = "appsettings"
  parent_id = azapi_resource.app.id

  body = {
    properties = merge({
      AzureWebJobsDisableHomepage               = "true"
      AzureWebJobsStorage__credential           = "managedidentity"
      AzureWebJobsStorage__clientId             = azurerm_user_assigned_identity.app.client_id
      AzureWebJobsStorage__blobServiceUri       = azurerm_storage_account.app.primary_blob_endpoint
      AzureWebJobsStorage__queueServiceUri      = azurerm_storage_account.app.primary_queue_endpoint
      AzureWebJobsStorage__tableServiceUri      = azurerm_storage_account.app.primary_table_endpoint
      APPLICATIONINSIGHTS_CONNECTION_STRING     = azurerm_application_insights.app.connection_string
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=${azurerm_user_assigned_identity.app.client_id};Authorization=AAD"
      AZURE_CLIENT_ID                           = azurerm_user_assigned_identity.app.client_id
      KEYTURN_CREDENTIAL                        = "managed-identity"
      KEYTURN_CLOUD                             = "public"
      KEYTURN_VAULTS                            = data.azurerm_key_vault.own.vault_uri
      KEYTURN_API_KEYS                          = var.api_keys
    }, var.settings)
  }
}
