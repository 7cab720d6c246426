/** The real PowerShell, for the runbook that is written in it. */
import { type PowerShell, powershell } from './files.ts';

/** Throws where it was not fetched. */
export function needPowerShell(): PowerShell {
  const found = powershell();
  if (found === undefined) throw new Error('PowerShell is not there. Run: npm run fetch:powershell');
  return found;
}

/** It would look for updates, tell Microsoft that it was started, and write its text in the language of the machine. */
export const powershellEnvironment: Readonly<Record<string, string>> = {
  POWERSHELL_UPDATECHECK: 'Off',
  POWERSHELL_TELEMETRY_OPTOUT: '1',
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1',
  NO_COLOR: '1',
};
