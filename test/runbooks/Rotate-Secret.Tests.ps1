<# What the PowerShell runbook makes of answers, settings and Azure Automation, in one process. powershell.test.ts serves the answers and
   starts this file; KEYTURN_CASES names the file with the address, exit code and text of each case. #>

BeforeDiscovery {
  $given = Get-Content -Raw $env:KEYTURN_CASES | ConvertFrom-Json -AsHashtable
  $cases = $given.cases
}

BeforeAll {
  $given = Get-Content -Raw $env:KEYTURN_CASES | ConvertFrom-Json -AsHashtable
  $runbook = Join-Path $PSScriptRoot '../../runbooks/Rotate-Secret.ps1'
  $names = 'KEYTURN_URL', 'KEYTURN_KEY', 'KEYTURN_AUDIENCE', 'KEYTURN_CLIENT_ID', 'KEYTURN_TIMEOUT', 'IDENTITY_ENDPOINT', 'IDENTITY_HEADER'

  # The exit code, and everything that was written to any stream.
  function Start-Runbook([string[]]$Words, [hashtable]$Settings) {
    foreach ($name in $names) { [Environment]::SetEnvironmentVariable($name, $Settings[$name]) }
    $errors = [System.IO.StringWriter]::new()
    $before = [Console]::Error
    [Console]::SetError($errors)
    $global:LASTEXITCODE = -1
    try { $out = & $runbook @Words *>&1 | Out-String } finally { [Console]::SetError($before) }
    @{ Exit = $global:LASTEXITCODE; Text = "$out$errors" }
  }

  $words = 'contoso-kv/orders-db', 'a test'
  $key = 'k' * 40
}

Describe 'An answer of the API' {
  BeforeEach { Mock Start-Sleep {} }

  It '<name>' -ForEach $cases {
    $outcome = Start-Runbook $words @{ KEYTURN_URL = $url; KEYTURN_KEY = $key }
    $outcome.Text | Should -BeLike "*$said*"
    $outcome.Exit | Should -Be $exit
    $outcome.Text | Should -Not -BeLike "*$key*"
  }

  It 'a rotation that is not over in time is left to go on, with 5' {
    $outcome = Start-Runbook $words @{ KEYTURN_URL = $given.running; KEYTURN_KEY = $key; KEYTURN_TIMEOUT = '0' }
    $outcome.Text | Should -BeLike '*goes on by itself: keyturn rotation*'
    $outcome.Exit | Should -Be 5
  }
}

Describe 'A wrong use' {
  It '<name> ends with 2 and asks nobody' -ForEach @(
    @{ name = 'no reason'; wrong = @('local/x') }
    @{ name = 'an empty reason'; wrong = @('local/x', " `n") }
    @{ name = 'a name that is none'; wrong = @('../freeze', 'r') }
    @{ name = 'a name of two lines'; wrong = @("local/x`n", 'r') }
    @{ name = 'an action that is none'; wrong = @('local/x', 'r', 'destroy') }
    @{ name = 'a word too many'; wrong = @('local/x', 'r', 'rotate', 'more') }
  ) {
    (Start-Runbook $wrong @{ KEYTURN_URL = $given.running; KEYTURN_KEY = $key }).Exit | Should -Be 2
  }

  It '<name> ends with 2' -ForEach @(
    @{ name = 'another machine without TLS'; settings = @{ KEYTURN_URL = 'http://keyturn.example' } }
    @{ name = 'a host that only begins like this machine'; settings = @{ KEYTURN_URL = 'http://127.0.0.1.keyturn.example' } }
    @{ name = 'an address with a login'; settings = @{ KEYTURN_URL = 'https://a:b@keyturn.example' } }
    @{ name = 'no address'; settings = @{ KEYTURN_URL = '' } }
    @{ name = 'nobody who calls'; settings = @{ KEYTURN_KEY = '' } }
    @{ name = 'a credential of two lines'; settings = @{ KEYTURN_KEY = "a`nb" } }
    @{ name = 'a timeout that is no number'; settings = @{ KEYTURN_TIMEOUT = 'soon' } }
  ) {
    $all = @{ KEYTURN_URL = $given.running; KEYTURN_KEY = $key }
    foreach ($name in $settings.Keys) { $all[$name] = $settings[$name] }
    (Start-Runbook $words $all).Exit | Should -Be 2
  }
}

Describe 'A managed identity' {
  It 'gives a token for the audience, which is presented' {
    $settings = @{ KEYTURN_URL = $given.byToken; KEYTURN_AUDIENCE = 'api://keyturn'; KEYTURN_CLIENT_ID = 'me' }
    $settings += @{ IDENTITY_ENDPOINT = $given.identity; IDENTITY_HEADER = 'header-of-the-platform' }
    $outcome = Start-Runbook $words $settings
    $outcome.Exit | Should -Be 0 -Because $outcome.Text
    $outcome.Text | Should -Not -BeLike "*$($given.token)*"
  }

  It 'that gives none ends it with 4' {
    $settings = @{ KEYTURN_URL = $given.running; KEYTURN_AUDIENCE = 'api://keyturn'; IDENTITY_ENDPOINT = 'http://127.0.0.1:9/token' }
    $outcome = Start-Runbook $words $settings
    $outcome.Exit | Should -Be 4
    $outcome.Text | Should -BeLike '*managed identity gave no token for api://keyturn*'
  }
}

Describe 'In Azure Automation' {
  BeforeAll {
    # The cmdlet that the platform has, and that reports an error for a variable the account lacks.
    function global:Get-AutomationVariable {
      [CmdletBinding()] param([string]$Name)
      if ($variables.ContainsKey($Name)) { return $variables[$Name] }
      Write-Error "the variable $Name was not found"
    }
  }
  AfterAll { Remove-Item function:global:Get-AutomationVariable }
  BeforeEach { Mock Start-Sleep {} }

  It 'the settings come from the variables of the account' {
    $global:variables = @{ KEYTURN_URL = $given.rotated; KEYTURN_KEY = $key }
    (Start-Runbook $words @{}).Exit | Should -Be 0
  }

  It 'a rotation that was not done ends the job with an exception that says code, next step and page' {
    $global:variables = @{ KEYTURN_URL = $given.failed; KEYTURN_KEY = $key }
    { Start-Runbook $words @{} } |
      Should -Throw '*admin-refused: the admin is refused Do: store another See docs/errors/admin-refused.md (exit code 1)'
  }
}
