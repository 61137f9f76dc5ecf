/** Fails unless the servers named by POLYAD_TEST_DATABASE_URL and POLYAD_TEST_REDIS_URL answer. */
import { Redis } from 'ioredis';
import pg from 'pg';

const database = new pg.Client({ connectionString: process.env['POLYAD_TEST_DATABASE_URL'] });
await database.connect();
const { rows } = await database.query('select version()');
console.log((rows[0] as { version: string }).version);
await database.end();

const redis = new Redis(process.env['POLYAD_TEST_REDIS_URL'] ?? '', { lazyConnect: true, maxRetriesPerRequest: 1 });
await redis.connect();
console.log(`Redis says ${await redis.ping()}`);
redis.disconnect();
