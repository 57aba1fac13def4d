import { Hono } from 'hono';

/** The least that a route can be: what everything else is measured against. */
export default new Hono().post('/', async (c) => c.json(await c.req.json()));
