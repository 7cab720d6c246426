// Reads a whole vault as configuration, without and with the manager of the page: once now, and again for each line of the input.
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Extensions.AspNetCore.Configuration.Secrets;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.Configuration;

var vault = Environment.GetEnvironmentVariable("VAULT")!;
var trusted = X509CertificateLoader.LoadCertificateFromFile(Environment.GetEnvironmentVariable("AUTHORITY")!);
var handler = new SocketsHttpHandler();
handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
{
    TrustMode = X509ChainTrustMode.CustomRootTrust,
    RevocationMode = X509RevocationMode.NoCheck,
    CustomTrustStore = { trusted },
};
var client = new SecretClient(new Uri(vault), new AnyToken(), new SecretClientOptions
{
    DisableChallengeResourceVerification = true,
    Transport = new HttpClientTransport(handler),
});

IConfigurationRoot Read(KeyVaultSecretManager manager) =>
    new ConfigurationBuilder()
        .Add(new AzureKeyVaultConfigurationProvider(client, new AzureKeyVaultConfigurationOptions { Manager = manager }))
        .Build();

var whole = Read(new KeyVaultSecretManager());
var page = Read(new WithoutCandidates());
do
{
    var seen = new { whole = whole.AsEnumerable().ToDictionary(), page = page.AsEnumerable().ToDictionary() };
    Console.WriteLine(JsonSerializer.Serialize(seen));
    if (Console.ReadLine() is null) break;
    whole.Reload();
    page.Reload();
} while (true);

internal sealed class AnyToken : TokenCredential
{
    private static AccessToken Token => new("any", DateTimeOffset.UtcNow.AddHours(1));

    public override AccessToken GetToken(TokenRequestContext context, CancellationToken stop) => Token;

    public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext context, CancellationToken stop) => new(Token);
}
