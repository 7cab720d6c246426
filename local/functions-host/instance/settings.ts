/** App settings as bindings refer to them: `%NAME%` inside a text, and the name of a connection. */
export type Settings = Readonly<Record<string, string | undefined>>;

/** Replaces every `%NAME%`. Throws when a setting is missing, as the host does. */
export function resolveSettings(text: string, settings: Settings): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (value === undefined) throw new Error(`'%${name}%' does not resolve to a value.`);
    return value;
  });
}

/** The connection string a binding's `connection` names: with the prefix `AzureWebJobs` first, then as it is. */
export function storageConnection(name: string | undefined, settings: Settings): string {
  const plain = name === undefined || name === '' ? 'AzureWebJobsStorage' : resolveSettings(name, settings);
  const value = settings[`AzureWebJobs${plain}`] ?? settings[plain];
  if (value !== undefined && value !== '') return value;
  throw new Error(
    `Storage account connection string '${plain}' does not exist. Make sure that it is a defined App Setting. ` +
      'The local host takes connection strings only, not identity-based connections.',
  );
}

/** True when `AzureWebJobs.NAME.Disabled` switches the function off. */
export function isDisabled(functionName: string, settings: Settings): boolean {
  const value =
    settings[`AzureWebJobs.${functionName}.Disabled`] ?? settings[`AzureWebJobs_${functionName}_Disabled`] ?? '';
  return value === '1' || value.toLowerCase() === 'true';
}
