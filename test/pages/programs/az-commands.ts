/**
 * Commands of the Azure CLI that the pages use, each with the options it takes. Taken from the argument tables of azure-cli 2.45.0 (Debian 12);
 * those of keyvault secret, eventgrid and of extensions (automation, containerapp, log-analytics, scheduled-query) from its reference.
 *
 * `--name|-n` are two spellings; `!` is required (unless `--ids` or `--id` is given); `*` takes several words, `?` one or none, `0` none; after
 * `=` the only words it takes.
 */
export const azCommands: Readonly<Record<string, string>> = {
  'account get-access-token': '--resource --tenant|-t --scope* --resource-type --name|-n|--subscription|-s',
  'ad app owner add': '--owner-object-id! --id!',
  'ad sp list': '--spn --display-name --filter --show-mine0 --all0',
  'ad sp show': '--id!',
  'automation account create': '--name|--automation-account-name|-n! --resource-group|-g! --location|-l --sku --tags*',
  'automation account show': '--name|--automation-account-name|-n --resource-group|-g --ids*',
  'automation runbook create':
    '--automation-account-name! --name|-n|--runbook-name! --resource-group|-g! --type! --location|-l --description ' +
    '--tags*',
  'automation runbook publish': '--automation-account-name! --name|-n|--runbook-name! --resource-group|-g! --no-wait0',
  'automation runbook replace-content':
    '--automation-account-name! --name|-n|--runbook-name! --resource-group|-g! --content! --no-wait0',
  'automation runbook start':
    '--automation-account-name! --name|-n|--runbook-name! --resource-group|-g! --parameters* --run-on',
  'containerapp revision restart': '--revision! --name|-n --resource-group|-g',
  'eventgrid event-subscription list':
    '--source-resource-id --location|-l --resource-group|-g --topic-type --odata-query',
  'eventgrid topic create':
    '--name|-n! --resource-group|-g! --location|-l! ' +
    '--input-schema=eventgridschema,customeventschema,cloudeventschemav1_0 --tags*',
  'eventgrid topic show': '--name|-n --resource-group|-g --ids*',
  'extension add':
    '--source|-s --name|-n --index --yes|-y0 --pip-extra-index-urls* --pip-proxy --system0 --version --upgrade0',
  'functionapp config appsettings list': '--resource-group|-g! --name|-n! --slot|-s',
  'functionapp config appsettings set': '--resource-group|-g! --name|-n! --settings* --slot|-s --slot-settings*',
  'functionapp deployment source config-zip':
    '--resource-group|-g! --name|-n! --src! --build-remote?=true,false --timeout|-t --slot|-s',
  'functionapp identity show': '--resource-group|-g! --name|-n! --slot|-s',
  'functionapp restart': '--resource-group|-g! --name|-n! --slot|-s',
  'functionapp show': '--resource-group|-g! --name|-n! --slot|-s',
  'functionapp start': '--resource-group|-g! --name|-n! --slot|-s',
  'functionapp stop': '--resource-group|-g! --name|-n! --slot|-s',
  'functionapp vnet-integration list': '--name|-n! --resource-group|-g! --slot|-s',
  'keyvault network-rule add': '--resource-group|-g --name|-n! --ip-address* --subnet --vnet-name --no-wait0',
  'keyvault secret delete': '--id --name|-n --vault-name',
  'keyvault secret list': '--id --vault-name --maxresults --include-managed?',
  'keyvault secret list-deleted': '--id --vault-name --maxresults',
  'keyvault secret list-versions': '--id --name|-n --vault-name --maxresults',
  'keyvault secret recover': '--id --name|-n --vault-name',
  'keyvault secret set':
    '--name|-n! --vault-name! --value --file|-f --encoding|-e=utf-8,utf-16le,utf-16be,ascii,base64,hex ' +
    '--content-type|--description --disabled? --expires --not-before --tags*',
  'keyvault secret set-attributes':
    '--id --name|-n --vault-name --version|-v --content-type --enabled? --expires --not-before --tags*',
  'keyvault secret show': '--id --name|-n --vault-name --version|-v',
  'keyvault show': '--resource-group|-g --name|-n --hsm-name',
  'lock list': '--resource-group|-g --namespace --parent --resource-type --resource|--resource-name --filter-string',
  'monitor action-group create': '--resource-group|-g! --name|-n! --action|-a* --short-name --tags* --location|-l',
  'monitor activity-log list':
    '--correlation-id --resource-group|-g --resource-id --namespace --start-time* --end-time* --caller --status ' +
    '--max-events --select* --offset',
  'monitor log-analytics query': '--workspace|-w! --analytics-query! --timespan|-t --workspaces*',
  'monitor metrics list':
    '--resource! --start-time* --end-time* --offset --interval --metadata0 --dimension* ' +
    '--aggregation*=None,Average,Count,Minimum,Maximum,Total --metrics* --filter --namespace --orderby --top ' +
    '--resource-namespace --resource-parent --resource-type --resource-group|-g',
  'monitor scheduled-query create':
    '--name|-n! --resource-group|-g! --scopes!* --condition!* --condition-query* --action-groups* ' +
    '--custom-properties* --description --severity --evaluation-frequency --window-size',
  'policy state list':
    '--all0 --management-group|-m --resource-group|-g --resource --namespace --parent --resource-type ' +
    '--policy-set-definition|-s --policy-definition|-d --policy-assignment|-a --from --to --order-by --select --top ' +
    '--filter --apply --expand',
  'postgres flexible-server firewall-rule create':
    '--resource-group|-g! --name|-n! --rule-name|-r --start-ip-address --end-ip-address',
  'postgres flexible-server server-logs list':
    '--resource-group|-g --server-name|-s --file-last-written --filename-contains --max-file-size --ids*',
  'redis firewall-rules create': '--resource-group|-g! --name|-n! --rule-name! --start-ip! --end-ip!',
  'resource invoke-action':
    '--action! --request-body --ids* --resource-group|-g --namespace --parent --resource-type --name|-n ' +
    '--api-version --latest-include-preview|-v',
  'resource show':
    '--ids* --resource-group|-g --namespace --parent --resource-type --name|-n --api-version ' +
    '--include-response-body?=true,false --latest-include-preview|-v',
  rest:
    '--uri|--url|-u! --method|-m=head,get,put,post,delete,options,patch --headers* ' +
    '--uri-parameters|--url-parameters* --body|-b --skip-authorization-header0 --resource --output-file',
  'role assignment create':
    '--role! --assignee --assignee-object-id --resource-group|-g --scope ' +
    '--assignee-principal-type=User,Group,ServicePrincipal,ForeignGroup --description --condition ' +
    '--condition-version --name|-n',
  'role assignment list':
    '--assignee --role --resource-group|-g --scope --include-inherited0 --all0 --include-groups0 ' +
    '--include-classic-administrators?=true,false',
  'role definition create': '--role-definition!',
  'sql server firewall-rule create': '--name|-n! --server|-s! --resource-group|-g! --start-ip-address --end-ip-address',
  'storage account keys list': '--resource-group|-g --account-name|-n! --expand-key-type',
  'storage account keys renew':
    '--account-name|-n! --key!=primary,secondary,key1,key2 --resource-group|-g --key-type=kerb',
  'storage account show': '--resource-group|-g --name|-n! --expand',
  'webapp config appsettings set': '--resource-group|-g! --name|-n! --settings* --slot|-s --slot-settings*',
  'webapp restart': '--resource-group|-g! --name|-n! --slot|-s',
};
