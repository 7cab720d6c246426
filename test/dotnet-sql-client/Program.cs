// Microsoft's own client against a server on this machine. Each claim is tried on a connection of its own, and one line of JSON says how
// it went; the test in Node reads the lines. SERVER is "host,port", SA the password of sa, CERTIFICATE the file of the server's certificate.
using System.Data;
using System.Data.SqlTypes;
using System.Globalization;
using System.Text.Json;
using Microsoft.Data.SqlClient;

var server = Environment.GetEnvironmentVariable("SERVER")!;
var saPassword = Environment.GetEnvironmentVariable("SA")!;
var certificate = Environment.GetEnvironmentVariable("CERTIFICATE")!;

string Text(string user, string password, Action<SqlConnectionStringBuilder>? more = null)
{
    var builder = new SqlConnectionStringBuilder
    {
        DataSource = server,
        UserID = user,
        Password = password,
        Encrypt = SqlConnectionEncryptOption.Mandatory,
        TrustServerCertificate = true,
        Pooling = false,
        ConnectRetryCount = 0,
        ConnectTimeout = 10,
    };
    more?.Invoke(builder);
    return builder.ConnectionString;
}

string Sa(Action<SqlConnectionStringBuilder>? more = null) => Text("sa", saPassword, more);

SqlConnection Open(string text)
{
    var connection = new SqlConnection(text);
    connection.Open();
    return connection;
}

object? Scalar(SqlConnection connection, string sql)
{
    using var command = new SqlCommand(sql, connection);
    return command.ExecuteScalar();
}

// The numbers of all errors, or none.
string Numbers(Action work)
{
    try
    {
        work();
        return "";
    }
    catch (SqlException exception)
    {
        return string.Join(",", exception.Errors.Cast<SqlError>().Select(error => error.Number));
    }
}

void Claim(string name, Func<object?> work)
{
    object? seen;
    try
    {
        seen = work();
    }
    catch (Exception exception)
    {
        seen = $"{exception.GetType().Name}: {exception.Message}";
    }
    Console.WriteLine(JsonSerializer.Serialize(new { name, seen }));
}

foreach (var (name, option) in new[]
{
    ("Mandatory", SqlConnectionEncryptOption.Mandatory),
    ("Optional", SqlConnectionEncryptOption.Optional),
    ("Strict", SqlConnectionEncryptOption.Strict),
})
{
    Claim($"Encrypt={name}", () =>
    {
        using var connection = Open(Sa(builder =>
        {
            builder.Encrypt = option;
            if (option != SqlConnectionEncryptOption.Strict) return;
            builder.TrustServerCertificate = false;
            builder.ServerCertificate = certificate;
        }));
        return Scalar(connection, "SELECT SUSER_SNAME()");
    });
}

Claim("Encrypt=False in a connection string", () =>
{
    using var connection = Open($"Server={server};User ID=sa;Password={saPassword};Encrypt=False;Pooling=False");
    return Scalar(connection, "SELECT SUSER_SNAME()");
});

Claim("ServerProcessId", () =>
{
    using var connection = Open(Sa());
    return connection.ServerProcessId == (int)Scalar(connection, "SELECT @@SPID")! && connection.ServerProcessId > 0;
});

Claim("numbers of refused logins", () => new[]
{
    Numbers(() => Open(Text("sa", "wrong"))),
    Numbers(() => Open(Sa(builder => builder.InitialCatalog = "nowhere"))),
    Numbers(() => Open(Text("stale", "Pa55-word-first"))),
});

Claim("ChangePassword", () =>
{
    SqlConnection.ChangePassword(Text("changer", "Pa55-word-first"), "Pa55-word-second");
    using var connection = Open(Text("changer", "Pa55-word-second"));
    return new object?[] { Scalar(connection, "SELECT SUSER_SNAME()"), Numbers(() => Open(Text("changer", "Pa55-word-first"))) };
});

Claim("ChangePassword of a login that must change it", () =>
{
    SqlConnection.ChangePassword(Text("stale", "Pa55-word-first"), "Pa55-word-second");
    using var connection = Open(Text("stale", "Pa55-word-second"));
    return Scalar(connection, "SELECT SUSER_SNAME()");
});

Claim("ChangePassword to one that the policy refuses", () =>
    Numbers(() => SqlConnection.ChangePassword(Text("changer", "Pa55-word-second"), "onlylowercase")));

Claim("Prepare", () =>
{
    using var connection = Open(Sa());
    using var command = new SqlCommand("SELECT name FROM sys.sql_logins WHERE name = @name", connection);
    var name = command.Parameters.Add("@name", SqlDbType.NVarChar, 128);
    name.Value = "sa";
    command.Prepare();
    var first = command.ExecuteScalar();
    name.Value = "changer";
    return new[] { first, command.ExecuteScalar() };
});

Claim("a transaction", () =>
{
    using var connection = Open(Sa());
    using var transaction = connection.BeginTransaction(IsolationLevel.Serializable);
    using var command = new SqlCommand("ALTER LOGIN changer DISABLE", connection, transaction);
    command.ExecuteNonQuery();
    transaction.Rollback();
    return Convert.ToBoolean(Scalar(connection, "SELECT is_disabled FROM sys.sql_logins WHERE name = N'changer'"));
});

Claim("a connection out of a pool is as new", () =>
{
    var text = Sa(builder => builder.Pooling = true);
    int id;
    using (var connection = Open(text))
    {
        id = connection.ServerProcessId;
        Scalar(connection, "USE orders");
    }
    using var again = Open(text);
    return new object?[] { Scalar(again, "SELECT DB_NAME()"), again.ServerProcessId == id, again.Database };
});

Claim("a command that takes too long", () =>
{
    using var connection = Open(Sa());
    using var command = new SqlCommand("WAITFOR DELAY '00:00:30'", connection) { CommandTimeout = 1 };
    var numbers = Numbers(() => command.ExecuteNonQuery());
    return new object?[] { numbers, Scalar(connection, "SELECT 1"), connection.State.ToString() };
});

Claim("what the server does not know", () =>
{
    using var connection = Open(Sa());
    using var procedure = new SqlCommand("no_such_procedure", connection) { CommandType = CommandType.StoredProcedure };
    procedure.Parameters.AddWithValue("@x", 1);
    using var table = new SqlCommand("SELECT 1", connection);
    var rows = new DataTable();
    rows.Columns.Add("id", typeof(int));
    rows.Rows.Add(1);
    table.Parameters.Add(new SqlParameter("@rows", SqlDbType.Structured) { TypeName = "dbo.rows", Value = rows });
    return new object?[]
    {
        Numbers(() => procedure.ExecuteNonQuery()),
        Numbers(() => table.ExecuteScalar()),
        Scalar(connection, "SELECT 1"),
        connection.State.ToString(),
    };
});

Claim("an output parameter", () =>
{
    using var connection = Open(Sa());
    using var command = new SqlCommand("SELECT @given", connection);
    var given = command.Parameters.Add("@given", SqlDbType.Decimal);
    given.Precision = 18;
    given.Scale = 4;
    given.Direction = ParameterDirection.InputOutput;
    given.Value = 12.5m;
    command.ExecuteNonQuery();
    return given.Value is 12.5m;
});

var moment = new DateTime(2026, 11, 27, 17, 45, 30);
var values = new (string Name, SqlDbType Type, int Size, object Value)[]
{
    ("bigint", SqlDbType.BigInt, 0, 9_007_199_254_740_993L),
    ("binary", SqlDbType.Binary, 4, new byte[] { 1, 2, 3, 4 }),
    ("bit", SqlDbType.Bit, 0, true),
    ("char", SqlDbType.Char, 5, "größe"),
    ("date", SqlDbType.Date, 0, moment.Date),
    ("datetime", SqlDbType.DateTime, 0, moment),
    ("datetime2", SqlDbType.DateTime2, 0, moment.AddTicks(1_234_567)),
    ("datetimeoffset", SqlDbType.DateTimeOffset, 0, new DateTimeOffset(moment, TimeSpan.FromHours(2))),
    ("decimal", SqlDbType.Decimal, 0, -79_228_162_514.264337m),
    ("float", SqlDbType.Float, 0, 3.141592653589793),
    ("guid", SqlDbType.UniqueIdentifier, 0, Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff")),
    ("image", SqlDbType.Image, 0, new byte[] { 5, 6, 7 }),
    ("int", SqlDbType.Int, 0, -1),
    ("money", SqlDbType.Money, 0, 922.3372m),
    ("nchar", SqlDbType.NChar, 3, "žлü"),
    ("ntext", SqlDbType.NText, 0, "žлü"),
    ("nvarchar", SqlDbType.NVarChar, 20, "žлü ☃"),
    ("nvarchar(max)", SqlDbType.NVarChar, -1, new string('ž', 10_000)),
    ("real", SqlDbType.Real, 0, 1.5f),
    ("smalldatetime", SqlDbType.SmallDateTime, 0, new DateTime(2026, 11, 27, 17, 45, 0)),
    ("smallint", SqlDbType.SmallInt, 0, (short)-7),
    ("smallmoney", SqlDbType.SmallMoney, 0, 1.25m),
    ("sql_variant", SqlDbType.Variant, 0, 42.5),
    ("text", SqlDbType.Text, 0, "größe"),
    ("time", SqlDbType.Time, 0, new TimeSpan(0, 17, 45, 30, 123)),
    ("tinyint", SqlDbType.TinyInt, 0, (byte)255),
    ("varbinary", SqlDbType.VarBinary, 8, new byte[] { 9 }),
    ("varbinary(max)", SqlDbType.VarBinary, -1, new byte[20_000]),
    ("varchar", SqlDbType.VarChar, 20, "größe"),
    ("xml", SqlDbType.Xml, 0, "<a>ž</a>"),
};

string Written(object? value) => value switch
{
    null or DBNull => "null",
    byte[] bytes => Convert.ToHexString(bytes),
    DateTime time => time.ToString("O", CultureInfo.InvariantCulture),
    decimal number => number.ToString("0.##########", CultureInfo.InvariantCulture),
    // A server drops the byte order mark that the client puts before a document; the stand-in gives back what it was sent.
    string text => text.TrimStart('\uFEFF'),
    IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
    _ => value.ToString() ?? "",
};

foreach (var (name, type, size, value) in values)
{
    Claim($"a parameter of type {name}", () =>
    {
        using var connection = Open(Sa());
        using var command = new SqlCommand("SELECT @value", connection);
        var parameter = command.Parameters.Add("@value", type);
        if (size != 0) parameter.Size = size;
        if (type == SqlDbType.Decimal) parameter.Precision = 28;
        if (type == SqlDbType.Decimal) parameter.Scale = 6;
        parameter.Value = type == SqlDbType.Xml ? new SqlXml(System.Xml.XmlReader.Create(new StringReader((string)value))) : value;
        var back = command.ExecuteScalar();
        parameter.Value = DBNull.Value;
        var none = command.ExecuteScalar();
        var same = Written(back) == Written(value) && none is DBNull;
        return same ? "same" : $"{Written(back)} for {Written(value)}, and {Written(none)} for null";
    });
}
