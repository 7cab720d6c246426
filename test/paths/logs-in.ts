import { Client, DatabaseError } from 'pg';

/** Whether the server lets this connection string in. Rejects when it says neither yes nor no. */
export async function logsIn(connectionString: string): Promise<boolean> {
  const client = new Client({ connectionString });
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && ['28P01', '28000'].includes(error.code ?? '')) return false;
    throw error;
  } finally {
    await client.end();
  }
}
