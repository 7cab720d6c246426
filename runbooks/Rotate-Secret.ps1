<#
.SYNOPSIS
Rotates one secret through Keyturn's HTTP API, waits for the end, and says how it went.

.DESCRIPTION
Made for Azure Automation, PowerShell 7.2 and later; runs anywhere with PowerShell 7.2 and no module.

Settings, from the environment or from variables of the Automation account with the same names:
KEYTURN_URL       https://APP.azurewebsites.net
KEYTURN_AUDIENCE  audience of the app: the token of the managed identity is made for it
KEYTURN_KEY       a key of the API, instead of an identity
KEYTURN_CLIENT_ID client id of a user-assigned identity
KEYTURN_TIMEOUT   longest time to wait, in seconds (600)
KEYTURN_DOCS_URL  address under which the folder docs is found, so that pages are links

Exit codes are those of the command line, docs/cli.md: 0 rotated, 1 failed, 2 used wrongly, 3 not found, 4 refused, 5 not over in time,
6 nothing was changed, 7 no answer, 130 ended by Ctrl-C. Nothing secret is printed.

.PARAMETER Secret
VAULT/NAME

.PARAMETER Reason
Why, for the history.

.PARAMETER Action
rotate (default), emergency or rollback
#>
param([string]$Secret = '', [string]$Reason = '', [string]$Action = 'rotate')

Set-StrictMode -Version 3
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'

$PauseSeconds = 2
# The worker may be between two instances, or the line may be broken for a moment: the same request is sent this often.
$Tries = 3
# The history may be slower than the answer that named the rotation.
$UnknownTries = 5
$NotNow = 'not-now', 'not-managed', 'count-differs', 'key-in-work'
$Usage = 'usage: Rotate-Secret.ps1 VAULT/NAME REASON [rotate|emergency|rollback]'

# Ends the runbook with an exit code and a line for the log.
function Stop-With([int]$ExitCode, [string]$Message) {
  $end = [System.Exception]::new($Message)
  $end.Data['ExitCode'] = $ExitCode
  throw $end
}

# Without what a terminal or a log would obey: anybody may have written the text.
function Get-Plain([string]$Text) { $Text -replace '[\x00-\x1f\x7f-\x9f]+', ' ' }

function Test-Automation { $null -ne (Get-Command Get-AutomationVariable -ErrorAction Ignore) }

# From the environment, else from the Automation account's variables.
function Get-Setting([string]$Name, [string]$Default = '') {
  $value = [Environment]::GetEnvironmentVariable($Name)
  if ([string]::IsNullOrWhiteSpace($value) -and (Test-Automation)) {
    # A variable that the account does not have is an error of the cmdlet. It counts as not set, like an empty one.
    try { $value = Get-AutomationVariable -Name $Name -ErrorAction Stop } catch { $value = '' }
  }
  if ([string]::IsNullOrWhiteSpace($value)) { $Default } else { "$value".Trim() }
}

# A field of a JSON object; nothing where there is none.
function Get-Field($Object, [string]$Name) {
  if ($Object -is [System.Management.Automation.PSCustomObject] -and $Object.PSObject.Properties[$Name]) { $Object.$Name }
}

function Get-BaseUrl {
  $address = Get-Setting KEYTURN_URL
  if ($address -eq '') { Stop-With 2 'KEYTURN_URL is not set: give the address of the function app, like https://APP.azurewebsites.net' }
  $url = $address -as [uri]
  if ($null -eq $url -or -not $url.IsAbsoluteUri -or $url.UserInfo -ne '' -or $url.Scheme -notin 'https', 'http') {
    Stop-With 2 'KEYTURN_URL cannot be used: it is like https://APP.azurewebsites.net'
  }
  if ($url.Scheme -eq 'http' -and -not $url.IsLoopback) { Stop-With 2 'KEYTURN_URL would be called without TLS: it begins with https://' }
  $path = $url.AbsolutePath.TrimEnd('/')
  if ($path -eq '') { $path = '/api/v1' }
  "$($url.GetLeftPart([UriPartial]::Authority))$path"
}

# Automation and the App Service platform name their endpoint; a virtual machine has a fixed one.
function Get-IdentityToken([string]$Audience) {
  $query = "resource=$([uri]::EscapeDataString($Audience))"
  $clientId = Get-Setting KEYTURN_CLIENT_ID
  if ($clientId -ne '') { $query += "&client_id=$([uri]::EscapeDataString($clientId))" }
  $headers = @{ Metadata = 'true' }
  $endpoint = $env:IDENTITY_ENDPOINT
  if ($endpoint) {
    $query += '&api-version=2019-08-01'
    $headers['X-IDENTITY-HEADER'] = "$env:IDENTITY_HEADER"
  } else {
    $query += '&api-version=2018-02-01'
    $endpoint = 'http://169.254.169.254/metadata/identity/oauth2/token'
  }
  try {
    # The identity's endpoint is on this machine: a proxy must never see what it answers.
    $answer = Invoke-RestMethod -Uri "$($endpoint)?$query" -Headers $headers -NoProxy -MaximumRedirection 0 -TimeoutSec 30
    $token = "$($answer.access_token)"
  } catch {
    $token = ''
  }
  if ($token -eq '') { Stop-With 4 "the managed identity gave no token for ${Audience}: switch it on, and check KEYTURN_AUDIENCE" }
  $token
}

function Get-Credential {
  $key = Get-Setting KEYTURN_KEY
  if ($key -ne '') { $name = 'x-keyturn-key'; $value = $key }
  else {
    $audience = Get-Setting KEYTURN_AUDIENCE
    if ($audience -eq '') { Stop-With 2 'nothing says who calls: set KEYTURN_AUDIENCE for the managed identity, or KEYTURN_KEY' }
    $name = 'authorization'; $value = "Bearer $(Get-IdentityToken $audience)"
  }
  if ($value -notmatch '^[\x20-\x7e]+\z') { Stop-With 2 'the credential holds something else than visible characters' }
  @{ $name = $value }
}

# One request: Status 0 and the reason where nobody answered. A redirect is an answer and never followed: it would take the credential
# to a place that nobody named.
function Invoke-Once([string]$Path, $Body = $null, [hashtable]$MoreHeaders = @{}) {
  $call = @{
    Uri = "$Base$Path"; Headers = $Credential + $MoreHeaders + @{ accept = 'application/json' }; TimeoutSec = 60
    MaximumRedirection = 0; SkipHttpErrorCheck = $true; StatusCodeVariable = 'status'; ErrorAction = 'SilentlyContinue'
  }
  if ($null -ne $Body) {
    $call += @{ Method = 'Post'; Body = ($Body | ConvertTo-Json -Compress); ContentType = 'application/json; charset=utf-8' }
  }
  $status = 0
  try {
    $answer = Invoke-RestMethod @call
    @{ Status = [int]$status; Answer = $answer; Why = '' }
  } catch [System.Net.Http.HttpRequestException], [System.OperationCanceledException], [System.IO.IOException], [System.TimeoutException] {
    @{ Status = 0; Answer = $null; Why = $_.Exception.GetType().Name }
  }
}

# Like Invoke-Once, with patience for what passes: no answer, a gateway's answer, a request that is being taken in.
function Invoke-Patiently([string]$Path, $Body, [hashtable]$MoreHeaders) {
  for ($try = 1; ; $try++) {
    $result = Invoke-Once $Path $Body $MoreHeaders
    $code = Get-Field $result.Answer 'code'
    $passes = $result.Status -eq 0 -or ($result.Status -ge 500 -and $null -eq $code) -or $code -eq 'key-in-work'
    if (-not $passes -or $try -eq $Tries) { return $result }
    Start-Sleep -Seconds $PauseSeconds
  }
}

function Get-AppDownPage {
  $address = (Get-Setting KEYTURN_DOCS_URL).TrimEnd('/')
  if ($address -eq '') { 'docs/on-call/app-down.md' } else { "$address/docs/on-call/app-down.md" }
}

# How it stands, in a line: while it is tried again, with the cause and the time of the next try.
function Get-Standing($Rotation) {
  $state = "$(Get-Field $Rotation 'state')"
  if ($state -ne 'retrying') { return $state }
  $failure = Get-Field $Rotation 'failure'
  $next = Get-Field $Rotation 'nextTryAt'
  # Invoke-RestMethod makes dates of texts that look like one.
  if ($next -is [datetime]) { $next = $next.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ') }
  "${state}: $(Get-Field $failure 'code'): $(Get-Field $failure 'message'); next try at $next"
}

function Stop-WithProblem($Result) {
  $answer = $Result.Answer
  if ($Result.Status -eq 0) { Stop-With 7 "$Base gave no answer: $($Result.Why); see $(Get-AppDownPage)" }
  $code = Get-Field $answer 'code'
  if ($null -eq $code) { Stop-With 7 "$Base answered with status $($Result.Status), and not as Keyturn does; see $(Get-AppDownPage)" }
  $fields = foreach ($one in @(Get-Field $answer 'errors')) { " $(Get-Field $one 'field'): $(Get-Field $one 'detail')." }
  $text = "${code}: $(Get-Field $answer 'detail')$(-join $fields) Do: $(Get-Field $answer 'hint') See $(Get-Field $answer 'page')"
  if ($code -in $NotNow) { Stop-With 6 $text }
  switch ($Result.Status) {
    { $_ -in 401, 403 } { Stop-With 4 $text }
    404 { Stop-With 3 $text }
    400 { Stop-With 2 $text }
  }
  Stop-With 1 $text
}

# Stops with the outcome of a rotation that is over; says nothing of one that is not.
function Stop-WhereOver([string]$Name, $Rotation) {
  switch (Get-Field $Rotation 'state') {
    'rotated' {
      Write-Output "$Name rotated to version $(Get-Field $Rotation 'to')"
      Stop-With 0 ''
    }
    'skipped' {
      Stop-With 6 "$Name skipped: $(Get-Field $Rotation 'detail'); nothing was changed. Do: $(Get-Field $Rotation 'hint')"
    }
    'failed' {
      $failure = Get-Field $Rotation 'failure'
      $said = "$(Get-Field $failure 'code'): $(Get-Field $failure 'message') Do: $(Get-Field $failure 'hint') See $(Get-Field $failure 'page')"
      Stop-With 1 "$Name failed: $said"
    }
  }
}

# Waits for the end. A broken line ends nothing: the rotation goes on without this script.
function Wait-Rotation([string]$Name, $Rotation, [datetime]$Deadline) {
  $id = Get-Field $Rotation 'rotationId'
  Write-Output "${Name}: rotation $id"
  $shown = ''
  $unknown = 0
  while ($true) {
    $state = "$(Get-Field $Rotation 'state')"
    $standing = Get-Standing $Rotation
    if ($standing -ne $shown) { $shown = $standing; Write-Output (Get-Plain "${Name}: $standing") }
    Stop-WhereOver $Name $Rotation
    if ([datetime]::UtcNow -ge $Deadline) {
      if ($state -eq 'awaiting-approval') { Stop-With 6 "$Name waits for a second person still: keyturn approve $id" }
      Stop-With 5 "$Name is $state still; it goes on by itself: keyturn rotation $id --wait"
    }
    Start-Sleep -Seconds $PauseSeconds
    $result = Invoke-Once "/rotations/$id"
    if ($result.Status -eq 200 -and $null -ne (Get-Field $result.Answer 'state')) { $Rotation = $result.Answer }
    elseif ($result.Status -in 401, 403) { Stop-WithProblem $result }
    elseif ($result.Status -eq 404) {
      $unknown++
      if ($unknown -gt $UnknownTries) { Stop-WithProblem $result }
    }
  }
}

function Get-Timeout {
  $text = Get-Setting KEYTURN_TIMEOUT '600'
  if ($text -notmatch '^[0-9]{1,5}\z') { Stop-With 2 'KEYTURN_TIMEOUT is a number of seconds' }
  [int]$text
}

function Invoke-Rotation([string]$Vault, [string]$Name, [string]$Why, [datetime]$Deadline) {
  # One key for all tries: however often the request arrives, it is one rotation.
  $headers = @{ 'idempotency-key' = "runbook-$([guid]::NewGuid())" }
  $result = Invoke-Patiently "/vaults/$Vault/secrets/$Name/$Action" @{ reason = $Why } $headers
  $id = "$(Get-Field $result.Answer 'rotationId')"
  if ($result.Status -notin 200, 202 -or $id -notmatch '^[0-9a-f]{32}\z') { Stop-WithProblem $result }
  Wait-Rotation "$Vault/$Name" $result.Answer $Deadline
}

$over = $false
try {
  if ($args.Count -gt 0) { Stop-With 2 $Usage }
  if ($Secret -notmatch '^([0-9a-zA-Z-]{1,64})/([0-9a-zA-Z-]{1,127})\z') {
    Stop-With 2 "the secret is named VAULT/NAME, of letters, digits and dashes; $Usage"
  }
  $vault, $name = $Matches[1], $Matches[2]
  if ($Action -cnotin 'rotate', 'emergency', 'rollback') { Stop-With 2 'the action is rotate, emergency or rollback' }
  $why = (Get-Plain $Reason).Trim()
  if ($why -eq '') { Stop-With 2 "the reason is empty: it stands in the history; $Usage" }
  $deadline = [datetime]::UtcNow.AddSeconds((Get-Timeout))
  $Base = Get-BaseUrl
  $Credential = Get-Credential
  Invoke-Rotation $vault $name $why $deadline
} catch {
  $over = $true
  # Anything else is a mistake in this script, and is shown as PowerShell shows it.
  if (-not $_.Exception.Data.Contains('ExitCode')) { throw }
  $code = $_.Exception.Data['ExitCode']
  $message = Get-Plain $_.Exception.Message
  # Azure Automation shows no standard error and drops the exit code: an exception that leaves the runbook makes its job fail and is shown.
  if ($code -ne 0 -and (Test-Automation)) { throw "$message (exit code $code)" }
  if ($code -ne 0) { [Console]::Error.WriteLine($message) }
  exit $code
} finally {
  # Ctrl-C runs this block and nothing after it.
  if (-not $over) {
    [Console]::Error.WriteLine('ended; what was asked for goes on by itself')
    [Environment]::Exit(130)
  }
}
