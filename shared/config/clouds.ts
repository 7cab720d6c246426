/** Addresses of the clouds of Azure. */
export const clouds = {
  public: {
    resourceManager: 'https://management.azure.com',
    graph: 'https://graph.microsoft.com',
    logs: 'https://api.loganalytics.io',
    login: 'https://login.microsoftonline.com',
    storageSuffix: 'core.windows.net',
  },
  usgov: {
    resourceManager: 'https://management.usgovcloudapi.net',
    graph: 'https://graph.microsoft.us',
    logs: 'https://api.loganalytics.us',
    login: 'https://login.microsoftonline.us',
    storageSuffix: 'core.usgovcloudapi.net',
  },
  china: {
    resourceManager: 'https://management.chinacloudapi.cn',
    graph: 'https://microsoftgraph.chinacloudapi.cn',
    logs: 'https://api.loganalytics.azure.cn',
    login: 'https://login.chinacloudapi.cn',
    storageSuffix: 'core.chinacloudapi.cn',
  },
} as const;
