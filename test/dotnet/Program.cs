// Reads connection strings with the builders that .NET programs use, and says what each builder found.
//
// In: one JSON object a line, {"builder": NAME, "value": TEXT}. Out: one line for each, {"password", "username", "host"} or {"error"}.
using System.Data.Common;
using System.Data.Odbc;
using System.Net;
using System.Text.Json;
using Microsoft.Data.SqlClient;
using StackExchange.Redis;

var builders = new Dictionary<string, Func<string, Reading>>
{
    ["SqlClient"] = Read.SqlClient,
    ["Npgsql"] = Read.Npgsql,
    ["MySqlConnector"] = Read.MySqlConnector,
    ["MySql.Data"] = Read.MySqlData,
    ["StackExchange.Redis"] = Read.Redis,
    ["Odbc"] = Read.Odbc,
    ["EntityFramework"] = Read.EntityFramework,
    ["SqlClient in JSON"] = Read.SqlClientInJson,
    ["EntityFramework, escaped"] = Read.EntityFrameworkEscaped,
};

var input = new StreamReader(Console.OpenStandardInput());
using var output = new StreamWriter(Console.OpenStandardOutput());
while (input.ReadLine() is { } line)
{
    using var asked = JsonDocument.Parse(line);
    var builder = asked.RootElement.GetProperty("builder").GetString()!;
    var value = asked.RootElement.GetProperty("value").GetString()!;
    object answer;
    try
    {
        answer = builders[builder](value);
    }
    // Whatever a builder throws is its answer.
    catch (Exception error) when (error is not KeyNotFoundException)
    {
        answer = new { error = error.GetType().Name };
    }
    output.WriteLine(JsonSerializer.Serialize(answer));
}

internal sealed record Reading(string? password, string? username, string? host);

internal static class Read
{
    public static Reading SqlClient(string value)
    {
        var builder = new SqlConnectionStringBuilder(value);
        return new Reading(builder.Password, builder.UserID, builder.DataSource);
    }

    public static Reading SqlClientInJson(string value)
    {
        using var settings = JsonDocument.Parse(value);
        return SqlClient(settings.RootElement.GetProperty("ConnectionStrings").GetProperty("Orders").GetString()!);
    }

    public static Reading Npgsql(string value)
    {
        var builder = new Npgsql.NpgsqlConnectionStringBuilder(value);
        return new Reading(builder.Password, builder.Username, builder.Host);
    }

    public static Reading MySqlConnector(string value)
    {
        var builder = new MySqlConnector.MySqlConnectionStringBuilder(value);
        return new Reading(builder.Password, builder.UserID, builder.Server);
    }

    public static Reading MySqlData(string value)
    {
        var builder = new MySql.Data.MySqlClient.MySqlConnectionStringBuilder(value);
        return new Reading(builder.Password, builder.UserID, builder.Server);
    }

    public static Reading Redis(string value)
    {
        var options = ConfigurationOptions.Parse(value);
        var first = options.EndPoints.FirstOrDefault();
        return new Reading(options.Password, options.User, first is DnsEndPoint dns ? dns.Host : first?.ToString());
    }

    // The builder keeps the braces, which ODBC's driver manager takes away.
    public static Reading Odbc(string value)
    {
        var builder = new OdbcConnectionStringBuilder(value);
        return new Reading(Bare(builder, "pwd"), Bare(builder, "uid"), Bare(builder, "server"));
    }

    private static string? Bare(OdbcConnectionStringBuilder builder, string key)
    {
        if (!builder.TryGetValue(key, out var found) || found is not string text) return null;
        return text.StartsWith('{') && text.EndsWith('}') ? text[1..^1].Replace("}}", "}") : text;
    }

    // EntityConnectionStringBuilder is a DbConnectionStringBuilder with keys of its own.
    public static Reading EntityFramework(string value)
    {
        var outer = new DbConnectionStringBuilder { ConnectionString = value };
        return SqlClient((string)outer["provider connection string"]);
    }

    // As it stands in a configuration file: the XML reader takes the escapes away.
    public static Reading EntityFrameworkEscaped(string value)
    {
        var document = System.Xml.Linq.XElement.Parse($"<add connectionString=\"{value}\" />");
        return EntityFramework(document.Attribute("connectionString")!.Value);
    }
}
