import { applyD1Migrations, type D1Migration } from 'cloudflare:test';
import { bindings } from './gateway.ts';

await applyD1Migrations(bindings.DB, (bindings as unknown as { MIGRATIONS: D1Migration[] }).MIGRATIONS);
