output "app_name" {
  value = azapi_resource.app.name
}

output "principal_id" {
  description = "The app's identity, for rights at targets."
  value       = azurerm_user_assigned_identity.app.principal_id
}
