import { Hono } from 'hono';

/** The smallest possible route: the reference for all other measurements. */
export default new Hono().post('/', async (c) => c.json(await c.req.json()));
