// Azure.Extensions.AspNetCore.Configuration.Secrets cannot be restored everywhere this test runs. This has its names and its rules, after its
// source (azure-sdk-for-net, sdk/extensions): which secrets are loaded, under which key, and when one is read again.
using Azure.Core;
using Azure.Security.KeyVault.Secrets;
using Microsoft.Extensions.Configuration;

namespace Azure.Extensions.AspNetCore.Configuration.Secrets;

public class KeyVaultSecretManager
{
    public virtual string GetKey(KeyVaultSecret secret) => secret.Name.Replace("--", ConfigurationPath.KeyDelimiter);

    public virtual bool Load(SecretProperties secret) => true;
}

public class AzureKeyVaultConfigurationOptions
{
    public KeyVaultSecretManager Manager { get; set; } = new();

    public TimeSpan? ReloadInterval { get; set; }
}

public class AzureKeyVaultConfigurationProvider(SecretClient client, AzureKeyVaultConfigurationOptions options)
    : ConfigurationProvider, IConfigurationSource
{
    private Dictionary<string, KeyVaultSecret> loaded = [];

    public override void Load()
    {
        var next = new Dictionary<string, KeyVaultSecret>();
        foreach (var secret in client.GetPropertiesOfSecrets())
        {
            if (!options.Manager.Load(secret) || secret.Enabled != true) continue;
            var upToDate = loaded.TryGetValue(secret.Name, out var known) && known.Properties.UpdatedOn == secret.UpdatedOn;
            next[secret.Name] = upToDate ? known! : client.GetSecret(secret.Name).Value;
        }
        loaded = next;
        Data = next.Values.ToDictionary(options.Manager.GetKey, secret => (string?)secret.Value, StringComparer.OrdinalIgnoreCase);
    }

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;
}

public static class AzureKeyVaultConfigurationExtensions
{
    public static IConfigurationBuilder AddAzureKeyVault(
        this IConfigurationBuilder builder,
        Uri vault,
        TokenCredential credential,
        AzureKeyVaultConfigurationOptions options) =>
        builder.Add(new AzureKeyVaultConfigurationProvider(new SecretClient(vault, credential), options));
}
