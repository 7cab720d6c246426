locals {
  # Storage Blob Data Owner, Storage Queue Data Contributor, Storage Table Data Contributor
  storage_roles = [
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
  ]
  built_in = "/subscriptions/${var.subscription_id}/providers/Microsoft.Authorization/roleDefinitions"
}

resource "azurerm_role_assignment" "storage" {
  for_each           = toset(local.storage_roles)
  scope              = azurerm_storage_account.app.id
  role_definition_id = "${local.built_in}/${each.value}"
  principal_id       = azurerm_user_assigned_identity.app.principal_id
  principal_type     = "ServicePrincipal"
}

# Monitoring Metrics Publisher
resource "azurerm_role_assignment" "telemetry" {
  scope              = azurerm_application_insights.app.id
  role_definition_id = "${local.built_in}/3913510d-42f4-4e42-8a64-420c390055eb"
  principal_id       = azurerm_user_assigned_identity.app.principal_id
  principal_type     = "ServicePrincipal"
}

# What Keyturn does with the secrets of a vault, and nothing else: it deletes and purges nothing.
resource "azurerm_role_definition" "vault" {
  name  = "Keyturn ${random_string.suffix.result}"
  scope = var.vault_id

  permissions {
    actions     = []
    not_actions = []
    data_actions = [
      "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
      "Microsoft.KeyVault/vaults/secrets/getSecret/action",
      "Microsoft.KeyVault/vaults/secrets/setSecret/action",
      "Microsoft.KeyVault/vaults/secrets/update/action",
      "Microsoft.KeyVault/vaults/secrets/recover/action",
    ]
    not_data_actions = []
  }

  assignable_scopes = ["/subscriptions/${var.subscription_id}"]
}

resource "azurerm_role_assignment" "vault" {
  scope              = var.vault_id
  role_definition_id = azurerm_role_definition.vault.role_definition_resource_id
  principal_id       = azurerm_user_assigned_identity.app.principal_id
  principal_type     = "ServicePrincipal"
}

# Storage Queue Data Message Sender, for the topic, on the one queue
resource "azurerm_role_assignment" "events" {
  scope              = azapi_resource.secret_events.id
  role_definition_id = "${local.built_in}/c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"
  principal_id       = azurerm_eventgrid_system_topic.vault.identity[0].principal_id
  principal_type     = "ServicePrincipal"
}

# Storage Blob Data Contributor, for the topic, on the one container
resource "azurerm_role_assignment" "dead_letters" {
  scope              = azurerm_storage_container.dead_letters.id
  role_definition_id = "${local.built_in}/ba92f5b4-2d11-453d-a403-e96b0029c9fe"
  principal_id       = azurerm_eventgrid_system_topic.vault.identity[0].principal_id
  principal_type     = "ServicePrincipal"
}
