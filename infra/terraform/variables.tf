variable "subscription_id" {
  type = string
}

variable "resource_group" {
  description = "Name of a resource group that stands already."
  type        = string
}

variable "vault_id" {
  description = "Resource id of the vault, which uses Azure RBAC."
  type        = string
}

variable "api_keys" {
  description = "Hashes of API keys: NAME:ROLE:SHA256, separated by commas (docs/api.md)."
  type        = string
}

variable "settings" {
  description = "Further settings of the app (docs/settings.md)."
  type        = map(string)
  default     = {}
}

variable "instance_memory_mb" {
  type    = number
  default = 2048
}

variable "always_ready" {
  description = "Instances that the functions of the HTTP API always have ready. 0: the app scales to zero."
  type        = number
  default     = 0
}
